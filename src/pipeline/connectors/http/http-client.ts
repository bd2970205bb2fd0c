/**
 * Sends one request to one origin and tells apart what was never sent from what may have been received. It connects only
 * to addresses that the guard let through, follows no redirection, and reads a bounded part of the answer.
 */
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { buildConnector, Pool } from 'undici';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { AddressGuard } from '../address-guard.ts';
import { connectorErrors } from '../connector-errors.ts';

/** Enough for one result per record of the largest batch in a short form. */
const answerBytesMax = 1024 * 1024;

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

/** `cut`: longer than is read. `broken`: it ended early. */
export type AnswerBody = { readonly kind: 'whole'; readonly bytes: Buffer } | { readonly kind: 'cut' } | { readonly kind: 'broken' };

export interface HttpClient {
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpExchange>;
  close(): Promise<void>;
}

export interface HttpClientSettings {
  readonly origin: string;
  readonly guard: AddressGuard;
  readonly connectionsMax: number;
  readonly timeoutMs: number;
  /** PEM, or null for the public authorities. */
  readonly certificateAuthority: string | null;
}

export function createHttpClient(settings: HttpClientSettings): HttpClient {
  const { origin, guard, connectionsMax, timeoutMs, certificateAuthority } = settings;
  const pool = new Pool(origin, {
    connect: guardedConnector(guard, timeoutMs, certificateAuthority),
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
        return { kind: 'answered', status: answer.statusCode, headers: answer.headers, body: await readAnswer(answer.body) };
      } catch (error) {
        return failure(error, isSent, signal);
      }
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

async function readAnswer(body: AsyncIterable<Uint8Array>): Promise<AnswerBody> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > answerBytesMax) return { kind: 'cut' };
      pieces.push(piece);
    }
  } catch {
    return { kind: 'broken' };
  }
  return { kind: 'whole', bytes: Buffer.concat(pieces) };
}

/** Judges the addresses anew for every connection and tries them in order. */
function guardedConnector(guard: AddressGuard, timeoutMs: number, certificateAuthority: string | null): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs, ...(certificateAuthority === null ? {} : { ca: certificateAuthority }) });
  return (options, callback) => {
    const name = options.hostname.startsWith('[') ? options.hostname.slice(1, -1) : options.hostname;
    const servername = isIP(name) === 0 ? name : undefined;
    const tryNext = (addresses: readonly string[], at: number) => {
      connect({ ...options, hostname: addresses[at]!, servername }, (error, socket) => {
        if (error && at + 1 < addresses.length) tryNext(addresses, at + 1);
        else if (error) callback(error, null);
        else callback(null, socket!);
      });
    };
    guard.addressesOf(options.hostname).then(
      (addresses) => tryNext(addresses, 0),
      (error: Error) => callback(error, null),
    );
  };
}
