/**
 * A connection whose bytes come in one buffer that is used again and again. A stream of Node makes a buffer for each read; at
 * hundreds of megabytes a second, collecting those takes more of the processor than decrypting what is in them.
 */
import { Buffer } from 'node:buffer';
import { connect, type Socket } from 'node:net';

const readBytes = 256 * 1024;

/**
 * Gives its bytes as `data` events, as any socket. `isTakenAtOnce`: whoever listens keeps nothing of an event's bytes behind it;
 * else the bytes of each event are its own.
 */
export function connectReading(place: { readonly host: string; readonly port: number }, isTakenAtOnce: () => boolean): Socket {
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  const socket: Socket = connect({
    ...place,
    onread: {
      buffer,
      callback(count) {
        const bytes = buffer.subarray(0, count);
        socket.emit('data', isTakenAtOnce() ? bytes : Buffer.from(bytes));
        return true;
      },
    },
  });
  return socket;
}
