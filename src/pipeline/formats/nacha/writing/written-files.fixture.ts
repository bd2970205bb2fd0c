/** Writes documents, for tests. */
import { HeadgateError } from '../../../../platform/base/errors.ts';
import type { PackWritten } from '../../pack.ts';
import { nachaPack } from '../nacha-pack.ts';

export interface WrittenAch {
  readonly bytes: Buffer;
  readonly written: PackWritten;
}

/** Pushes the document in pieces of `size` bytes. */
export function writeAch(
  document: unknown,
  settings: Readonly<Record<string, string | boolean>> = {},
  size = Number.POSITIVE_INFINITY,
): WrittenAch {
  const bytes = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document));
  const pieces: Buffer[] = [];
  const writer = nachaPack.writer!.createDocumentWriter(new Map(Object.entries(settings)), {
    bytes: (piece) => void pieces.push(Buffer.from(piece)),
  });
  for (let at = 0; at < bytes.length; at += size) {
    const piece = Uint8Array.from(bytes.subarray(at, Math.min(bytes.length, at + size)));
    writer.push(piece);
    piece.fill(0);
  }
  const written = writer.end();
  return { bytes: Buffer.concat(pieces), written };
}

/** Code and message of the refusal; anything else that is thrown is thrown on. */
export function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof HeadgateError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'none';
}
