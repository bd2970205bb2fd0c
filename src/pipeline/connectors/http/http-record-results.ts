/**
 * The results per record in the body of an HTTP answer (docs/connectors/http.md): `{"results": [{"index": 0, "status": 422}]}`.
 * Whoever reads them believes that all other records were taken, so that everything about them must be exactly as documented:
 * strict JSON, no key twice, every result of one record and with a known status.
 */
import { JsonProblem, type JsonValue, readJsonDocument } from '../../engine/reference/json-document.ts';
import type { RecordResult } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { mayBeStored } from './http-undone.ts';

/** What the request held. */
export interface SentRecords {
  readonly records: number;
  /** By which a result may name a record: one per record, in order. */
  deliveryKeys(): Promise<readonly string[]>;
}

type Members = ReadonlyMap<string, JsonValue>;

const limits = { depthMax: 64, allowNul: true };

/** Of the records that were not taken, in order. Null: the body has no results. A text says why it can't be understood, without quoting it. */
export async function readRecordResults(bytes: Uint8Array, sent: SentRecords): Promise<RecordResult[] | string | null> {
  const body = parse(bytes);
  if (body === null) return 'the answer is damaged JSON';
  if (body.kind !== 'object') return 'the answer is JSON but no object';
  const list = body.members.get('results');
  if (list === undefined) return null;
  if (list.kind !== 'array') return 'the results of the answer are no list';
  const results: Members[] = [];
  for (const item of list.items) {
    if (item.kind !== 'object') return 'a result of the answer is no object';
    results.push(item.members);
  }
  const read = await readResults(results, sent);
  return typeof read === 'string' ? read : read.perRecord;
}

/**
 * Of an answer with a line for each record, in order: those that were not taken, and those without a line as unknown. `isWhole`
 * false: it ended early, and what stands behind the last line end says nothing.
 */
export async function readResultLines(bytes: Uint8Array, sent: SentRecords, isWhole: boolean): Promise<RecordResult[] | string> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const results: Members[] = [];
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf(0x0a, start);
    if (found < 0 && !isWhole) break;
    const end = found < 0 ? text.length : found;
    const line = text.subarray(start, end);
    start = end + 1;
    if (line.every(isBlank)) continue;
    if (results.length === sent.records) return 'the answer has more lines than records were sent';
    const result = parse(line);
    if (result?.kind !== 'object') return 'a line of the answer is no JSON object';
    results.push(result.members);
  }
  const read = await readResults(results, sent);
  if (typeof read === 'string') return read;
  const missing: RecordResult[] = [];
  for (let index = 0; index < sent.records; index++) {
    if (!read.seen.has(index)) missing.push({ index, status: 'unknown', code: connectorErrors.E_TARGET_ANSWER });
  }
  return [...read.perRecord, ...missing].sort((a, b) => a.index - b.index);
}

const isBlank = (byte: number) => byte === 0x20 || byte === 0x09 || byte === 0x0d;

async function readResults(
  results: readonly Members[],
  sent: SentRecords,
): Promise<{ readonly perRecord: RecordResult[]; readonly seen: ReadonlySet<number> } | string> {
  const hasKeys = results.some((result) => result.has('key'));
  const byKey = new Map(hasKeys ? (await sent.deliveryKeys()).map((key, index) => [key, index] as const) : []);
  const seen = new Set<number>();
  const perRecord: RecordResult[] = [];
  for (const result of results) {
    const index = indexOf(result, sent.records, byKey);
    if (index === null || seen.has(index)) return 'a result of the answer names no record, or one that has its result';
    seen.add(index);
    const status = statusOf(result.get('status'));
    if (status === null) return 'a result of the answer has no known status';
    if (status !== 'acked') perRecord.push({ index, status, code: codeOf(result.get('code')), ...messageOf(result.get('status')) });
  }
  return { perRecord: perRecord.sort((a, b) => a.index - b.index), seen };
}

function parse(bytes: Uint8Array): JsonValue | null {
  try {
    return readJsonDocument(new TextDecoder('utf-8', { fatal: true }).decode(bytes), limits);
  } catch (error) {
    // Not UTF-8, or no JSON.
    if (error instanceof TypeError || error instanceof JsonProblem) return null;
    throw error;
  }
}

/** By `index`, `key` or both, when they agree. */
function indexOf(result: Members, records: number, byKey: ReadonlyMap<string, number>): number | null {
  const index = result.get('index');
  const key = result.get('key');
  const byIndex = index?.kind === 'number' && /^[0-9]{1,9}$/.test(index.text) ? Number(index.text) : null;
  const position = key?.kind === 'string' ? (byKey.get(key.value) ?? null) : null;
  if (index === undefined) return position;
  if (byIndex === null || byIndex >= records) return null;
  return key === undefined || position === byIndex ? byIndex : null;
}

function statusOf(status: JsonValue | undefined): 'acked' | RecordResult['status'] | null {
  if (status?.kind === 'number') return /^[2-5][0-9][0-9]$/.test(status.text) ? httpStatusOf(Number(status.text)) : null;
  if (status?.kind !== 'string') return null;
  switch (status.value) {
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
      return null;
  }
}

/** A known status only: numbers say more than what follows from them. */
function messageOf(status: JsonValue | undefined): { readonly message?: string } {
  return status?.kind === 'number' ? { message: `the target answered for the record with status ${status.text}` } : {};
}

/** As of a whole answer, but that 401 and 403 say nothing of the connection here. */
function httpStatusOf(status: number): 'acked' | RecordResult['status'] | null {
  if (status < 300) return 'acked';
  if (status < 400) return null;
  if (mayBeStored(status)) return 'unknown';
  return status === 408 || status === 425 || status === 429 || status >= 500 ? 'retry' : 'refused';
}

/** The target's own code, when it looks like one: an answer may quote values of the record. Ours stay ours: some hold a batch. */
function codeOf(code: JsonValue | undefined): string {
  const looksLikeOne = code?.kind === 'string' && /^[A-Z][A-Z_]{1,15}[A-Z0-9_]{0,8}$/.test(code.value);
  return looksLikeOne && !Object.hasOwn(connectorErrors, code.value) ? code.value : connectorErrors.E_TARGET_RECORD;
}
