import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createAddressGuard } from '../address-guard.ts';
import { openOptions, outgoing } from '../connector-contract.fixture.ts';
import { systemResolveHost } from '../resolve-host.ts';
import { createHttpClient } from './http-client.ts';
import { httpConnector } from './http-connector.ts';

const signal = new AbortController().signal;

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

function clientOf(origin: string, answerBytesMax = 1024 * 1024) {
  const client = createHttpClient({
    origin,
    guard: createAddressGuard({ allowPrivate: ['127.0.0.0/8'], allowPlain: true }, systemResolveHost),
    connectionsMax: 1,
    timeoutMs: 5_000,
    certificates: { authority: null, client: null },
    answerBytesMax,
  });
  onTestFinished(() => client.close());
  return client;
}

const post = (bytes: Buffer) => ({
  method: 'POST',
  path: '/',
  headers: {},
  body: { sizeBytes: bytes.length, pieces: () => [bytes], assertOurs() {} },
});

it('a body that is said to be taken before it was written is unknown: the rest is not there', async () => {
  const sockets = new Set<Socket>();
  let received = 0;
  const origin = await listen(
    createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('data', (data) => {
        received += data.length;
        socket.pause();
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      });
    }),
  );
  onTestFinished(() => [...sockets].forEach((socket) => void socket.destroy()));
  const lines = Array.from({ length: 200_000 }, (_, index) => Buffer.from(`{"id":"record-${index}","note":"${'x'.repeat(50)}"}\n`));
  const sizeBytes = lines.reduce((sum, line) => sum + line.length, 0);
  const body = { sizeBytes, sha256: '', preamble: new Uint8Array(0), pieces: () => lines, lines: () => lines };
  const target = httpConnector.open(openOptions(httpConnector, { settings: {}, connection: { baseUrl: origin } }));
  onTestFinished(() => target.close());
  const outcome = await target.deliver({ ...outgoing(['a']), records: lines.length, body }, signal);
  expect(outcome).toMatchObject({ kind: 'unknown', code: 'E_TARGET_ANSWER' });
  expect(received).toBeLessThan(sizeBytes);
});

it('an answer in pieces of one byte is read as one', async () => {
  const text = JSON.stringify({ text: 'y'.repeat(20_000) });
  const origin = await listen(
    createHttpServer(async (request, response) => {
      request.resume();
      for (const character of text) response.write(character);
      response.end();
    }),
  );
  const exchange = await clientOf(origin).send(post(Buffer.from('{}')), signal);
  expect(exchange).toMatchObject({ kind: 'answered', status: 200, body: { kind: 'whole' } });
  expect(exchange.kind === 'answered' && exchange.body.bytes.toString()).toBe(text);
  const cut = await clientOf(origin, 10_000).send(post(Buffer.from('{}')), signal);
  expect(cut).toMatchObject({ kind: 'answered', body: { kind: 'cut' } });
});

it('a fault of the program itself is thrown, and nothing is sent', async () => {
  let requests = 0;
  const origin = await listen(createHttpServer((_, response) => void response.end(String(++requests))));
  const broken = { ...post(Buffer.from('{}')) };
  const pieces = () => {
    throw new TypeError('of no use');
  };
  await expect(clientOf(origin).send({ ...broken, body: { ...broken.body, pieces } }, signal)).rejects.toThrow('of no use');
  expect(requests).toBe(0);
});

it('a client that is closed ends what is under way', async () => {
  const arrived = Promise.withResolvers<void>();
  const origin = await listen(
    createHttpServer((request) => {
      request.resume();
      arrived.resolve();
    }),
  );
  const client = clientOf(origin);
  const exchanges = [post(Buffer.from('{}')), post(Buffer.from('{}'))].map((request) => client.send(request, signal));
  await arrived.promise;
  await client.close();
  expect((await Promise.all(exchanges)).map(({ kind }) => kind)).toEqual(['lost', 'unsent']);
});
