/** Writes documents with a pack, for tests, and says what a refusal says. */
import { Buffer } from 'node:buffer';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Pack, PackWritten } from '../pack.ts';

export interface Written {
  readonly text: string;
  readonly written: PackWritten;
}

export type Options = Readonly<Record<string, string | boolean | number>>;

/** `document`: as an object, or as the bytes of its JSON. */
export function writeDocument(pack: Pack, document: unknown, options: Options = {}, sizes: readonly number[] = []): Written {
  const writer = pack.writer!;
  const settings = new Map([...pack.settings, ...writer.settings].map(({ name, default: value }) => [name, options[name] ?? value]));
  const pieces: Buffer[] = [];
  const target = writer.createDocumentWriter(settings, { bytes: (piece) => void pieces.push(Buffer.from(piece)) });
  const bytes = document instanceof Uint8Array ? Buffer.from(document) : Buffer.from(JSON.stringify(document));
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes.length === 0 ? bytes.length : sizes[turn % sizes.length]!;
    target.push(bytes.subarray(at, at + size));
    at += size;
  }
  const written = target.end();
  return { text: Buffer.concat(pieces).toString(), written };
}

/** Code and message of the refusal; null: it is written. */
export function refusalOf(pack: Pack, document: unknown, options: Options = {}): readonly [code: string, message: string] | null {
  try {
    writeDocument(pack, document, options);
    return null;
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    return [error.code, error.message];
  }
}
