/** Answers of a line for each record: what each line says counts, and a record without one is unknown, whatever became of the others. */
import { createServer } from 'node:http';
import { createServer as createNetServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { startHttpSink } from '../../../../test/support/http-sink.ts';
import type { DeliveryOutcome } from '../connector.ts';
import { openOptions, outgoing } from '../connector-contract.fixture.ts';
import { outcomeWithResults } from './http-answer.ts';
import { httpConnector } from './http-connector.ts';

const signal = new AbortController().signal;
const keys = ['first key', 'second key', 'third key'];
const sent = { records: 3, deliveryKeys: async () => keys };

const outcomeFor = (text: string, kind: 'whole' | 'broken' | 'cut' = 'whole', headers: Record<string, string> = {}) =>
  outcomeWithResults(
    {
      kind: 'answered',
      status: 200,
      headers: { 'content-type': 'application/x-ndjson', ...headers },
      body: { kind, bytes: Buffer.from(text) },
    },
    sent,
    { nowMs: 0, results: 'ndjson' },
  );
const takenOf = (outcome: DeliveryOutcome): number[] =>
  outcome.kind === 'acked' ? [0, 1, 2].filter((index) => !outcome.perRecord?.some((result) => result.index === index)) : [];

it('a line of each record decides for it, by index or by key, in any order', async () => {
  expect(await outcomeFor('{"index":2,"status":201}\n{"key":"first key","status":"ok"}\r\n\n{"index":1,"status":200}')).toEqual({
    kind: 'acked',
  });
  expect(
    await outcomeFor('{"index":0,"status":201}\n{"index":1,"status":422,"code":"ACCOUNT_CLOSED"}\n{"index":2,"status":503}\n'),
  ).toEqual({
    kind: 'acked',
    perRecord: [
      { index: 1, status: 'refused', code: 'ACCOUNT_CLOSED', message: 'the target answered for the record with status 422' },
      { index: 2, status: 'retry', code: 'E_TARGET_RECORD', message: 'the target answered for the record with status 503' },
    ],
  });
});

it.each(['broken', 'cut', 'whole'] as const)('of an answer that ends early (%s), the records without a line are unknown', async (kind) => {
  const lines = '{"index":0,"status":201}\n{"index":2,"status":422}\n';
  expect(await outcomeFor(`${lines}${kind === 'whole' ? '' : '{"index":1,"sta'}`, kind)).toEqual({
    kind: 'acked',
    perRecord: [
      { index: 1, status: 'unknown', code: 'E_TARGET_ANSWER' },
      { index: 2, status: 'refused', code: 'E_TARGET_RECORD', message: 'the target answered for the record with status 422' },
    ],
  });
});

it.each([
  ['no line at all', ''],
  ['damaged JSON', '{"index":0,"status":201}\n{"index":1,\n'],
  ['a line that is no object', '[1]\n'],
  ['a key twice', '{"index":0,"status":201,"status":422}\n'],
  ['a record twice', '{"index":0,"status":201}\n{"key":"first key","status":201}\n'],
  ['a record that was not sent', '{"index":3,"status":201}\n'],
  ['more lines than records', '{"index":0,"status":201}\n'.repeat(4)],
  ['no known status', '{"index":0,"status":"perhaps"}\n'],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('latin1')],
])('%s is unknown as a whole', async (_what, text) => {
  expect(await outcomeFor(text)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_ANSWER' });
});

it('a content coding that was not asked for is unknown', async () => {
  expect(await outcomeFor('{"index":0,"status":201}\n', 'whole', { 'content-encoding': 'gzip' })).toMatchObject({ kind: 'unknown' });
});

it('wherever an answer is cut, exactly the records of the lines before are acknowledged', async () => {
  const lines = ['{"index":1,"status":201}\n', '{"index":0,"status":"ok"}\n', '{"index":2,"status":200}\n'];
  const text = lines.join('');
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length), async (at) => {
      const taken = takenOf(await outcomeFor(text.slice(0, at), 'broken'));
      const whole = text.slice(0, at).split('\n').length - 1;
      expect(taken).toEqual([1, 0, 2].slice(0, whole).sort());
    }),
  );
});

it('the lines of a connection that ends in the middle of the answer count', async () => {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write('{"index":0,"status":201}\n', () => request.socket.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const options = openOptions(httpConnector, { settings: { results: 'ndjson' }, connection: { baseUrl: `http://127.0.0.1:${port}` } });
  const target = httpConnector.open(options);
  expect(await target.deliver(outgoing(['a', 'b']), signal)).toEqual({
    kind: 'acked',
    perRecord: [{ index: 1, status: 'unknown', code: 'E_TARGET_ANSWER' }],
  });
  await target.close();
});

it('the service is told what is expected, and single requests have no lines', async () => {
  const sink = await startHttpSink(() => ({ body: '{"index":0,"status":201}\n' }));
  const target = httpConnector.open(openOptions(httpConnector, { settings: { results: 'ndjson' }, connection: { baseUrl: sink.url } }));
  expect(await target.deliver(outgoing(['a']), signal)).toEqual({ kind: 'acked' });
  expect(sink.requests[0]!.headers).toMatchObject({ accept: 'application/x-ndjson', 'content-type': 'application/x-ndjson' });
  await target.close();
  const single = openOptions(httpConnector, { settings: { results: 'ndjson', mode: 'single' }, connection: { baseUrl: sink.url } });
  expect(() => httpConnector.open(single)).toThrowError(expect.objectContaining({ code: 'E_TARGET' }));
});

it('a body is written as the service reads it, and never held as a whole', async () => {
  const sockets: Socket[] = [];
  const server = createNetServer({ pauseOnConnect: true }, (socket) => void sockets.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as { port: number };
  const piece = Buffer.alloc(1024 * 1024, 0x20);
  const pieces = 256;
  let asked = 0;
  const batch = outgoing(['a']);
  const body = {
    ...batch.body,
    sizeBytes: pieces * piece.length,
    *pieces(options?: { readonly isReused: boolean }) {
      for (let at = 0; at < pieces; at++) {
        if (!options?.isReused) asked += 1;
        yield piece;
      }
    },
  };
  const target = httpConnector.open(openOptions(httpConnector, { settings: {}, connection: { baseUrl: `http://127.0.0.1:${port}` } }));
  const deadline = new AbortController();
  const attempt = target.deliver({ ...batch, body }, deadline.signal);
  await expect.poll(() => asked).toBeGreaterThan(0);
  let before = -1;
  await expect.poll(() => before === (before = asked), { interval: 200 }).toBe(true);
  deadline.abort();
  expect(await attempt).toMatchObject({ kind: 'unknown', code: 'E_TARGET_TIMEOUT' });
  // What the kernel's buffers of two sockets hold, and one piece.
  expect(asked).toBeLessThan(pieces / 4);
  await target.close();
});
