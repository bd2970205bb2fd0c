/**
 * Delivers a batch as one request. Its body is written as the connection takes it, never held as a whole; it is read once before,
 * so that a damaged segment is found before half a body is at the target, and for the hash where requests are signed.
 */
import { createHash } from 'node:crypto';
import type { Sleep } from '../../../platform/base/ports.ts';
import type { DeliveryOutcome } from '../connector.ts';
import { conflictOfRepeat, outcomeWithResults } from './http-answer.ts';
import type { RequestBody } from './http-client.ts';
import type { HttpDelivery } from './http-delivery.ts';

const contentTypes = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
  'fixed-width': 'text/plain; charset=utf-8',
} as const;

/** A few milliseconds of reading. */
const pauseBytes = 4 * 1024 * 1024;

interface BatchBody extends RequestBody {
  pieces(options?: { readonly isReused: boolean }): Iterable<Uint8Array>;
}

export async function deliverBatch(delivery: HttpDelivery, bodySha256: string | null): Promise<DeliveryOutcome> {
  const { settings, options, batch, headers, login, signal } = delivery;
  const isArray = settings.envelope === 'json-array';
  const exchange = await login.send(
    {
      method: settings.method,
      path: settings.url.pathname,
      headers: {
        ...headers,
        'content-type': isArray ? 'application/json' : contentTypes[options.target.body.format],
        'idempotency-key': batch.batchId,
        ...(settings.results === 'ndjson' ? { accept: 'application/x-ndjson' } : {}),
      },
      body: requestBody(delivery),
      bodySha256: () => bodySha256!,
    },
    signal,
  );
  const nowMs = options.ports.clock.nowMs();
  const conflict = batch.possibleDuplicate ? conflictOfRepeat(exchange, nowMs) : null;
  return conflict ?? (await outcomeWithResults(exchange, batch, { nowMs, results: settings.results }));
}

function requestBody({ settings, batch }: Pick<HttpDelivery, 'settings' | 'batch'>): BatchBody {
  const { body, records } = batch;
  const { preamble } = body;
  const assertOurs = () => batch.assertOurs();
  // Each line end becomes a comma or the closing bracket.
  return settings.envelope === 'json-array'
    ? { sizeBytes: body.sizeBytes + 1, pieces: () => arrayPieces(body.lines(), records), assertOurs }
    : { sizeBytes: preamble.length + body.sizeBytes, pieces: (options) => withPreamble(preamble, body.pieces(options)), assertOurs };
}

/** Reads it all once. Gives its hash where it is asked for. */
export async function readAhead(
  delivery: Pick<HttpDelivery, 'settings' | 'batch'>,
  isHashed: boolean,
  sleep: Sleep,
): Promise<string | null> {
  const body = isHashed ? requestBody(delivery) : delivery.batch.body;
  const hash = isHashed ? createHash('sha256') : null;
  let bytes = 0;
  let sincePause = 0;
  for (const piece of body.pieces({ isReused: true })) {
    hash?.update(piece);
    bytes += piece.length;
    sincePause += piece.length;
    if (sincePause < pauseBytes) continue;
    sincePause = 0;
    await sleep.sleep(0);
  }
  if (bytes !== body.sizeBytes) throw new Error('a body is not as long as its batch says');
  return hash?.digest('hex') ?? null;
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
