/**
 * Delivers a batch as one request for each record: several at the same time, each with a key of its own, in the order that the
 * flow keeps. Where the service can be asked and may have had the batch before, each record is asked for before it is sent.
 */
import { createHash } from 'node:crypto';
import { readJsonDocument } from '../../engine/reference/json-document.ts';
import type { DeliveryOutcome, RecordResult, Resolution } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { createKeyOrder } from '../key-order.ts';
import { conflictOfRepeat, outcomeWithResults } from './http-answer.ts';
import { type HttpDelivery, unsentOutcome } from './http-delivery.ts';
import { askStatus, type StatusAnswer } from './http-status.ts';

const heldBack: DeliveryOutcome = {
  kind: 'refused',
  retryable: true,
  code: connectorErrors.E_TARGET_ORDER,
  message: 'an earlier record of the same key was refused',
};

/** Stops sending at the first record that fails for a reason that may pass: those behind it are to be sent again with it. */
export async function deliverRecords(delivery: HttpDelivery): Promise<DeliveryOutcome> {
  const { settings, batch } = delivery;
  const keys = await batch.deliveryKeys();
  const order = await createKeyOrder(batch);
  const outcomes: (DeliveryOutcome | undefined)[] = [];
  const lines = batch.body.lines()[Symbol.iterator]();
  let next = 0;
  let isStopped = false;
  const sendNext = async () => {
    while (!isStopped) {
      const line = nextLine(lines);
      if (line.done) return;
      const index = next++;
      if ('refused' in line) {
        outcomes[index] = line.refused;
        isStopped = true;
        return;
      }
      if (order.isHeldBack(index)) {
        outcomes[index] = heldBack;
        continue;
      }
      const json = Buffer.from(line.value.subarray(0, -1));
      const outcome = await deliverOne(delivery, json, keyOf(delivery, json, keys[index]!));
      outcomes[index] = outcome;
      if (isOfRecord(outcome)) order.refuse(index);
      else if (outcome.kind !== 'acked') isStopped = true;
    }
  };
  await Promise.all(Array.from({ length: settings.requestsInFlight }, sendNext));
  return joinOutcomes(outcomes, batch.records);
}

/** The service answers, and says something of that record alone: it is refused, or nobody knows yet. */
function isOfRecord(outcome: DeliveryOutcome): boolean {
  return outcome.kind === 'unknown'
    ? outcome.code === connectorErrors.E_TARGET_UNDECIDED
    : outcome.kind === 'refused' && !outcome.retryable;
}

function keyOf({ settings }: HttpDelivery, json: Buffer, deliveryKey: string): string {
  return settings.idempotencyField === null ? deliveryKey : (fieldText(json, settings.idempotencyField) ?? deliveryKey);
}

async function deliverOne(delivery: HttpDelivery, json: Buffer, key: string): Promise<DeliveryOutcome> {
  const { settings, options, batch, login, headers, signal } = delivery;
  const known = settings.status !== null && batch.possibleDuplicate ? await askForOne(delivery, key) : null;
  if (known !== null && known.kind !== 'absent') return known.kind === 'undecided' ? { ...known, kind: 'unknown' } : known.outcome;
  const exchange = await login.send(
    {
      method: settings.method,
      path: settings.url.pathname,
      headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': key },
      body: { sizeBytes: json.length, pieces: () => [json], assertOurs: () => batch.assertOurs() },
      bodySha256: () => createHash('sha256').update(json).digest('hex'),
    },
    signal,
  );
  const nowMs = options.ports.clock.nowMs();
  const conflict = batch.possibleDuplicate ? conflictOfRepeat(exchange, nowMs) : null;
  if (conflict !== null) return conflict;
  return outcomeOfOne(await outcomeWithResults(exchange, { records: 1, deliveryKeys: async () => [key] }, { nowMs, results: 'json' }));
}

type KnownRecord = Exclude<StatusAnswer, { kind: 'acked' }> | { readonly kind: 'taken'; readonly outcome: DeliveryOutcome };

/** What the answer says of the record counts as it would have in the one that was lost. */
async function askForOne({ settings, options, batch, login, signal }: HttpDelivery, key: string): Promise<KnownRecord> {
  const answer = await askStatus(settings.status!, login, { key, batchId: batch.batchId }, signal);
  if (answer.kind !== 'acked') return answer;
  const nowMs = options.ports.clock.nowMs();
  const sent = { records: 1, deliveryKeys: async () => [key] };
  return { kind: 'taken', outcome: outcomeOfOne(await outcomeWithResults(answer.exchange, sent, { nowMs, results: 'json' })) };
}

/** All of it is there, or those that are not can be told from the others when it is sent again. */
export async function resolveRecords(delivery: HttpDelivery): Promise<Resolution> {
  const { settings, batch } = delivery;
  const keys = await batch.deliveryKeys();
  const lines = batch.body.lines()[Symbol.iterator]();
  let next = 0;
  let taken = 0;
  let isUnclear = false;
  let undecided: string | null = null;
  const askNext = async () => {
    while (undecided === null) {
      const line = nextLine(lines);
      if (line.done) return;
      if ('refused' in line) {
        undecided ??= line.refused.code;
        return;
      }
      const json = Buffer.from(line.value.subarray(0, -1));
      const known = await askForOne(delivery, keyOf(delivery, json, keys[next++]!));
      if (known.kind === 'undecided') undecided ??= known.code;
      if (known.kind !== 'taken') continue;
      if (known.outcome.kind === 'acked') taken += 1;
      // It has something of it, and doesn't say what became of it.
      else if (known.outcome.kind === 'unknown') isUnclear = true;
    }
  };
  await Promise.all(Array.from({ length: settings.requestsInFlight }, askNext));
  if (undecided !== null) return { kind: 'unresolved', code: undecided, mustWait: true };
  if (taken === batch.records) return { kind: 'acked', evidence: `the service was asked, and has all ${taken} records` };
  const evidence = `the service was asked, and has ${taken} of ${batch.records} records; those are not sent again`;
  return { kind: 'resendable', ...(taken === 0 && !isUnclear && { absent: 'records' as const }), evidence };
}

/** The outcome of a request for one record: what the answer says of the record is what it says of all. */
function outcomeOfOne(outcome: DeliveryOutcome): DeliveryOutcome {
  const result = outcome.kind === 'acked' ? outcome.perRecord?.[0] : undefined;
  // No other record is to blame.
  if (outcome.kind === 'refused') return { ...outcome, mayBeOneRecord: false };
  if (result === undefined) return outcome;
  const { status, code, message = 'the answer says so of the record' } = result;
  return status === 'unknown' ? { kind: 'unknown', code, message } : { kind: 'refused', retryable: status === 'retry', code, message };
}

/** The next record, or why there is none although there should be: the lease is no longer certain. */
function nextLine(
  lines: Iterator<Uint8Array>,
): IteratorResult<Uint8Array> | { readonly done: false; readonly refused: Extract<DeliveryOutcome, { kind: 'refused' }> } {
  try {
    return lines.next();
  } catch (error) {
    return { done: false, refused: unsentOutcome(error) };
  }
}

/** One outcome for the batch: that of its records where they agree. */
function joinOutcomes(outcomes: readonly (DeliveryOutcome | undefined)[], records: number): DeliveryOutcome {
  const failed = outcomes.find(
    (outcome) => outcome !== undefined && outcome.kind !== 'acked' && (outcome.kind === 'unknown' || outcome.retryable),
  );
  const perRecord: RecordResult[] = [];
  for (let index = 0; index < records; index++) {
    const outcome = outcomes[index];
    if (outcome?.kind === 'acked') continue;
    if (outcome === undefined) perRecord.push({ index, status: 'retry', ...reasonOf(failed) });
    else if (outcome.kind === 'unknown') perRecord.push({ index, status: 'unknown', ...reasonOf(outcome) });
    else perRecord.push({ index, status: outcome.retryable ? 'retry' : 'refused', ...reasonOf(outcome) });
  }
  if (perRecord.length === 0) return { kind: 'acked' };
  const [first] = perRecord;
  // Those refused for good keep their own codes; what is sent again gets another answer.
  const isLike = ({ status, code }: RecordResult) => status === first!.status && (status !== 'refused' || code === first!.code);
  const isSame = perRecord.length === records && perRecord.every(isLike);
  return isSame ? (failed ?? outcomes[0]!) : { kind: 'acked', perRecord, ...longestWait(outcomes) };
}

/** What single answers asked for. */
function longestWait(outcomes: readonly (DeliveryOutcome | undefined)[]): { readonly retryAfterMs?: number } {
  const retryAfterMs = Math.max(0, ...outcomes.map((outcome) => outcome?.retryAfterMs ?? 0));
  return retryAfterMs === 0 ? {} : { retryAfterMs };
}

function reasonOf(outcome: DeliveryOutcome | undefined): Pick<RecordResult, 'code' | 'message'> {
  return outcome === undefined || outcome.kind === 'acked' ? { code: '' } : { code: outcome.code, message: outcome.message };
}

/** A value of the record as its exact text (no number is read as one), when it can be a header; else null. */
function fieldText(json: Buffer, field: string): string | null {
  const record = readJsonDocument(json.toString('utf8'), { depthMax: 64, allowNul: true });
  const value = record.kind === 'object' ? record.members.get(field) : undefined;
  const text = value?.kind === 'number' ? value.text : value?.kind === 'string' || value?.kind === 'boolean' ? String(value.value) : '';
  return /^[\x21-\x7e]{1,200}$/.test(text) ? text : null;
}
