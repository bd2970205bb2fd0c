/** The CLI's way to the API: finds it, presents the key, turns problem details back into errors with codes. */
import { readFileSync, statSync } from 'node:fs';
import { HeadgateError } from '../platform/base/errors.ts';
import { ApiProblem, type ProblemDetails } from './api-problem.ts';
import { cliErrors } from './cli-errors.ts';
import { type CommandLine, textOption } from './command.ts';
import {
  bodyOfBytes,
  callHttp,
  FileReadError,
  type HttpAnswer,
  type HttpBody,
  type HttpCall,
  textOf,
  UnansweredError,
} from './http-call.ts';

export interface ApiClient {
  get<Answer>(path: string, query?: Readonly<Record<string, string | undefined>>): Promise<Answer>;
  post<Answer>(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** With the `ETag` of the answer, where it has one. */
  postTagged<Answer>(
    path: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ readonly answer: Answer; readonly etag: string | null }>;
  /** Rejects with FileReadError, too. */
  send<Answer>(path: string, body: HttpBody, headers: Readonly<Record<string, string>>): Promise<{ status: number; answer: Answer }>;
  /** Every page of a list, up to `itemsMax`; `isCut` when there may be more, `isSoFar` when more is to come. `perPage`: where the API gives fewer at once than usual. */
  list<Item>(
    path: string,
    query: Readonly<Record<string, string | undefined>>,
    itemsMax: number,
    perPage?: number,
  ): Promise<{ readonly items: Item[]; readonly isCut: boolean; readonly isSoFar: boolean }>;
  stream(path: string): Promise<AsyncIterable<Uint8Array>>;
}

const pageMax = 200;
const keyPattern = /^hg_live_[A-Za-z0-9_-]+$/;

export function createApiClient(
  line: CommandLine,
  env: Readonly<Record<string, string | undefined>> = process.env,
  idleMs?: number,
): ApiClient {
  const base = readBase(line, env);
  const authorization = `Bearer ${readKey(textOption(line, 'key-file'), env)}`;

  /** Statuses of 200 to 299, and `alsoTaken`. */
  async function call(path: string, { headers, ...init }: HttpCall, alsoTaken?: number): Promise<HttpAnswer> {
    let answer: HttpAnswer;
    try {
      answer = await callHttp(base + path, { ...init, headers: { authorization, ...headers }, ...(idleMs && { idleMs }) });
    } catch (error) {
      throw error instanceof FileReadError ? error : unanswered(base, error);
    }
    const { status, contentType } = answer;
    if (contentType.startsWith('application/problem+json')) throw new ApiProblem(await parsed<ProblemDetails>(answer), status);
    const isTaken = (status >= 200 && status < 300) || (status === alsoTaken && contentType.startsWith('application/json'));
    if (isTaken) return answer;
    answer.close();
    throw new HeadgateError(cliErrors.E_API_UNREACHABLE, `${base} answered ${status}`);
  }
  async function* wholly(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* pieces;
    } catch (cause) {
      throw new HeadgateError(cliErrors.E_API_UNREACHABLE, `${base} broke off in the middle of an answer`, { cause });
    }
  }
  async function parsed<Answer>(answer: HttpAnswer): Promise<Answer> {
    const text = await textOf(wholly(answer.pieces));
    try {
      return JSON.parse(text) as Answer;
    } catch (cause) {
      throw isOther(cause);
    }
  }
  const isOther = (cause?: unknown) => new HeadgateError(cliErrors.E_API_UNREACHABLE, `what answers at ${base} is not headgate`, { cause });

  const client: ApiClient = {
    get: async (path, query = {}) => parsed(await call(withQuery(path, query), { method: 'GET', headers: {} })),
    post: async <Answer>(path: string, body: unknown, headers?: Readonly<Record<string, string>>) =>
      (await client.postTagged<Answer>(path, body, headers)).answer,
    async postTagged(path, body, headers = {}) {
      const sent = bodyOfBytes(Buffer.from(JSON.stringify(body)));
      const answer = await call(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: sent });
      return { answer: await parsed(answer), etag: answer.etag };
    },
    async send(path, body, headers) {
      // A quarantined file is answered with what became of it, not with a problem.
      const answer = await call(path, { method: 'POST', headers, body }, 422);
      return { status: answer.status, answer: await parsed(answer) };
    },
    async list<Item>(path: string, query: Readonly<Record<string, string | undefined>>, itemsMax: number, perPage = pageMax) {
      const items: Item[] = [];
      let cursor: string | undefined;
      let isSoFar: boolean;
      do {
        const page = await client.get<{ items: Item[]; nextCursor: string | null; isComplete?: boolean }>(path, {
          ...query,
          cursor,
          limit: String(Math.min(perPage, itemsMax - items.length)),
        });
        if (!Array.isArray(page?.items)) throw isOther();
        items.push(...page.items);
        cursor = page.nextCursor ?? undefined;
        isSoFar = page.isComplete === false;
      } while (cursor !== undefined && items.length < itemsMax);
      return { items, isCut: cursor !== undefined, isSoFar };
    },
    stream: async (path) => wholly((await call(path, { method: 'GET', headers: {} })).pieces),
  };
  return client;
}

function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const entries = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return entries.length === 0 ? path : `${path}?${new URLSearchParams(entries)}`;
}

/** Fails with E_USAGE: what is no address of a server is not one that does not answer. */
function readBase(line: CommandLine, env: Readonly<Record<string, string | undefined>>): string {
  const given = textOption(line, 'url');
  const base = (given ?? (env.HEADGATE_URL || 'http://127.0.0.1:4680')).replace(/\/+$/, '');
  if (/^https?:$/.test(URL.parse(base)?.protocol ?? '')) return base;
  throw new HeadgateError(
    cliErrors.E_USAGE,
    `${given === undefined ? 'HEADGATE_URL' : '--url'} is no address that begins with http:// or https://`,
    {
      next: 'Name the server as it says of itself when it starts, such as http://127.0.0.1:4680.',
    },
  );
}

/** From a file (which nobody else may read) or HEADGATE_API_KEY; never from the command line, where `ps` shows it. */
function readKey(keyFile: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  const key = keyFile === undefined ? env.HEADGATE_API_KEY?.trim() : readKeyFile(keyFile);
  if (key && keyPattern.test(key)) return key;
  if (key) throw new HeadgateError(cliErrors.E_API_KEY_MISSING, 'what was given is no API key: one begins with hg_live_');
  throw new HeadgateError(cliErrors.E_API_KEY_MISSING, 'no API key was given');
}

function readKeyFile(path: string): string {
  try {
    if ((statSync(path).mode & 0o077) !== 0)
      throw new HeadgateError(cliErrors.E_API_KEY_MISSING, `the key file ${path} may be read by others; make it mode 0600`);
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    if (cause instanceof HeadgateError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new HeadgateError(cliErrors.E_API_KEY_MISSING, `the key file ${path} cannot be read: ${code}`, { cause });
  }
}

/** A decision about a very big job can take longer than an answer is waited for, and is made all the same. */
function unanswered(base: string, cause: unknown): HeadgateError {
  if (!(cause instanceof UnansweredError)) {
    const { code } = cause as NodeJS.ErrnoException;
    // What is asked for TLS and speaks plain HTTP.
    if (code !== 'EPROTO' && !code?.startsWith('ERR_SSL_'))
      return new HeadgateError(cliErrors.E_API_UNREACHABLE, `nothing answered at ${base}`, { cause });
    return new HeadgateError(cliErrors.E_API_UNREACHABLE, `what answered at ${base} agreed on no TLS`, {
      cause,
      next: 'Name the server as it says of itself when it starts: with http:// where it has no TLS in front of it.',
    });
  }
  return new HeadgateError(cliErrors.E_API_UNREACHABLE, `${base} has the request and did not answer in time`, {
    cause,
    next: 'What was asked for may go on there, or be done: look at it (`get`) before you ask again.',
  });
}
