/**
 * What an HTTP answer says about a batch (docs/connectors/http.md). A status decides for the whole; results per record, where the
 * target returns them, decide for each. An answer that can't be understood is unknown, never acknowledged.
 */
import type { DeliveryOutcome, RecordResult } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import type { HttpExchange } from './http-client.ts';

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

function statusOutcome(answer: Answered, nowMs: number): DeliveryOutcome {
  const { status } = answer;
  const message = `the target answered with status ${status}`;
  if (status >= 200 && status < 300) return { kind: 'acked' };
  if (status >= 300 && status < 400) return { kind: 'refused', retryable: false, code: connectorErrors.E_TARGET_REDIRECT, message };
  // A gateway lost the server behind it, which may have done the work.
  if (status === 502 || status === 504) return { kind: 'unknown', code: connectorErrors.E_TARGET_REPLY_LOST, message };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const retryAfterMs = readRetryAfter(answer.headers['retry-after'], nowMs);
    return {
      kind: 'refused',
      retryable: true,
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
      code: connectorErrors.E_TARGET_BUSY,
      message,
    };
  }
  // The credentials are at fault, not the records: a rotated secret is read at the next attempt.
  if (status === 401) return { kind: 'refused', retryable: true, code: connectorErrors.E_TARGET_FORBIDDEN, message };
  return { kind: 'refused', retryable: false, code: connectorErrors.E_TARGET_REFUSED, message };
}

/** Seconds or an HTTP date (RFC 9110, section 10.2.3); null when it is neither. */
export function readRetryAfter(header: string | string[] | undefined, nowMs: number): number | null {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return null;
  const waitMs = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isFinite(waitMs) ? Math.max(0, Math.min(retryAfterMaxMs, waitMs)) : null;
}

/** Completes the outcome of an acknowledged batch with the results in the answer's body, if it holds any. */
export async function withRecordResults(
  answer: Answered,
  batch: { readonly records: number; deliveryKeys(): Promise<readonly string[]> },
): Promise<DeliveryOutcome> {
  const unknown = (message: string): DeliveryOutcome => ({ kind: 'unknown', code: connectorErrors.E_TARGET_ANSWER, message });
  if (answer.body.kind === 'broken') return unknown('the answer ended early');
  if (!isJson(answer.headers['content-type'])) return { kind: 'acked' };
  if (answer.body.kind === 'cut') return unknown('the answer is too long to be read');
  const results = parseResults(answer.body.bytes);
  if (results === undefined) return { kind: 'acked' };
  if (results === null) return unknown('the answer is damaged JSON');
  const positions = await positionsOf(results, batch);
  const perRecord: RecordResult[] = [];
  for (const [at, result] of results.entries()) {
    const index = positions[at];
    const status = statusOf(result);
    if (index === undefined || status === undefined) return unknown('a result of the answer names no record or no known status');
    if (status !== 'acked') perRecord.push({ index, status, code: codeOf(result) });
  }
  perRecord.sort((a, b) => a.index - b.index);
  return perRecord.length === 0 ? { kind: 'acked' } : { kind: 'acked', perRecord };
}

interface Result {
  readonly index?: unknown;
  readonly key?: unknown;
  readonly status?: unknown;
  readonly code?: unknown;
}

function isJson(header: string | string[] | undefined): boolean {
  return typeof header === 'string' && /^application\/(?:json|[a-z0-9.+-]+\+json)\b/i.test(header);
}

/** Undefined: no results in it. Null: no JSON. */
function parseResults(bytes: Buffer): readonly Result[] | undefined | null {
  if (bytes.length === 0) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
  const results = (parsed as { results?: unknown } | null)?.results;
  return Array.isArray(results)
    ? results.map((result) => (typeof result === 'object' && result !== null ? (result as Result) : {}))
    : undefined;
}

async function positionsOf(
  results: readonly Result[],
  batch: { readonly records: number; deliveryKeys(): Promise<readonly string[]> },
): Promise<(number | undefined)[]> {
  const hasKeys = results.some((result) => result.index === undefined && typeof result.key === 'string');
  const byKey = new Map(hasKeys ? (await batch.deliveryKeys()).map((key, index) => [key, index] as const) : []);
  const seen = new Set<number>();
  return results.map((result) => {
    const index = typeof result.index === 'number' ? result.index : byKey.get(String(result.key));
    if (index === undefined || !Number.isInteger(index) || index < 0 || index >= batch.records || seen.has(index)) return undefined;
    seen.add(index);
    return index;
  });
}

function statusOf({ status }: Result): 'acked' | RecordResult['status'] | undefined {
  if (typeof status === 'number') {
    if (status >= 200 && status < 300) return 'acked';
    if (status === 408 || status === 425 || status === 429 || (status >= 500 && status < 600)) return 'retry';
    return status >= 400 && status < 500 ? 'refused' : undefined;
  }
  switch (status) {
    case 'ok':
    case 'acked':
    case 'accepted':
    case 'created':
    case 'duplicate':
      return 'acked';
    case 'refused':
    case 'rejected':
    case 'failed':
    case 'invalid':
      return 'refused';
    case 'retry':
      return 'retry';
    default:
      return undefined;
  }
}

/** The target's own code, when it looks like one: an answer may quote values of the record. */
function codeOf({ code }: Result): string {
  return typeof code === 'string' && /^[A-Z][A-Z_]{1,15}[A-Z0-9_]{0,8}$/.test(code) ? code : connectorErrors.E_TARGET_RECORD;
}
