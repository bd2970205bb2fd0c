/**
 * Checks requests against the routes' schemas. In addresses everything is text, so numbers are read from it;
 * in a JSON body a value is of its type or refused, and so is a field that nobody knows.
 */
import { Ajv, type ValidateFunction } from 'ajv';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HeadgateError } from '../platform/base/errors.ts';
import type { Sleep } from '../platform/base/ports.ts';
import { apiErrors } from './api-errors.ts';
import { sendProblem } from './problems.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is a file, of any size: it comes as a stream, with a limit on silence instead of one on time. */
    isStream?: boolean;
    /** How the description of the API shows such a body: by media type, as OpenAPI has it. */
    describedBody?: { readonly content: Readonly<Record<string, unknown>> };
  }
}

export function checkShapes(server: FastifyInstance): void {
  // Verbose: what is said of a choice depends on the value.
  const ofBodies = new Ajv({ useDefaults: true, verbose: true });
  const ofAddresses = new Ajv({ useDefaults: true, verbose: true });
  server.setValidatorCompiler(({ schema, httpPart }) =>
    httpPart === 'body'
      ? compiledLater(() => ofBodies.compile(schema as object))
      : compiledLater(() => withNumbers(ofAddresses.compile(schema as object), schema as AddressSchema)),
  );
  // Answers are what the views give; tests hold them against their schemas.
  server.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  // What takes no fields still refuses unknown ones.
  server.addHook('preValidation', async (request) => {
    const isExpected = request.routeOptions.schema?.body !== undefined;
    if (isExpected && (request.body === undefined || request.body === null)) request.body = {};
  });
}

/** With the first request: all of them take a tenth of the start of a server, and most processes are asked for a few. */
function compiledLater(compile: () => ValidateFunction): ValidateFunction {
  let check: ValidateFunction | undefined;
  const validate = ((data: unknown) => {
    check ??= compile();
    const isValid = check(data);
    validate.errors = check.errors;
    return isValid;
  }) as unknown as ValidateFunction;
  return validate;
}

interface AddressSchema {
  readonly properties?: Readonly<Record<string, { readonly type?: string }>>;
}

/** In addresses a whole number is written in digits, and in no other way that some reader takes for one. */
function withNumbers(check: ValidateFunction, { properties = {} }: AddressSchema): ValidateFunction {
  const names = Object.keys(properties).filter((name) => properties[name]!.type === 'integer');
  if (names.length === 0) return check;
  const validate = ((data: Record<string, unknown>) => {
    for (const name of names) {
      const text = data[name];
      if (typeof text === 'string' && /^\d{1,16}$/.test(text)) data[name] = Number(text);
    }
    const isValid = check(data);
    validate.errors = check.errors;
    return isValid;
  }) as unknown as ValidateFunction;
  return validate;
}

/** Any other coding would be kept as if it were the body. */
export function refuseTransferCodings(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    const coding = request.headers['transfer-encoding'];
    if (coding === undefined || coding.trim().toLowerCase() === 'chunked') return;
    reply.header('connection', 'close');
    throw new HeadgateError(apiErrors.E_TRANSFER_ENCODING, 'a body comes with a Content-Length, or as Transfer-Encoding: chunked alone');
  });
}

/** One without is never read to its end, however long its answer takes. */
function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** A body of JSON comes whole within the time, or the request ends with 408. */
export function limitBodyTime(server: FastifyInstance, sleep: Sleep, timeoutMs: number): void {
  server.addHook('preParsing', async (request, reply, payload) => {
    if (request.method === 'GET' || request.method === 'HEAD' || request.routeOptions.config.isStream || !hasBody(request)) return payload;
    const ended = new AbortController();
    const stop = () => ended.abort();
    payload.once('end', stop);
    payload.once('close', stop);
    void sleep.sleep(timeoutMs, ended.signal).then(() => {
      if (ended.signal.aborted) return;
      reply.header('connection', 'close');
      sendProblem(reply, new HeadgateError(apiErrors.E_REQUEST_TIMEOUT, `the body did not come within ${timeoutMs} ms`));
    });
    return payload;
  });
}
