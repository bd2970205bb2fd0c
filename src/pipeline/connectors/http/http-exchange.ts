/**
 * One request under way, as an HTTP client tells it: what is known when it ends. It keeps a bounded part of the answer, and
 * nothing is written any more once it is given up before a connection was there.
 */
import type { Dispatcher } from 'undici';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { connectorErrors } from '../connector-errors.ts';
import { noConnection } from '../no-connection.ts';

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

export interface ExchangeOptions {
  /** Of the answer, so much is read. */
  readonly answerBytesMax: number;
  readonly signal: AbortSignal;
  /** Right before anything is written; when it fails, nothing is. */
  readonly beforeSending: () => void;
  /** Of the body; null: a request without one, which has no effects there. */
  readonly bodyBytes: number | null;
}

const answerBytesFirst = 4 * 1024;

const givenUp = () => Object.assign(new Error('given up'), { code: 'ABORT_ERR' });

export class ExchangeHandler implements Dispatcher.DispatchHandler {
  /** Rejects with what is nobody's fault but the program's, where nothing was sent. */
  readonly done: Promise<HttpExchange>;
  readonly #options: ExchangeOptions;
  readonly #abort = () => this.giveUp();
  #settle!: (exchange: HttpExchange | Promise<never>) => void;
  #isSettled = false;
  /** Bytes of the body that were given to the connection. */
  #sent = 0;
  #kept: Buffer = Buffer.alloc(0);
  #bytes = 0;
  #answer: { readonly status: number; readonly headers: AnswerHeaders } | null = null;
  #controller: Dispatcher.DispatchController | null = null;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
    options.signal.addEventListener('abort', this.#abort, { once: true });
    if (options.signal.aborted) this.giveUp();
  }

  /** The client took nothing of it. */
  fail(error: unknown): void {
    this.#end(this.#failed(error));
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** So many bytes of the body are about to be written. */
  addSent(bytes: number): void {
    this.#sent += bytes;
  }

  /** Before there is a connection nothing is written any more; else the connection ends. */
  giveUp(): void {
    if (this.#controller === null) this.#end(this.#failed(givenUp(), true));
    else this.#controller.abort(givenUp());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isSettled) controller.abort(givenUp());
    else this.#options.beforeSending();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: AnswerHeaders): void {
    // Others are only on the way to an answer.
    if (status >= 200) this.#answer = { status, headers };
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (this.#bytes + piece.length <= this.#options.answerBytesMax) this.#keep(piece);
    else {
      this.#end(this.#answered('cut'));
      controller.abort(new Error('longer than is read'));
    }
  }

  /** One piece is kept as it is; of many, the bytes: a piece takes more memory than a few of them. */
  #keep(piece: Buffer): void {
    if (this.#bytes === 0) this.#kept = piece;
    else {
      if (this.#bytes + piece.length > this.#kept.length) {
        const larger = Buffer.allocUnsafe(Math.max(answerBytesFirst, 2 * (this.#bytes + piece.length)));
        this.#kept.copy(larger, 0, 0, this.#bytes);
        this.#kept = larger;
      }
      piece.copy(this.#kept, this.#bytes);
    }
    this.#bytes += piece.length;
  }

  onResponseEnd(): void {
    this.#end(this.#answered('whole'));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end(this.#answer === null ? this.#failed(error) : this.#answered('broken'));
  }

  #failed(error: unknown, isGivenUp = false): HttpExchange | Promise<never> {
    const isSent = this.#sent > 0;
    if (!isSent && !isGivenUp && isProgramFault(error) && !this.#options.signal.aborted) return Promise.reject(error);
    return failure(error, isSent, this.#options.signal);
  }

  /** Whoever says of a body that it was taken, before all of it was written, can't have it. */
  #answered(kind: AnswerBody['kind']): HttpExchange {
    const { status, headers } = this.#answer!;
    if (status < 300 && this.#sent < (this.#options.bodyBytes ?? 0)) {
      const message = 'the target answered before it was sent the whole body';
      return { kind: 'lost', code: connectorErrors.E_TARGET_ANSWER, message };
    }
    return { kind: 'answered', status, headers, body: { kind, bytes: this.#kept.subarray(0, this.#bytes) } };
  }

  #end(exchange: HttpExchange | Promise<never>): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#options.signal.removeEventListener('abort', this.#abort);
    this.#settle(exchange);
  }
}

/** Neither of ours by code, nor of the system or undici, which all have one. */
function isProgramFault(error: unknown): boolean {
  return !(error instanceof HeadgateError) && typeof (error as { code?: unknown } | null)?.code !== 'string';
}

/** Exhaustive over what undici, its connector and the guard fail with; nobody else reads their codes. */
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
  const { code, message } = noConnection(error);
  return { kind: 'unsent', code, message };
}

function isTimeout(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return (
    code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT' || code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT'
  );
}
