/** How the verifier reads an export, wherever it lies, and the hashes of everything in it. */
import { createHash } from 'node:crypto';
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import type { ClosableSource } from '../export/export-entries.ts';

export interface ExportReader {
  /** Every file, the manifest included. */
  names(): readonly string[];
  open(name: string): ClosableSource;
}

export interface FileFacts {
  readonly bytes: number;
  readonly sha256: string;
}

const pieceBytes = 256 * 1024;

/** In constant memory. */
export function hashFiles(reader: ExportReader): Map<string, FileFacts> {
  return new Map(
    reader.names().map((name) => {
      const source = reader.open(name);
      try {
        return [name, { bytes: source.size, sha256: hashRange(source, 0, source.size) }] as const;
      } finally {
        source.close();
      }
    }),
  );
}

function hashRange(source: ByteSource, start: number, end: number): string {
  const hash = createHash('sha256');
  for (const piece of readPieces(source, start, end)) hash.update(piece);
  return hash.digest('hex');
}

/** Each piece is valid until the next one is asked for. */
export function* readPieces(source: ByteSource, start: number, end: number): Generator<Uint8Array> {
  const buffer = Buffer.alloc(Math.min(pieceBytes, Math.max(0, end - start)));
  for (let position = start; position < end; ) {
    const count = source.read(buffer, 0, Math.min(buffer.length, end - position), position);
    if (count === 0) return;
    yield buffer.subarray(0, count);
    position += count;
  }
}

/** For files that are small by nature: per chunk, or per job and record left out. */
export function readWhole(reader: ExportReader, name: string): Buffer {
  const source = reader.open(name);
  try {
    return Buffer.concat(Array.from(readPieces(source, 0, source.size), (piece) => Buffer.from(piece)));
  } finally {
    source.close();
  }
}

/** Lines without their ends; a last line that has none is given as it is, and marked. */
export function* readLines(bytes: Buffer): Generator<{ readonly line: string; readonly isWhole: boolean }> {
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at);
    yield { line: bytes.toString('utf8', at, end < 0 ? bytes.length : end), isWhole: end >= 0 };
    at = end < 0 ? bytes.length : end + 1;
  }
}
