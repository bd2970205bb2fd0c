/**
 * One request under way, as an HTTP client tells it: what is known when it ends. It keeps a bounded part of the answer, and
 * nothing is written any more once it is given up before a connection was there.
 */
import type { Dispatcher } from 'undici';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { connectorErrors } from '../connector-errors.ts';

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
  /** Right before anything is written; when it fails, nothing is. Its result: whether what is written then has effects there. */
  readonly beforeSending: () => boolean;
}

export class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly done: Promise<HttpExchange>;
  readonly #options: ExchangeOptions;
  readonly #pieces: Buffer[] = [];
  readonly #abort = () => this.#giveUp();
  #settle!: (exchange: HttpExchange) => void;
  #isSettled = false;
  #isSent = false;
  #bytes = 0;
  #answer: { readonly status: number; readonly headers: AnswerHeaders } | null = null;
  #controller: Dispatcher.DispatchController | null = null;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
    options.signal.addEventListener('abort', this.#abort, { once: true });
    if (options.signal.aborted) this.#giveUp();
  }

  /** The client took nothing of it. */
  fail(error: unknown): void {
    this.#end(failure(error, this.#isSent, this.#options.signal));
  }

  /** Part of a body that is written piece by piece is about to be. */
  markSent(): void {
    this.#isSent = true;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isSettled) controller.abort(new Error('given up'));
    else if (this.#options.beforeSending()) this.#isSent = true;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: AnswerHeaders): void {
    // Others are only on the way to an answer.
    if (status >= 200) this.#answer = { status, headers };
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes <= this.#options.answerBytesMax) this.#pieces.push(piece);
    else {
      this.#end(this.#answered('cut'));
      controller.abort(new Error('longer than is read'));
    }
  }

  onResponseEnd(): void {
    this.#end(this.#answered('whole'));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end(this.#answer === null ? failure(error, this.#isSent, this.#options.signal) : this.#answered('broken'));
  }

  #giveUp(): void {
    if (this.#controller === null) this.#end(failure(null, false, this.#options.signal));
    else this.#controller.abort(new Error('given up'));
  }

  #answered(kind: AnswerBody['kind']): HttpExchange {
    const [first, second] = this.#pieces;
    const bytes = first !== undefined && second === undefined ? first : Buffer.concat(this.#pieces);
    return { kind: 'answered', ...this.#answer!, body: { kind, bytes } };
  }

  #end(exchange: HttpExchange): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#options.signal.removeEventListener('abort', this.#abort);
    this.#settle(exchange);
  }
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
