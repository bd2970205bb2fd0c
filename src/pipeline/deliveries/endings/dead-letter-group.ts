/**
 * What dead letters have in common that were given up for the same cause: flow, target, code and the shape of the message, from
 * which numbers, ids and whatever was quoted are taken out, so that one cause is one group however many records it met. The
 * status of an HTTP answer and the number of a database's error are of the cause, not of the record: they stay.
 */
import { hash } from 'node:crypto';

const shapeMax = 300;

/** What a message looks like when it is not about one record in particular. */
export function messageShape(message: string): string {
  return message
    .replaceAll(/"[^"]*"|'[^']*'|`[^`]*`/g, '"…"')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '…')
    .replaceAll(/\b[\p{L}\p{N}_-]*\p{N}[\p{L}\p{N}_-]*/gu, (word, at: number, whole: string) =>
      isOfCause(word, whole.slice(0, at)) ? word : '…',
    )
    .replaceAll(/…(?:[.,:/-]…)+/g, '…')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, shapeMax);
}

function isOfCause(word: string, before: string): boolean {
  if (/\bSQLSTATE $/.test(before)) return /^[0-9A-Z]{5}$/.test(word);
  if (/\bthe server (?:answered|warned) with error $/.test(before)) return /^\d{4}$/.test(word);
  return /^[1-5]\d\d$/.test(word) && /\b(?:HTTP(?:\/\d(?:\.\d)?)?|status)(?: code)?:? $/i.test(before);
}

/** 32 hex digits, the same for all letters of a group. */
export function deadLetterGroupId(of: {
  readonly flowId: string;
  readonly targetId: string;
  readonly code: string;
  readonly shape: string;
}): string {
  return hash('sha256', JSON.stringify(['dead letter group 1', of.flowId, of.targetId, of.code, of.shape]), 'hex').slice(0, 32);
}
