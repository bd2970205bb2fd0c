/**
 * Access tokens by OAuth 2.0 client credentials (RFC 6749, section 4.4): one fetch at a time, kept until shortly before it ends
 * or until the client's secret is another, and given up when the service does not take it. A token is in memory only.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Clock, Sleep } from '../../../platform/base/ports.ts';
import type { SecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import { JsonProblem, type JsonValue, readJsonDocument } from '../../engine/reference/json-document.ts';
import { connectorErrors } from '../connector-errors.ts';
import { readRetryAfter } from './http-answer.ts';
import type { HttpClient } from './http-client.ts';
import type { OauthSettings } from './http-connection-settings.ts';
import type { HttpExchange } from './http-exchange.ts';

export interface Token {
  readonly text: string;
}

export interface Tokens {
  /** Fails with E_TARGET_FORBIDDEN, E_TARGET_TOKEN, with what a connection fails with, and with the codes of secrets. */
  get(signal: AbortSignal): Promise<Token>;
  /**
   * The service did not take it. One that came meanwhile stays, and so does this one where too many were given up lately: a service that
   * takes no token, or only at times, would else have the endpoint asked for one for each request. How long until it may be given up; 0: it is.
   */
  giveUp(token: Token): number;
}

export interface TokensOptions {
  readonly settings: OauthSettings;
  readonly secrets: SecretResolver;
  readonly ports: { readonly clock: Clock; readonly sleep: Sleep };
  readonly timeoutMs: number;
  /** To the token endpoint, as certificates are now. */
  readonly client: () => HttpClient;
}

/** Where the endpoint does not say how long it holds. */
const lifetimeDefaultMs = 5 * 60_000;
const lifetimeMaxMs = 24 * 3_600_000;
/** Before the end: for requests that are under way, and clocks that differ. */
const earlyMaxMs = 30_000;
/** One that holds no longer is used so long all the same: the endpoint is asked once a second at most. */
const keptMinMs = 1_000;
/** Tokens that may be given up at once; one more each `givenUpEveryMs`. */
const givenUpMax = 10;
const givenUpEveryMs = 1_000;
const tokenCharactersMax = 16 * 1024;

/** Asked to be left alone for a while. */
export class TokenBusy extends HeadgateError {
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null) {
    super(connectorErrors.E_TARGET_BUSY, message);
    this.retryAfterMs = retryAfterMs;
  }
}

interface Kept {
  readonly token: Token;
  readonly clientSecret: string;
  readonly untilMs: number;
}

export function createTokens(options: TokensOptions): Tokens {
  const { settings, secrets, ports } = options;
  let kept: Kept | undefined;
  /** When all of them may be given up at once again. */
  let fullAtMs = 0;
  let fetching: { readonly clientSecret: string; readonly done: Promise<Kept> } | undefined;

  /** Not ended by who asked first: others wait for it too. Ends by itself. */
  function fetchOnce(clientSecret: string): Promise<Kept> {
    if (fetching?.clientSecret === clientSecret) return fetching.done;
    const done = fetchToken(options, clientSecret);
    const mine = { clientSecret, done };
    fetching = mine;
    const forget = () => {
      if (fetching === mine) fetching = undefined;
    };
    done.then((fetched) => {
      kept = fetched;
      forget();
    }, forget);
    return done;
  }

  return {
    async get(signal) {
      const clientSecret = secrets.resolve(settings.clientSecret).reveal();
      if (kept !== undefined && kept.clientSecret === clientSecret && ports.clock.monotonicMs() < kept.untilMs) return kept.token;
      const fetched = await unlessAborted(fetchOnce(clientSecret), signal);
      return fetched.token;
    },
    giveUp(token) {
      if (kept?.token !== token) return 0;
      const nowMs = ports.clock.monotonicMs();
      const nextMs = Math.max(nowMs, fullAtMs) + givenUpEveryMs;
      const excessMs = nextMs - nowMs - givenUpMax * givenUpEveryMs;
      if (excessMs > 0) return Math.ceil(excessMs);
      fullAtMs = nextMs;
      kept = undefined;
      return 0;
    },
  };
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = Promise.withResolvers<never>();
  const abort = () => late.reject(new HeadgateError(connectorErrors.E_TARGET_TIMEOUT, 'the token endpoint did not answer in time'));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function fetchToken({ settings, ports, client, timeoutMs }: TokensOptions, clientSecret: string): Promise<Kept> {
  const { tokenUrl, clientId, scope, audience, clientAuth } = settings;
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  if (scope !== null) form.set('scope', scope);
  if (audience !== null) form.set('audience', audience);
  if (clientAuth === 'body') {
    form.set('client_id', clientId);
    form.set('client_secret', clientSecret);
  }
  const body = Buffer.from(form.toString());
  const startMs = ports.clock.monotonicMs();
  const deadline = new AbortController();
  const isAnswered = new AbortController();
  void ports.sleep.sleep(timeoutMs, isAnswered.signal).then(() => {
    if (!isAnswered.signal.aborted) deadline.abort();
  });
  let exchange: HttpExchange;
  try {
    exchange = await client().send(
      {
        method: 'POST',
        path: tokenUrl.pathname,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'application/json',
          'accept-encoding': 'identity',
          ...(clientAuth === 'basic' ? { authorization: basicHeader(clientId, clientSecret) } : {}),
        },
        body: { sizeBytes: body.length, pieces: () => [body], assertOurs() {} },
      },
      deadline.signal,
    );
  } finally {
    isAnswered.abort();
  }
  const { text, lifetimeMs } = tokenOf(exchange, ports.clock.nowMs());
  // From before it was asked for: it holds no longer than that.
  const untilMs = startMs + lifetimeMs - Math.min(earlyMaxMs, lifetimeMs / 10);
  return { token: { text }, clientSecret, untilMs: Math.max(untilMs, ports.clock.monotonicMs() + keptMinMs) };
}

/** Both are form-encoded first (RFC 6749, section 2.3.1). */
function basicHeader(clientId: string, clientSecret: string): string {
  const encoded = [clientId, clientSecret].map((part) => new URLSearchParams([['', part]]).toString().slice(1));
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
}

function tokenOf(exchange: HttpExchange, nowMs: number): Answer {
  if (exchange.kind !== 'answered') throw new HeadgateError(exchange.code, `of the token endpoint: ${exchange.message}`);
  const { status, body } = exchange;
  const said = `the token endpoint answered with status ${status}`;
  // What is wrong with the client, its secret or its scope (RFC 6749, section 5.2).
  if (status === 400 || status === 401 || status === 403) throw new HeadgateError(connectorErrors.E_TARGET_FORBIDDEN, said);
  if (status === 429 || status >= 500) throw new TokenBusy(said, readRetryAfter(exchange.headers['retry-after'], nowMs));
  const answer = status === 200 && body.kind === 'whole' ? readAnswer(body.bytes) : null;
  if (answer === null) throw new HeadgateError(connectorErrors.E_TARGET_TOKEN, `${said} and gave no bearer token that can be used`);
  return answer;
}

interface Answer {
  readonly text: string;
  readonly lifetimeMs: number;
}

/** RFC 6749, section 5.1. Null: it is none. */
function readAnswer(bytes: Uint8Array): Answer | null {
  const members = membersOf(bytes);
  const [text, type, expires] = ['access_token', 'token_type', 'expires_in'].map((name) => members?.get(name));
  if (text?.kind !== 'string' || text.value.length > tokenCharactersMax || !/^[\x21-\x7e]+$/.test(text.value)) return null;
  if (type?.kind !== 'string' || type.value.toLowerCase() !== 'bearer') return null;
  // Some write the number as a text.
  const seconds = expires?.kind === 'number' ? expires.text : expires?.kind === 'string' ? expires.value : null;
  const isWritten = seconds !== null && /^[0-9]{1,9}$/.test(seconds);
  return { text: text.value, lifetimeMs: isWritten ? Math.min(lifetimeMaxMs, Number(seconds) * 1_000) : lifetimeDefaultMs };
}

function membersOf(bytes: Uint8Array): ReadonlyMap<string, JsonValue> | null {
  try {
    const document = readJsonDocument(new TextDecoder('utf-8', { fatal: true }).decode(bytes), { depthMax: 16, allowNul: true });
    return document.kind === 'object' ? document.members : null;
  } catch (error) {
    // Not UTF-8, or no JSON.
    if (error instanceof TypeError || error instanceof JsonProblem) return null;
    throw error;
  }
}
