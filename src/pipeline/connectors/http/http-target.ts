/**
 * Sends batches to an HTTP service: a request for a batch, or one for each record. Every request carries a key that stays
 * the same over all attempts, and says so when the service may have seen it before.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Sleep } from '../../../platform/base/ports.ts';
import { readJsonDocument } from '../../engine/reference/json-document.ts';
import { createAddressGuard } from '../address-guard.ts';
import type { DeliveryOutcome, OpenOptions, OutgoingBatch, ProbeResult, RecordResult, Target } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { createKeyOrder } from '../key-order.ts';
import { outcomeOf, withRecordResults } from './http-answer.ts';
import { createHttpClient, type HttpClient, type HttpExchange, type HttpRequest } from './http-client.ts';
import { authHeaders, commonHeaders } from './http-headers.ts';
import type { SentRecords } from './http-record-results.ts';
import { type HttpSettings, readHttpSettings } from './http-settings.ts';

const contentTypes = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
  'fixed-width': 'text/plain; charset=utf-8',
} as const;
/** Single requests have their own timeout each; a batch of them still ends. */
const attemptMaxMs = 10 * 60_000;

/** Fails with E_TARGET and E_SSRF on settings that can't work. */
export function openHttpTarget(options: OpenOptions): Target {
  const settings = readHttpSettings(options);
  const guard = createAddressGuard(options.egress, options.ports.resolveHost);
  let current: { readonly authority: string | null; readonly client: HttpClient } | undefined;

  /** The client of the present certificate authority: a changed one gets connections of its own. */
  function client(): HttpClient {
    const authority = settings.certificateAuthority === null ? null : options.secrets.resolve(settings.certificateAuthority).reveal();
    if (current?.authority !== authority) {
      void current?.client.close();
      const connectionsMax = options.target.concurrency * (settings.mode === 'single' ? settings.requestsInFlight : 1);
      const made = createHttpClient({
        origin: settings.url.origin,
        guard,
        connectionsMax,
        timeoutMs: options.target.timeoutMs,
        certificateAuthority: authority,
      });
      current = { authority, client: made };
    }
    return current!.client;
  }

  async function deliver(batch: OutgoingBatch, signal: AbortSignal): Promise<DeliveryOutcome> {
    let auth: Record<string, string>;
    let sender: HttpClient;
    try {
      auth = authHeaders(settings.auth, options);
      sender = client();
      await assertReadable(batch, options.ports.sleep);
      if (settings.mode === 'single') await batch.deliveryKeys();
    } catch (error) {
      return unsent(error);
    }
    const send = (request: HttpRequest) => sender.send(request, signal);
    const headers = { ...commonHeaders(batch), ...auth };
    const nowMs = () => options.ports.clock.nowMs();
    return settings.mode === 'batch'
      ? await deliverBatch({ settings, options, batch, headers, send, nowMs })
      : await deliverRecords({ settings, options, batch, headers, send, nowMs });
  }

  return {
    unknownResolution: 'labelled-resend',
    attemptTimeoutMs({ records }) {
      const rounds = settings.mode === 'single' ? Math.ceil(records / settings.requestsInFlight) : 1;
      return Math.min(attemptMaxMs, options.target.timeoutMs * rounds);
    },
    deliver,
    async probe(signal) {
      const startMs = options.ports.clock.monotonicMs();
      const result = (code: string | null, message: string): ProbeResult => ({
        isReachable: code === null,
        code,
        message,
        durationMs: options.ports.clock.monotonicMs() - startMs,
      });
      try {
        const request = { method: 'OPTIONS', path: settings.url.pathname, headers: authHeaders(settings.auth, options) };
        const exchange = await client().send(request, signal);
        if (exchange.kind !== 'answered') return result(exchange.code, exchange.message);
        return result(probeCodeOf(exchange.status), `the target answered with status ${exchange.status}`);
      } catch (error) {
        if (!(error instanceof HeadgateError)) throw error;
        return result(error.code, error.message);
      }
    },
    async close() {
      await current?.client.close();
      current = undefined;
    },
  };
}

/** A service may not know OPTIONS; that it answers, and lets the credentials in, is what is asked. */
function probeCodeOf(status: number): string | null {
  if (status === 401 || status === 403) return connectorErrors.E_TARGET_FORBIDDEN;
  if (status === 429 || (status >= 500 && status !== 501)) return connectorErrors.E_TARGET_BUSY;
  return null;
}

/** A few milliseconds of reading. */
const pauseBytes = 4 * 1024 * 1024;

/** Reads it all once, so that a damaged segment is found before half a body is at the target. */
async function assertReadable({ body }: OutgoingBatch, sleep: Sleep): Promise<void> {
  let bytes = 0;
  let sincePause = 0;
  for (const piece of body.pieces({ isReused: true })) {
    bytes += piece.length;
    sincePause += piece.length;
    if (sincePause < pauseBytes) continue;
    sincePause = 0;
    await sleep.sleep(0);
  }
  if (bytes !== body.sizeBytes) throw new Error('a body is not as long as its batch says');
}

interface Delivery {
  readonly settings: HttpSettings;
  readonly options: OpenOptions;
  readonly batch: OutgoingBatch;
  readonly headers: Readonly<Record<string, string>>;
  send(request: HttpRequest): ReturnType<HttpClient['send']>;
  nowMs(): number;
}

async function deliverBatch({ settings, options, batch, headers, send, nowMs }: Delivery): Promise<DeliveryOutcome> {
  const isArray = settings.envelope === 'json-array';
  const { body, records } = batch;
  const { preamble } = body;
  const exchange = await send({
    method: settings.method,
    path: settings.url.pathname,
    headers: {
      ...headers,
      'content-type': isArray ? 'application/json' : contentTypes[options.target.body.format],
      'idempotency-key': batch.batchId,
    },
    // Each line end becomes a comma or the closing bracket.
    body: isArray
      ? { sizeBytes: body.sizeBytes + 1, pieces: () => arrayPieces(body.lines(), records) }
      : { sizeBytes: preamble.length + body.sizeBytes, pieces: () => withPreamble(preamble, body.pieces()) },
  });
  return await outcomeWithResults(exchange, batch, nowMs());
}

/** What the status says, and, where it acknowledges, what the body says of single records. */
async function outcomeWithResults(exchange: HttpExchange, sent: SentRecords, nowMs: number): Promise<DeliveryOutcome> {
  const outcome = outcomeOf(exchange, nowMs);
  if (outcome.kind !== 'acked' || exchange.kind !== 'answered') return outcome;
  try {
    return await withRecordResults(exchange, sent);
  } catch (error) {
    // The keys that the answer names can't be read: what it says of them is not known.
    if (!(error instanceof HeadgateError)) throw error;
    return { kind: 'unknown', code: error.code, message: error.message };
  }
}

function* withPreamble(preamble: Uint8Array, pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  if (preamble.length > 0) yield preamble;
  yield* pieces;
}

const arrayStart = Buffer.from('[');
const arrayComma = Buffer.from(',');
const arrayEnd = Buffer.from(']');

function* arrayPieces(lines: Iterable<Uint8Array>, records: number): Generator<Uint8Array> {
  yield arrayStart;
  let left = records;
  for (const line of lines) {
    yield line.subarray(0, -1);
    yield --left > 0 ? arrayComma : arrayEnd;
  }
}

const heldBack: DeliveryOutcome = {
  kind: 'refused',
  retryable: true,
  code: connectorErrors.E_TARGET_ORDER,
  message: 'an earlier record of the same key was refused',
};

/** Stops sending at the first record that fails for a reason that may pass: those behind it are to be sent again with it. */
async function deliverRecords({ settings, batch, headers, send, nowMs }: Delivery): Promise<DeliveryOutcome> {
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
      const key = settings.idempotencyField === null ? keys[index]! : (fieldText(json, settings.idempotencyField) ?? keys[index]!);
      const exchange = await send({
        method: settings.method,
        path: settings.url.pathname,
        headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': key },
        body: { sizeBytes: json.length, pieces: () => oneOf(batch, json) },
      });
      const outcome = outcomeOfOne(await outcomeWithResults(exchange, { records: 1, deliveryKeys: async () => [key] }, nowMs()));
      outcomes[index] = outcome;
      if (outcome.kind === 'unknown' || (outcome.kind === 'refused' && outcome.retryable)) isStopped = true;
      else if (outcome.kind === 'refused') order.refuse(index);
    }
  };
  await Promise.all(Array.from({ length: settings.requestsInFlight }, sendNext));
  return joinOutcomes(outcomes, batch.records);
}

/** The outcome of a request for one record: what the answer says of the record is what it says of all. */
function outcomeOfOne(outcome: DeliveryOutcome): DeliveryOutcome {
  const result = outcome.kind === 'acked' ? outcome.perRecord?.[0] : undefined;
  if (result === undefined) return outcome;
  const { status, code } = result;
  const message = 'the answer says so of the record';
  return status === 'unknown' ? { kind: 'unknown', code, message } : { kind: 'refused', retryable: status === 'retry', code, message };
}

/** The next record, or why there is none although there should be: the lease is no longer certain. */
function nextLine(lines: Iterator<Uint8Array>): IteratorResult<Uint8Array> | { readonly done: false; readonly refused: DeliveryOutcome } {
  try {
    return lines.next();
  } catch (error) {
    return { done: false, refused: unsent(error) };
  }
}

/** When it is written, which a connection that has to be made first may delay. */
function* oneOf(batch: OutgoingBatch, json: Buffer): Generator<Buffer> {
  batch.assertOurs();
  yield json;
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
    if (outcome === undefined) perRecord.push({ index, status: 'retry', code: failed?.kind === 'acked' ? '' : failed!.code });
    else if (outcome.kind === 'unknown') perRecord.push({ index, status: 'unknown', code: outcome.code });
    else perRecord.push({ index, status: outcome.retryable ? 'retry' : 'refused', code: outcome.code });
  }
  if (perRecord.length === 0) return { kind: 'acked' };
  const [first] = perRecord;
  // Those refused for good keep their own codes; what is sent again gets another answer.
  const isLike = ({ status, code }: RecordResult) => status === first!.status && (status !== 'refused' || code === first!.code);
  const isSame = perRecord.length === records && perRecord.every(isLike);
  return isSame ? (failed ?? outcomes[0]!) : { kind: 'acked', perRecord };
}

/** A value of the record as its exact text (no number is read as one), when it can be a header; else null. */
function fieldText(json: Buffer, field: string): string | null {
  const record = readJsonDocument(json.toString('utf8'), { depthMax: 64, allowNul: true });
  const value = record.kind === 'object' ? record.members.get(field) : undefined;
  const text = value?.kind === 'number' ? value.text : value?.kind === 'string' || value?.kind === 'boolean' ? String(value.value) : '';
  return /^[\x21-\x7e]{1,200}$/.test(text) ? text : null;
}

function unsent(error: unknown): DeliveryOutcome {
  if (!(error instanceof HeadgateError)) throw error;
  return { kind: 'refused', retryable: true, code: error.code, message: error.message };
}
