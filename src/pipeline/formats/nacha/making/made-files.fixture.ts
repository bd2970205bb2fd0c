/** Makes files of files, for tests. */
import type { PackWritten } from '../../pack.ts';
import { nachaPack } from '../nacha-pack.ts';

export interface NamedBytes {
  readonly name: string;
  readonly bytes: Buffer;
}

interface Making {
  readonly maker: string;
  readonly files: readonly NamedBytes[];
  readonly settings?: Readonly<Record<string, string | boolean | number>>;
  readonly document?: unknown;
  /** Bytes of each piece. */
  readonly size?: number;
}

export interface MadeAch {
  readonly files: readonly Buffer[];
  readonly written: readonly PackWritten[];
}

export function makeAch({ maker, files, settings = {}, document, size = Number.POSITIVE_INFINITY }: Making): MadeAch {
  const made: Buffer[][] = [];
  const making = nachaPack.makers![maker]!.createMaking(new Map(Object.entries(settings)), {
    begin() {
      const pieces: Buffer[] = [];
      made.push(pieces);
      return { bytes: (piece) => void pieces.push(Buffer.from(piece)) };
    },
  });
  if (document !== undefined) making.pushDocument(Buffer.from(JSON.stringify(document)));
  for (const { name, bytes } of files) {
    making.beginFile(name);
    for (let at = 0; at < bytes.length; at += size) {
      const piece = Uint8Array.from(bytes.subarray(at, Math.min(bytes.length, at + size)));
      making.push(piece);
      piece.fill(0);
    }
    making.endFile();
  }
  const written = making.end();
  return { files: made.map((pieces) => Buffer.concat(pieces)), written };
}
