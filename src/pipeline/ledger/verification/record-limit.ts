/**
 * The longest record that was allowed. It is a tenant's policy, which no export holds, and matters only where a record was
 * longer: then the receipt gives it in the reason for which it held the file, and it is taken from there and noted.
 */
import type { Receipt } from '../receipt.ts';

/** What a policy can allow. */
const [bytesMin, bytesMax] = [1_024, 16 * 1024 * 1024];
const texts = /^(?:a record is longer than|a quote is not closed within) ([1-9][0-9]{0,14}) bytes$/;

/** In bytes; null when the receipt says of no record that it was too long, or gives a limit that no policy has. */
export function statedRecordBytesMax({ reasons }: Pick<Receipt, 'reasons'>): number | null {
  const limits = reasons
    .filter(({ code }) => code === 'E_RECORD_TOO_LONG' || code === 'E_QUOTE_OPEN')
    .map(({ message }) => Number(texts.exec(message)?.[1]));
  return limits.find((limit) => limit >= bytesMin && limit <= bytesMax) ?? null;
}
