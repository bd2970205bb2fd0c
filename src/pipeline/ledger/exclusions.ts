/**
 * The exclusions of a job: records left out by a verdict on the file as a whole, after their outputs were made (a key that
 * occurs twice, …). NDJSON, one line per record in ascending order; applied when batches are cut.
 */
import { isCanonicalText } from './canonical-json.ts';

export interface Exclusion {
  readonly record: number;
  /** `E_DUPLICATE_KEY`, or an author's code. */
  readonly code: string;
}

/** One sequence of bytes for one set. A record is excluded once; of several codes the first given stays. */
export function encodeExclusions(exclusions: readonly Exclusion[]): Uint8Array {
  const byRecord = new Map<number, string>();
  for (const { record, code } of exclusions) if (!byRecord.has(record)) byRecord.set(record, code);
  const lines = [...byRecord].sort(([a], [b]) => a - b).map(([record, code]) => `${JSON.stringify({ record, code })}\n`);
  return Buffer.from(lines.join(''));
}

/** Null when the bytes are not what `encodeExclusions` makes. */
export function decodeExclusions(bytes: Uint8Array): Exclusion[] | null {
  try {
    const lines = Buffer.from(bytes).toString('utf8').split('\n');
    const exclusions = lines.slice(0, -1).map((line) => JSON.parse(line) as Exclusion);
    const isSound = exclusions.every(({ record, code }) => Number.isSafeInteger(record) && record > 0 && isCanonicalText(code));
    return isSound && Buffer.from(encodeExclusions(exclusions)).equals(bytes) ? exclusions : null;
  } catch {
    return null;
  }
}
