/**
 * Sends one request to one origin and tells apart what was never sent from what may have been received. It connects only
 * to addresses that the guard let through, follows no redirection, and reads a bounded part of the answer.
 */
import { Pool } from 'undici';
import type { AddressGuard } from '../address-guard.ts';
import { assertUsable, type Certificates, guardedConnector } from './http-connections.ts';
import { ExchangeHandler, type HttpExchange } from './http-exchange.ts';

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: a request without a body. */
  readonly body?: RequestBody;
}

export interface RequestBody {
  readonly sizeBytes: number;
  pieces(): Iterable<Uint8Array>;
  /** Asked right before anything is written, which a connection that has to be made first may delay. */
  assertOurs(): void;
}

/** Bodies up to this size are in memory as one while they are under way. */
const wholeBytesMax = 256 * 1024;

export interface HttpClient {
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpExchange>;
  /** Takes nothing new; resolves when what is under way is answered and its connections have ended. */
  retire(): Promise<void>;
  /** At once. */
  close(): Promise<void>;
}

export interface HttpClientSettings {
  readonly origin: string;
  readonly guard: AddressGuard;
  readonly connectionsMax: number;
  readonly timeoutMs: number;
  readonly certificates: Certificates;
  /** Of an answer, so much is read. */
  readonly answerBytesMax: number;
}

/** Fails with E_TARGET when certificate and key are no PEM, or not of each other. */
export function createHttpClient(settings: HttpClientSettings): HttpClient {
  const { origin, guard, connectionsMax, timeoutMs, certificates, answerBytesMax } = settings;
  assertUsable(certificates);
  const pool = new Pool(origin, {
    connect: guardedConnector(guard, timeoutMs, certificates),
    connections: connectionsMax,
    pipelining: 1,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  const underWay = new Set<ExchangeHandler>();
  return {
    async send({ method, path, headers, body }, signal) {
      const isWhole = body !== undefined && body.sizeBytes <= wholeBytesMax;
      const exchange: ExchangeHandler = new ExchangeHandler({
        answerBytesMax,
        signal,
        bodyBytes: body?.sizeBytes ?? null,
        beforeSending: () => {
          body?.assertOurs();
          if (isWhole) exchange.addSent(body.sizeBytes);
        },
      });
      if (exchange.isSettled) return await exchange.done;
      underWay.add(exchange);
      try {
        const written = body === undefined ? null : isWhole ? wholeOf(body) : piecesOf(body, exchange);
        pool.dispatch(
          {
            method: method as 'POST',
            path,
            headers: body === undefined ? headers : { ...headers, 'content-length': String(body.sizeBytes) },
            // Undici takes iterables; its types don't say so.
            body: written as Buffer | null,
            idempotent: false,
          },
          exchange,
        );
      } catch (error) {
        exchange.fail(error);
      }
      return await exchange.done.finally(() => underWay.delete(exchange));
    },
    async retire() {
      // Fails when it was destroyed meanwhile, which ends it too.
      await pool.close().catch(() => {});
    },
    async close() {
      // A connection that could not be made leaves the pool, and may be made again for a request that waited.
      for (const exchange of underWay) exchange.giveUp();
      await pool.destroy();
    },
  };
}

/** Written at once together with the headers. */
function wholeOf(body: RequestBody): Buffer {
  const pieces = [...body.pieces()];
  const [first] = pieces;
  return pieces.length === 1 ? Buffer.from(first!.buffer, first!.byteOffset, first!.byteLength) : Buffer.concat(pieces);
}

async function* piecesOf(body: RequestBody, exchange: ExchangeHandler): AsyncGenerator<Uint8Array> {
  for (const piece of body.pieces()) {
    exchange.addSent(piece.length);
    yield piece;
  }
}
