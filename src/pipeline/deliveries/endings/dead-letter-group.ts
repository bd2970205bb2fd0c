/**
 * What dead letters have in common that were given up for the same cause: flow, target, code and the shape of the message, from
 * which numbers, ids and whatever was quoted are taken out, so that one cause is one group however many records it met. The
 * status of an HTTP answer is of the cause, not of the record: it stays.
 */
import { hash } from 'node:crypto';

const shapeMax = 300;

/** What a message looks like when it is not about one record in particular. */
export function messageShape(message: string): string {
  return message
    .replaceAll(/"[^"]*"|'[^']*'|`[^`]*`/g, '"…"')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '…')
    .replaceAll(/\b[\p{L}\p{N}_-]*\p{N}[\p{L}\p{N}_-]*/gu, (word, at: number, whole: string) =>
      isHttpStatus(word, whole.slice(0, at)) ? word : '…',
    )
    .replaceAll(/…(?:[.,:/-]…)+/g, '…')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, shapeMax);
}

function isHttpStatus(word: string, before: string): boolean {
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
