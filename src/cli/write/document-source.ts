/** The bytes of a document that a file is written from: a plain file, or standard input. */
import { FileSource } from '../run/plain-files.ts';

/** `-`: standard input. Each piece is only valid until the next. */
export async function* documentPieces(path: string): AsyncGenerator<Uint8Array> {
  if (path === '-') {
    for await (const piece of process.stdin) yield piece as Buffer;
    return;
  }
  const source = new FileSource(path);
  try {
    yield* source.pieces();
  } finally {
    source.close();
  }
}
