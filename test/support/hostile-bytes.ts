/** Big hostile content for tests, made piece by piece as it is sent: nothing of it is ever whole in memory or on the disk. */
import { once } from 'node:events';
import { createGzip, createZstdCompress } from 'node:zlib';

export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

const pieceBytes = 64 * 1024;

/** One behind the other. */
export function* content(...parts: readonly (string | Uint8Array | Iterable<Uint8Array>)[]): Generator<Uint8Array> {
  for (const part of parts) {
    if (typeof part === 'string') yield Buffer.from(part);
    else if (part instanceof Uint8Array) yield part;
    else yield* part;
  }
}

/** The text again and again, until so many bytes are there or a few more. */
export function* filled(text: string, bytes: number): Generator<Uint8Array> {
  const piece = Buffer.from(text.repeat(Math.ceil(pieceBytes / text.length)));
  for (let made = 0; made < bytes; made += piece.length) yield piece;
}

/** A text for each number from 0 on. */
export function* numbered(count: number, textOf: (number: number) => string): Generator<Uint8Array> {
  let text = '';
  for (let number = 0; number < count; number++) {
    text += textOf(number);
    if (text.length < pieceBytes) continue;
    yield Buffer.from(text);
    text = '';
  }
  yield Buffer.from(text);
}

/** Packed as it is read. */
export async function* packed(kind: 'gzip' | 'zstd', pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const packer = kind === 'gzip' ? createGzip({ level: 1 }) : createZstdCompress();
  const filling = (async () => {
    for (const piece of pieces) if (!packer.write(piece)) await once(packer, 'drain');
    packer.end();
  })();
  for await (const piece of packer) yield piece as Buffer;
  await filling;
}
