/**
 * Asks the service what became of a request whose answer was lost, by its Idempotency-Key: it has it, it has nothing of it, or it
 * does not say (docs/connectors/http.md). What is not said exactly as the flow describes decides nothing.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { JsonProblem, type JsonValue, readJsonDocument } from '../../engine/reference/json-document.ts';
import type { EgressPolicy, Resolution } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { outcomeWithResults } from './http-answer.ts';
import type { HttpExchange } from './http-exchange.ts';
import type { SentRecords } from './http-record-results.ts';
import type { LoggedIn } from './http-service.ts';
import { targetUrl } from './http-url.ts';

export interface StatusSettings {
  /** Below the origin; with {key} and {batchId} as they are written. */
  readonly path: string;
  /** Statuses that say that it has nothing of it. */
  readonly absentStatus: readonly number[];
  /** Path of the member whose value decides, its parts; null: any 2xx says that it has it. */
  readonly field: readonly string[] | null;
  readonly acked: readonly string[];
  readonly absent: readonly string[];
}

export type StatusAnswer =
  | { readonly kind: 'acked'; readonly exchange: Extract<HttpExchange, { kind: 'answered' }> }
  | { readonly kind: 'absent' }
  | { readonly kind: 'undecided'; readonly code: string; readonly message: string };

interface StatusContext {
  readonly baseUrl: string;
  readonly egress: EgressPolicy;
  readonly isSingle: boolean;
}

/** Fails with E_TARGET when it can't work. */
export function readStatusSettings(given: Readonly<Record<string, unknown>>, { baseUrl, egress, isSingle }: StatusContext): StatusSettings {
  const path = given['path'];
  const names = typeof path === 'string' ? [...path.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1]) : [];
  const isNamed = isSingle ? names.includes('key') : names.some((name) => name === 'key' || name === 'batchId');
  if (typeof path !== 'string' || !isNamed) {
    throw new HeadgateError(
      connectorErrors.E_TARGET,
      'the path of the status query names neither what is asked for by {key} nor by {batchId}',
    );
  }
  const [place = '', query] = path.split('?', 2);
  if (query !== undefined && !/^[A-Za-z0-9._~!$&'()*+,;=:@/{}%-]*$/.test(query)) {
    throw new HeadgateError(connectorErrors.E_TARGET, 'the query of the status query holds characters that none can hold');
  }
  // With letters in place of what is asked for: braces have no place in an address.
  targetUrl(baseUrl, place.replaceAll(/\{[^{}]*\}/g, 'x'), egress);
  const prefix = new URL(baseUrl).pathname.replace(/\/$/, '');
  const list = (name: string) => (Array.isArray(given[name]) ? (given[name] as unknown[]) : []);
  const [absentStatus, acked, absent] = [list('absentStatus').map(Number), list('acked').map(String), list('absent').map(String)];
  if (absentStatus.length === 0 && absent.length === 0) {
    throw new HeadgateError(
      connectorErrors.E_TARGET,
      'the status query has nothing that says that the service has nothing of it: absentStatus or absent',
    );
  }
  return {
    path: prefix + place + (query === undefined ? '' : `?${query}`),
    absentStatus,
    field: typeof given['field'] === 'string' ? given['field'].split('.') : null,
    acked,
    absent,
  };
}

export interface StatusQuestion {
  readonly key: string;
  readonly batchId: string;
}

export async function askStatus(
  settings: StatusSettings,
  login: LoggedIn,
  question: StatusQuestion,
  signal: AbortSignal,
): Promise<StatusAnswer> {
  const path = pathOf(settings.path, question);
  if (path === null) return undecided(connectorErrors.E_TARGET_ANSWER, 'the key can not be part of an address');
  const headers = { accept: 'application/json', 'accept-encoding': 'identity', 'headgate-batch-id': question.batchId };
  return answerOf(settings, await login.send({ method: 'GET', path, headers }, signal));
}

/** Of a batch that was one request. */
export async function resolutionOf(answer: StatusAnswer, batch: SentRecords, nowMs: number): Promise<Resolution> {
  switch (answer.kind) {
    case 'absent':
      return { kind: 'resendable', absent: 'batch', evidence: 'the service was asked, and has nothing of the batch' };
    case 'undecided':
      return { kind: 'unresolved', code: answer.code, mustWait: true };
    case 'acked': {
      const outcome = await outcomeWithResults(answer.exchange, batch, { nowMs, results: 'json' });
      if (outcome.kind === 'acked' && outcome.perRecord === undefined) {
        return { kind: 'acked', evidence: 'the service was asked, and has the batch' };
      }
      // It did not take all: which records it refused is told by its answer to the same request, if it repeats that.
      return { kind: 'unresolved', code: connectorErrors.E_TARGET_ANSWER };
    }
  }
}

/** Null: a value that would lead to another path, however it is written. */
function pathOf(template: string, values: StatusQuestion): string | null {
  const used = [...template.matchAll(/\{(key|batchId)\}/g)].map((match) => values[match[1] as keyof StatusQuestion]);
  if (used.some((value) => /^\.{1,2}$/.test(value))) return null;
  return template.replaceAll(/\{(key|batchId)\}/g, (_, name: keyof StatusQuestion) => encodeURIComponent(values[name]));
}

function answerOf(settings: StatusSettings, exchange: HttpExchange): StatusAnswer {
  if (exchange.kind !== 'answered') return undecided(exchange.code, `asked what became of it: ${exchange.message}`);
  const { status, body } = exchange;
  if (settings.absentStatus.includes(status)) return { kind: 'absent' };
  const said = `asked what became of it, the target answered with status ${status}`;
  if (status === 401 || status === 403) return undecided(connectorErrors.E_TARGET_FORBIDDEN, said);
  if (status < 200 || status >= 300) return undecided(connectorErrors.E_TARGET_BUSY, said);
  if (body.kind !== 'whole') return undecided(connectorErrors.E_TARGET_ANSWER, 'asked what became of it, the target gave half an answer');
  if (settings.field === null) return { kind: 'acked', exchange };
  const value = valueAt(body.bytes, settings.field);
  if (value !== null && settings.acked.includes(value)) return { kind: 'acked', exchange };
  if (value !== null && settings.absent.includes(value)) return { kind: 'absent' };
  return undecided(connectorErrors.E_TARGET_UNDECIDED, 'the target does not say yet what became of it');
}

function undecided(code: string, message: string): StatusAnswer {
  return { kind: 'undecided', code, message };
}

/** Text, number or boolean as its text; null when there is none. */
function valueAt(bytes: Uint8Array, field: readonly string[]): string | null {
  let value: JsonValue | undefined;
  try {
    value = readJsonDocument(new TextDecoder('utf-8', { fatal: true }).decode(bytes), { depthMax: 64, allowNul: true });
  } catch (error) {
    // Not UTF-8, or no JSON.
    if (error instanceof TypeError || error instanceof JsonProblem) return null;
    throw error;
  }
  for (const part of field) value = value?.kind === 'object' ? value.members.get(part) : undefined;
  switch (value?.kind) {
    case 'string':
      return value.value;
    case 'number':
      return value.text;
    case 'boolean':
      return String(value.value);
    default:
      return null;
  }
}
