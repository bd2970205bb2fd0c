/**
 * What the status of an HTTP answer says about a batch, and whether its body may say something of single records
 * (docs/connectors/http.md). An answer that can't be understood is unknown, never acknowledged.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { DeliveryOutcome } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import type { HttpExchange } from './http-exchange.ts';
import { readRecordResults, readResultLines, type SentRecords } from './http-record-results.ts';
import { mayBeStored } from './http-undone.ts';

type Answered = Extract<HttpExchange, { kind: 'answered' }>;

/** No longer than a quarter of an hour, whatever the target asks for. */
const retryAfterMaxMs = 15 * 60_000;

export function outcomeOf(exchange: HttpExchange, nowMs: number): DeliveryOutcome {
  switch (exchange.kind) {
    case 'unsent':
      return { kind: 'refused', retryable: true, code: exchange.code, message: exchange.message };
    case 'lost':
      return { kind: 'unknown', code: exchange.code, message: exchange.message };
    case 'answered':
      return statusOutcome(exchange, nowMs);
  }
}

/**
 * Conflict, to a request under a key that may have been used before: the earlier one may be under way still, or done. Null: another
 * answer. Only without such a request it is about the records.
 */
export function conflictOfRepeat(exchange: HttpExchange, nowMs: number): DeliveryOutcome | null {
  if (exchange.kind !== 'answered' || exchange.status !== 409) return null;
  const retryAfterMs = readRetryAfter(exchange.headers['retry-after'], nowMs);
  return {
    kind: 'unknown',
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
    code: connectorErrors.E_TARGET_UNDECIDED,
    message: 'the target answered with status 409: an earlier request under the same key may be under way, or done',
  };
}

/** Bad Request, Content Too Large, Unprocessable Content (RFC 9110, section 15.5): about what was sent. */
const contentStatuses: readonly number[] = [400, 413, 422];

function statusOutcome(answer: Answered, nowMs: number): DeliveryOutcome {
  const { status } = answer;
  const message = `the target answered with status ${status}`;
  if (status >= 200 && status < 300) return { kind: 'acked' };
  const retryAfterMs = readRetryAfter(answer.headers['retry-after'], nowMs);
  const wait = retryAfterMs === null ? {} : { retryAfterMs };
  // A gateway that lost the server behind it tells of it so.
  const isBehind = status === 502 || status === 504;
  const { E_TARGET_BUSY, E_TARGET_REPLY_LOST } = connectorErrors;
  if (mayBeStored(status)) return { kind: 'unknown', ...wait, code: isBehind ? E_TARGET_REPLY_LOST : E_TARGET_BUSY, message };
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return { kind: 'refused', retryable: true, ...wait, code: E_TARGET_BUSY, message };
  // See Other (RFC 9110, section 15.4.4): what was asked for was done, and something else tells how it went.
  if (status === 303) return { kind: 'unknown', code: connectorErrors.E_TARGET_REDIRECT, message };
  // The address or the credentials are at fault, not the records: both are read again at the next attempt.
  if (status >= 300 && status < 400) return { kind: 'refused', retryable: true, code: connectorErrors.E_TARGET_REDIRECT, message };
  if (status === 401 || status === 403) return { kind: 'refused', retryable: true, code: connectorErrors.E_TARGET_FORBIDDEN, message };
  const mayBeOneRecord = contentStatuses.includes(status);
  return { kind: 'refused', retryable: false, mayBeOneRecord, code: connectorErrors.E_TARGET_REFUSED, message };
}

/** Seconds or an HTTP date (RFC 9110, section 10.2.3); null when it is neither. */
export function readRetryAfter(header: string | string[] | undefined, nowMs: number): number | null {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return null;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? null : Math.max(0, Math.min(retryAfterMaxMs, waitMs));
}

export interface ReadingResults {
  readonly nowMs: number;
  readonly results: 'json' | 'ndjson';
}

/** What the status says, and, where it acknowledges, what the body says of single records. */
export async function outcomeWithResults(exchange: HttpExchange, sent: SentRecords, reading: ReadingResults): Promise<DeliveryOutcome> {
  const outcome = outcomeOf(exchange, reading.nowMs);
  if (outcome.kind !== 'acked' || exchange.kind !== 'answered') return outcome;
  try {
    return await (reading.results === 'ndjson' ? withResultLines(exchange, sent) : withRecordResults(exchange, sent));
  } catch (error) {
    // The keys that the answer names can't be read: what it says of them is not known.
    if (!(error instanceof HeadgateError)) throw error;
    return { kind: 'unknown', code: error.code, message: error.message };
  }
}

/** A line for each record, which alone says that it was taken; those whose line did not come are unknown, whatever the others are. */
async function withResultLines(answer: Answered, sent: SentRecords): Promise<DeliveryOutcome> {
  const { body } = answer;
  if (isEncoded(answer)) return notUnderstood('the answer has a content coding, which was not asked for');
  const results = await readResultLines(body.bytes, sent, body.kind === 'whole');
  if (typeof results === 'string') return notUnderstood(results);
  const missing = results.filter(({ status, code }) => status === 'unknown' && code === connectorErrors.E_TARGET_ANSWER);
  if (missing.length === sent.records) return notUnderstood('the answer has no line of any record');
  return results.length === 0 ? { kind: 'acked' } : { kind: 'acked', perRecord: results };
}

/** Completes the outcome of acknowledged records with the results in the answer's body, if it holds any. */
export async function withRecordResults(answer: Answered, sent: SentRecords): Promise<DeliveryOutcome> {
  switch (answer.body.kind) {
    case 'broken':
      return notUnderstood('the answer ended early');
    case 'cut':
      return notUnderstood('the answer is too long to be read');
    case 'whole': {
      const { bytes } = answer.body;
      if (bytes.length > 0 && isEncoded(answer)) return notUnderstood('the answer has a content coding, which was not asked for');
      const results = mayHoldResults(answer, bytes) ? await readRecordResults(bytes, sent) : null;
      if (typeof results === 'string') return notUnderstood(results);
      // Its meaning is that records fared differently (RFC 4918, section 13).
      if (results === null && answer.status === 207) return notUnderstood('an answer of several statuses has no results');
      return results === null || results.length === 0 ? { kind: 'acked' } : { kind: 'acked', perRecord: results };
    }
  }
}

function notUnderstood(message: string): DeliveryOutcome {
  return { kind: 'unknown', code: connectorErrors.E_TARGET_ANSWER, message };
}

function isEncoded({ headers }: Answered): boolean {
  return headerList(headers['content-encoding']).some((coding) => !/^\s*(?:identity)?\s*$/i.test(coding));
}

/** JSON by one of its content types, or by its first character: services send JSON under the type of a page, or of nothing. */
function mayHoldResults({ status, headers }: Answered, bytes: Buffer): boolean {
  const types = headerList(headers['content-type']);
  if (bytes.length > 0) return types.some(isJson) || (types.length === 0 ? /^\s*[{[]/ : /^\s*\{/).test(bytes.toString('utf8'));
  // Without a length, the end of a body that was cut before its first byte looks like the end of an empty one.
  const isComplete = status === 204 || status === 205 || [headers['content-length'], headers['transfer-encoding']].some(isPresent);
  return !isComplete && types.some(isJson);
}

/** The values of a header, which may be there several times. */
function headerList(header: string | string[] | undefined): string[] {
  return [header ?? []].flat().flatMap((text) => text.split(','));
}

function isPresent(header: string | string[] | undefined): boolean {
  return header !== undefined;
}

function isJson(type: string): boolean {
  return /^\s*(?:application|text)\/(?:json|[a-z0-9.+-]+\+json)\b/i.test(type);
}
