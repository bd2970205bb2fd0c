/** A service that says `100 Continue` without having been asked, as some do to every request with a body. */
import { createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { openOptions, outgoing } from '../connector-contract.fixture.ts';
import { httpConnector } from './http-connector.ts';

const signal = new AbortController().signal;
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
const proceed = 'HTTP/1.1 100 Continue\r\n\r\n';

/** A target whose service answers each request as told, in so many pieces. */
async function targetOf(answers: readonly string[], pieces: (answer: string) => readonly string[] = (answer) => [answer]) {
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay(true).on('error', () => {}));
    let received = '';
    socket.on('data', async (piece) => {
      received += piece;
      if (!received.endsWith('}\n')) return;
      received = '';
      for (const text of pieces(answers[requests++ % answers.length]!)) {
        await new Promise((written) => socket.write(text, written));
        await new Promise(setImmediate);
      }
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  const connection = { baseUrl: `http://127.0.0.1:${port}` };
  const target = httpConnector.open(openOptions(httpConnector, { settings: {}, connection, target: { concurrency: 1 } }));
  onTestFinished(async () => {
    await target.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { target, connections: () => sockets.size };
}

it.each([
  ['100', proceed + ok],
  ['several', `${proceed}HTTP/1.1 102 Processing\r\nx: y\r\n\r\n${proceed}${ok}`],
  ['103 with headers', `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ok}`],
  ['100 with bare line ends', `HTTP/1.1 100 Continue\n\n${ok}`],
  ['none', ok],
])('an answer behind interim ones that nobody asked for (%s) is the answer, however it is cut, over one connection', async (_, answer) => {
  const cuts = Array.from({ length: Math.min(answer.length, proceed.length + 12) }, (_, at) => at);
  let cut = 0;
  const { target, connections } = await targetOf([answer], (text) => [text.slice(0, cuts[cut]), text.slice(cuts[cut++ % cuts.length])]);
  for (const _ of cuts) expect(await target.deliver(outgoing(['a']), signal)).toEqual({ kind: 'acked' });
  expect(connections()).toBe(1);
});

it('an interim answer while a long body is written changes nothing', async () => {
  const { target } = await targetOf([proceed + ok]);
  expect(await target.deliver(outgoing(Array.from({ length: 20_000 }, (_, index) => `r${index}`)), signal)).toEqual({ kind: 'acked' });
});

it('what looks like one behind the head of an answer belongs to the answer', async () => {
  const body = `${proceed}{"results":[]}`;
  const { target } = await targetOf(
    [`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`],
    (text) => text.split(/(?<=\r\n\r\n)/),
  );
  expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_ANSWER' });
});

it.each([
  ['a protocol that was not asked for', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'],
  ['an interim answer that is too long', `HTTP/1.1 100 ${'x'.repeat(40_000)}\r\n\r\n${ok}`],
])('%s ends the connection, and nobody knows what became of the batch', async (_, answer) => {
  const { target } = await targetOf([answer]);
  expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'unknown' });
});
