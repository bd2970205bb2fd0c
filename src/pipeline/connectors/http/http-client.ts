/**
 * Sends one request to one origin and tells apart what was never sent from what may have been received. It connects only
 * to addresses that the guard let through, follows no redirection, and reads a bounded part of the answer.
 */
import type { Readable } from 'node:stream';
import { Pool } from 'undici';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { AddressGuard } from '../address-guard.ts';
import { connectorErrors } from '../connector-errors.ts';
import { assertUsable, type Certificates, guardedConnector } from './http-connections.ts';

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: a request without a body. */
  readonly body?: { readonly sizeBytes: number; pieces(): Iterable<Uint8Array> };
}

export type HttpExchange =
  | { readonly kind: 'answered'; readonly status: number; readonly headers: AnswerHeaders; readonly body: AnswerBody }
  /** Nothing of the request left this process. */
  | { readonly kind: 'unsent'; readonly code: string; readonly message: string }
  | { readonly kind: 'lost'; readonly code: string; readonly message: string };

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** `cut`: longer than is read. `broken`: it ended early. `bytes`: what came, of these two what came before. */
export interface AnswerBody {
  readonly kind: 'whole' | 'cut' | 'broken';
  readonly bytes: Buffer;
}

export interface HttpClient {
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpExchange>;
  /** Takes nothing new; ends its connections as what is under way is answered. */
  retire(): void;
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
  return {
    async send(request, signal) {
      let isSent = false;
      function* pieces() {
        if (!request.body) return;
        for (const piece of request.body.pieces()) {
          isSent = true;
          yield piece;
        }
      }
      try {
        // A body of length 0 would be sent without being asked for its pieces; requests without one have no effect.
        const answer = await pool.request({
          method: request.method as 'POST',
          path: request.path,
          headers: { ...request.headers, ...(request.body ? { 'content-length': String(request.body.sizeBytes) } : {}) },
          // Undici takes iterables; its types don't say so.
          body: request.body ? (asyncPieces(pieces()) as unknown as Readable) : null,
          signal,
          idempotent: false,
        });
        return {
          kind: 'answered',
          status: answer.statusCode,
          headers: answer.headers,
          body: await readAnswer(answer.body, answerBytesMax),
        };
      } catch (error) {
        return failure(error, isSent, signal);
      }
    },
    retire() {
      // Fails when it was destroyed meanwhile, which ends it too.
      void pool.close().catch(() => {});
    },
    close: () => pool.destroy(),
  };
}

async function* asyncPieces(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** Exhaustive over what undici, its connector and the guard reject with; nobody else reads their codes. */
function failure(error: unknown, isSent: boolean, signal: AbortSignal): HttpExchange {
  if (isSent) {
    return signal.aborted || isTimeout(error)
      ? { kind: 'lost', code: connectorErrors.E_TARGET_TIMEOUT, message: 'the target did not answer in time' }
      : { kind: 'lost', code: connectorErrors.E_TARGET_REPLY_LOST, message: 'the connection ended before the answer' };
  }
  if (error instanceof HeadgateError) return { kind: 'unsent', code: error.code, message: error.message };
  if (signal.aborted || isTimeout(error)) {
    return { kind: 'unsent', code: connectorErrors.E_TARGET_TIMEOUT, message: 'no connection could be made in time' };
  }
  const reason = (error as { code?: unknown }).code;
  const suffix = typeof reason === 'string' && /^[A-Z0-9_]{1,60}$/.test(reason) ? ` (${reason})` : '';
  return { kind: 'unsent', code: connectorErrors.E_TARGET_UNREACHABLE, message: `no connection could be made${suffix}` };
}

function isTimeout(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return (
    code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT' || code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT'
  );
}

async function readAnswer(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<AnswerBody> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const ended = (kind: AnswerBody['kind']): AnswerBody => ({ kind, bytes: Buffer.concat(pieces) });
  try {
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > bytesMax) return ended('cut');
      pieces.push(piece);
    }
  } catch {
    return ended('broken');
  }
  return ended('whole');
}
