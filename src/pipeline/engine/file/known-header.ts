/**
 * The header record that records are judged by: one that the file begins with. One that comes later is told as damage, and
 * counts for no record, since chunks that run beside each other could not all know of it.
 */
import type { ChunkSummary, EnvelopeRecord } from '../chunk.ts';
import { fileErrors } from '../engine-errors.ts';

/** Of the chunks so far: null where the file begins with something else, undefined where nothing came yet but comments and blank lines. */
export function knownHeader({
  header,
  trailer,
  records,
  damage,
}: Pick<ChunkSummary, 'header' | 'trailer' | 'records' | 'damage'>): EnvelopeRecord | null | undefined {
  if (header === null) return records.read > 0 || trailer !== null ? null : undefined;
  const isLate = damage.some(({ code, offset }) => code === fileErrors.E_ENVELOPE && offset === header.offset);
  return isLate ? null : header;
}
