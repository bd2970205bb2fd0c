/**
 * The rejections of a chunk as a stored object: NDJSON, one line per finding in record order. No line holds content of a
 * record: where it is and what rule it broke, never what it says.
 */
import type { Finding } from '../engine/chunk.ts';
import { isCanonicalText } from './canonical-json.ts';

/** Of the finding E_POISON: what a record that ended a worker is rejected with. The sender of the file is told so. */
export const poisonMessage = 'it could not be processed';

/** One line, with its line end. */
export function encodeRejection(finding: Finding): string {
  const { record, offset, code, field, rule, message } = finding;
  return `${JSON.stringify({ record, offset, code, field, rule, message })}\n`;
}

/** Null when a line is not what `encodeRejection` makes. */
export function decodeRejection(line: string): Finding | null {
  try {
    const finding = JSON.parse(line) as Finding;
    const { record, offset, code, field, rule, message } = finding;
    const isSound = Number.isSafeInteger(record) && Number.isSafeInteger(offset) && [code, message].every(isCanonicalText);
    return isSound && [field, rule].every((name) => name === null || isCanonicalText(name)) && encodeRejection(finding) === `${line}\n`
      ? finding
      : null;
  } catch {
    return null;
  }
}
