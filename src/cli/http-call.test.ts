import { createHash } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary-store.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { bodyOfBytes, bodyOfFile, callHttp, FileReadError, type HttpBody, textOf, UnansweredError } from './http-call.ts';

const mebibyte = 1024 * 1024;

async function uploadFile(url: string, body: HttpBody, headers: Record<string, string>, idleMs?: number) {
  const { status, contentType, pieces } = await callHttp(url, { method: 'POST', headers, body, ...(idleMs && { idleMs }) });
  return { status, contentType, text: await textOf(pieces) };
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/files?flow=a`;
}

/** Different everywhere, so that a buffer that is used too early is seen. */
function numbered(bytes: number): Buffer {
  const made = Buffer.alloc(bytes);
  for (let at = 0; at + 4 <= bytes; at += 4) made.writeUInt32LE(at, at);
  return made;
}

async function fileOf(bytes: Buffer) {
  const path = join(temporaryFolder(), 'sent');
  writeFileSync(path, bytes);
  const handle = await open(path);
  onTestFinished(() => handle.close());
  return { path, body: bodyOfFile(handle, bytes.length) };
}

it.each([0, 1, 256 * 1024, 5 * mebibyte + 3])('sends %i bytes as they are, also to a server that is slow to take them', async (length) => {
  const bytes = numbered(length);
  const url = await serve(async (request, response) => {
    const hash = createHash('sha256');
    let pauses = 0;
    for await (const piece of request) {
      hash.update(piece);
      if (pauses++ < 20) await systemPorts.sleep.sleep(2);
    }
    const { method, headers } = request;
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ method, sent: headers['content-length'], sha256: hash.digest('hex') }));
  });
  const { body } = await fileOf(bytes);
  for (const each of [body, bodyOfBytes(bytes)]) {
    const { status, contentType, text } = await uploadFile(url, each, { authorization: 'Bearer a' });
    expect([status, contentType]).toEqual([200, 'application/json']);
    expect(JSON.parse(text)).toEqual({ method: 'POST', sent: String(length), sha256: createHash('sha256').update(bytes).digest('hex') });
  }
});

it('takes an answer that comes before the end of the file, and sends no more', async () => {
  const url = await serve((_request, response) => response.writeHead(413, { 'content-type': 'application/problem+json' }).end('{}'));
  let readTo = 0;
  const body = {
    bytes: 1024 * mebibyte,
    read: async (into: Buffer, length: number, position: number) => {
      readTo = position + length;
      return into.fill(1, 0, length) && length;
    },
  };
  expect(await uploadFile(url, body, {})).toMatchObject({ status: 413, text: '{}' });
  expect(readTo).toBeLessThan(body.bytes);
});

it('of a file that became shorter meanwhile, or that cannot be read, fails with that', async () => {
  const url = await serve((request) => request.resume());
  const { path, body } = await fileOf(numbered(3 * mebibyte));
  truncateSync(path, 2 * mebibyte);
  await expect(uploadFile(url, body, {})).rejects.toThrow(new FileReadError('the file was shortened while it was sent'));
  const cause = Object.assign(new Error('read'), { code: 'EIO' });
  const failing = { bytes: 10, read: () => Promise.reject(cause) };
  await expect(uploadFile(url, failing, {})).rejects.toMatchObject({ message: 'the file can not be read', cause });
});

it('fails where the connection ends without an answer, where there is none, and where none comes', async () => {
  const ends = await serve((request) => request.socket.destroy());
  await expect(uploadFile(ends, bodyOfBytes(numbered(8 * mebibyte)), {})).rejects.toThrow();
  await expect(uploadFile('http://127.0.0.1:1/', bodyOfBytes(numbered(8)), {})).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  const silent = await serve((request) => request.resume());
  await expect(uploadFile(silent, bodyOfBytes(numbered(8)), {}, 50)).rejects.toThrow(UnansweredError);
});
