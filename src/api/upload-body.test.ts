import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { HeadgateError } from '../platform/base/errors.ts';
import { readBody } from './upload-body.ts';

const idleMs = 200;
/** Longer than any machine is silent of itself. */
const longMs = 60_000;

/** How the body was taken by `take`: its bytes, or the code of why not. */
async function sendTo(take: (message: IncomingMessage) => Promise<number>): Promise<{ socket: Socket; taken: Promise<number | string> }> {
  const taken = Promise.withResolvers<number | string>();
  const server = createServer((message, response) => {
    void take(message)
      .catch((error: unknown) => (error instanceof HeadgateError ? error.code : String(error)))
      .then((it) => {
        taken.resolve(it);
        response.end();
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  return { socket, taken: taken.promise };
}

const head = (bytes: number) => `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes}\r\n\r\n`;

async function bytesOf(message: IncomingMessage, onPiece: () => Promise<unknown> = async () => undefined, idle = idleMs): Promise<number> {
  let bytes = 0;
  for await (const piece of readBody(message, idle)) {
    bytes += piece.length;
    await onPiece();
  }
  return bytes;
}

it('a sender that says nothing more is told so', async () => {
  const { socket, taken } = await sendTo((message) => bytesOf(message));
  socket.write(`${head(10)}12345`);
  expect(await taken).toBe('E_UPLOAD_TIMEOUT');
});

it('time that is taken for a piece is not counted as the silence of its sender', async () => {
  const seen: string[] = [];
  let pieces = 0;
  const { socket, taken } = await sendTo(async (message) => {
    const begin = message.socket.setTimeout.bind(message.socket);
    message.socket.setTimeout = (ms: number) => {
      seen.push(ms > 0 ? 'waits' : 'ends');
      return begin(ms);
    };
    return await bytesOf(
      message,
      async () => {
        seen.push('takes');
        // What the server says when its socket was silent for so long; said here, as no machine is slow to order.
        message.emit('timeout');
        if (++pieces === 1) socket.write('67890');
      },
      longMs,
    );
  });
  socket.write(`${head(10)}12345`);
  expect(await taken).toBe(10);
  // The time begins anew for each piece, when it is asked for.
  expect(seen).toEqual(['waits', 'takes', 'waits', 'takes', 'waits', 'ends']);
});
