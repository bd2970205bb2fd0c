import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary-store.ts';
import { createApiClient } from './api-client.ts';

async function clientOf(listener: RequestListener, idleMs?: number, scheme = 'http') {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const keyFile = join(temporaryFolder(), 'key');
  writeFileSync(keyFile, 'hg_live_abc', { mode: 0o600 });
  const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, client: createApiClient({ positionals: [], options: { url, 'key-file': keyFile } }, {}, idleMs) };
}

it('a request that is not answered in time is not said to have found nobody', async () => {
  const { url, client } = await clientOf(() => {}, 50);
  const refused = client.post('/v1/jobs/1/cancel', {});
  await expect(refused).rejects.toMatchObject({ code: 'E_API_UNREACHABLE', message: `${url} has the request and did not answer in time` });
});

it('a server without TLS that is asked for it is not said to be absent', async () => {
  const { url, client } = await clientOf((_request, response) => response.end('{}'), undefined, 'https');
  await expect(client.get('/v1/jobs/1')).rejects.toMatchObject({
    code: 'E_API_UNREACHABLE',
    message: `what answered at ${url} agreed on no TLS`,
    next: expect.stringContaining('with http:// where it has no TLS'),
  });
});

it('an answer that breaks off is an error, whole or in pieces', async () => {
  const { url, client } = await clientOf((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
    response.write('{"jobId":', () => response.destroy());
  });
  const broken = { code: 'E_API_UNREACHABLE', message: `${url} broke off in the middle of an answer` };
  await expect(client.get('/v1/jobs/1')).rejects.toMatchObject(broken);
  const pieces = await client.stream('/v1/jobs/1/export');
  await expect(Array.fromAsync(pieces)).rejects.toMatchObject(broken);
});

it.each([
  ['goes somewhere else', 302, 'answered 302'],
  ['is no JSON', 200, 'is not headgate'],
])('an answer that %s is not taken', async (_what, status, message) => {
  const { client } = await clientOf((request, response) =>
    response.writeHead(status, { location: `http://${request.headers.host}/elsewhere` }).end('<html>'),
  );
  await expect(client.get('/v1/jobs/1')).rejects.toMatchObject({ code: 'E_API_UNREACHABLE', message: expect.stringContaining(message) });
});

it.each([{}, { things: [] }, { items: 1 }, null, []])('a page that is no list of Headgate is not taken: %j', async (page) => {
  const { client } = await clientOf((_request, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(page)),
  );
  await expect(client.list('/v1/jobs', {}, 10)).rejects.toMatchObject({ code: 'E_API_UNREACHABLE' });
});

it.each([
  ['of a file that is still being read', false, true],
  ['of a file that was read', true, false],
  ['of anything else', undefined, false],
])('a list %s says whether more is to come', async (_what, isComplete, isSoFar) => {
  const { client } = await clientOf((_request, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ isComplete, items: [{}], nextCursor: null })),
  );
  expect(await client.list('/v1/jobs/1/records', {}, 10)).toEqual({ items: [{}], isCut: false, isSoFar });
});

it('nothing waits for the rest of an answer that is not taken', async () => {
  let closed = () => {};
  const isClosed = new Promise<void>((resolve) => (closed = resolve));
  const { client } = await clientOf((_request, response) => {
    response.once('close', () => closed());
    response.writeHead(502).write('<html>');
  });
  await expect(client.get('/v1/jobs/1')).rejects.toMatchObject({ code: 'E_API_UNREACHABLE', message: expect.stringContaining('502') });
  await isClosed;
});

it('sends the key, the query and what it is given, and uses its connection again', async () => {
  const sockets = new Set<unknown>();
  const { client } = await clientOf(async (request, response) => {
    sockets.add(request.socket);
    const body = (await Array.fromAsync(request as AsyncIterable<Buffer>)).join('');
    const { authorization } = request.headers;
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ method: request.method, url: request.url, authorization, body }));
  });
  const authorization = 'Bearer hg_live_abc';
  expect(await client.get('/v1/jobs', { state: 'held', flow: undefined })).toEqual({
    method: 'GET',
    url: '/v1/jobs?state=held',
    authorization,
    body: '',
  });
  expect(await client.post('/v1/jobs/1/cancel', { reason: 'é' })).toEqual({
    method: 'POST',
    url: '/v1/jobs/1/cancel',
    authorization,
    body: '{"reason":"é"}',
  });
  expect(sockets.size).toBe(1);
});

it.each(['ftp://127.0.0.1:4680', 'localhost:4680', '127.0.0.1:4680', 'server'])(
  'an address that is none of a server is refused as such: %j',
  (url) => {
    const refusedAs = (what: string) =>
      expect.objectContaining({ code: 'E_USAGE', message: `${what} is no address that begins with http:// or https://` });
    expect(() => createApiClient({ positionals: [], options: { url } }, {})).toThrow(refusedAs('--url'));
    expect(() => createApiClient({ positionals: [], options: {} }, { HEADGATE_URL: url })).toThrow(refusedAs('HEADGATE_URL'));
  },
);
