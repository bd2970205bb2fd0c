/** What a batch becomes where a target holds files: the bytes of one file, the same for every attempt. */
import { createHash } from 'node:crypto';
import type { OutgoingBatch } from '../connector.ts';

export interface OutputFile {
  readonly sizeBytes: number;
  /** Each is only valid until the next is asked for. */
  pieces(): Iterable<Uint8Array>;
  /** 64 lower-case hex digits. */
  sha256(): string;
}

export function outputFileOf({ body }: OutgoingBatch): OutputFile {
  function* pieces(): Generator<Uint8Array> {
    if (body.preamble.length > 0) yield body.preamble;
    yield* body.pieces({ isReused: true });
  }
  return {
    sizeBytes: body.preamble.length + body.sizeBytes,
    pieces,
    sha256() {
      if (body.preamble.length === 0) return body.sha256;
      const digest = createHash('sha256');
      for (const piece of pieces()) digest.update(piece);
      return digest.digest('hex');
    },
  };
}

/** Of the attempt, beside the file's own name: hidden, and known by its batch. */
export function temporaryName({ batchId, attempt }: Pick<OutgoingBatch, 'batchId' | 'attempt'>): string {
  return `${temporaryPrefix(batchId)}${attempt}`;
}

export function temporaryPrefix(batchId: string): string {
  return `.headgate-${batchId}-`;
}
