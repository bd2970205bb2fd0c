/** How routes are described: parameters, answers and problems as JSON Schema, from which requests are checked and /docs is made. */
import { type TSchema, Type } from 'typebox';
import { HeadgateError } from '../platform/base/errors.ts';
import { apiErrors } from './api-errors.ts';

/** No control characters and no half surrogates: neither reaches the database, a log or a terminal. */
const plainPattern = '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]*$';
export const idPattern = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
/** Of the letters of a group: half a SHA-256. */
export const groupIdPattern = '^[0-9a-f]{32}$';

/** What is said of a text that does not match, in place of the pattern. */
export const patternWords: Readonly<Record<string, string>> = {
  [plainPattern]: 'must be one line of text without control characters',
  [idPattern]: 'is no id: ids are 36 characters long and are shown by list commands',
  [groupIdPattern]: 'is no id of a group: they have 32 hexadecimal digits; headgate dead-letter groups --json shows them in full',
};

const strict = { additionalProperties: false };

export function object<Properties extends Record<string, TSchema>>(properties: Properties, options: { readonly $id?: string } = {}) {
  return Type.Object(properties, { ...strict, ...options });
}

/** One line of text from outside. */
export function line(maxLength: number, description?: string) {
  return Type.String({ minLength: 1, maxLength, pattern: plainPattern, ...(description && { description }) });
}

export function choice<Value extends string>(values: readonly Value[]) {
  return Type.Unsafe<Value>({ type: 'string', enum: [...values] });
}

export const id = Type.String({ pattern: idPattern });
export const instant = Type.String({ format: 'date-time' });
export const count = Type.Integer({ minimum: 0 });
export const text = Type.String();
export const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

/** A schema of the document's components, by its `$id`. */
export const named = (schemaId: string) => Type.Unsafe<unknown>({ $ref: `${schemaId}#` });

export const idParameter = object({ id });
export const nameParameter = object({ name: line(120) });

export function query<Properties extends Record<string, TSchema>>(properties: Properties) {
  return object(properties);
}

/** `more`: what the list says beside its items. */
export const pageOfItems = (item: TSchema, more: Readonly<Record<string, TSchema>> = {}) =>
  object({ ...more, items: Type.Array(item), nextCursor: nullable(text) });

/** A list in the order of the file, which is read while it is asked for. */
export const pageOfFile = (item: TSchema) =>
  pageOfItems(item, {
    isComplete: Type.Boolean({
      description: 'False: the file is still being read, and the list ends where reading has come to. Ask again when the job has gone on.',
    }),
  });

const problemTitles: Readonly<Record<number, string>> = {
  400: 'The request does not have the described shape.',
  401: 'No valid API key came with the request.',
  403: 'The key lacks the scope.',
  404: 'There is nothing of that id or name that this key may see.',
  408: 'The request did not come whole in time.',
  409: 'It is not in a state that allows this.',
  412: 'What it was planned against is not in force any more.',
  413: 'The body is too large.',
  415: 'The body is of a type that is not taken.',
  422: 'It was understood and is refused; `code` says why.',
  428: 'It needs `If-Match`.',
  429: 'Too much at once; try again after `Retry-After`.',
  431: 'The headers are too large.',
  503: 'It cannot be answered now; try again after `Retry-After`.',
  507: 'There is no room for it.',
};

/** What every route may answer. */
const usualProblems = [400, 401, 403, 408, 429, 431, 503];

export interface RouteDescription {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly params?: TSchema;
  readonly querystring?: TSchema;
  readonly headers?: TSchema;
  readonly body?: TSchema;
  /** What it answers when it goes well, by status. */
  readonly answers: Readonly<Record<number, TSchema>>;
  /** What `ETag` of those answers names. */
  readonly etag?: string;
  /** Besides the usual ones. */
  readonly problems?: readonly number[];
}

/** As Fastify takes it. */
export function describe({ tag, answers, etag, problems = [], ...route }: RouteDescription) {
  const headers = etag === undefined ? {} : { headers: { etag: { type: 'string', description: etag } } };
  const response: Record<string, unknown> = {};
  for (const [status, schema] of Object.entries(answers))
    response[status] = { description: 'Done.', ...headers, content: { 'application/json': { schema } } };
  for (const status of [...usualProblems, ...problems])
    response[status] ??= { description: problemTitles[status], content: { 'application/problem+json': { schema: named('Problem') } } };
  return { ...route, tags: [tag], response };
}

/** The same answer for what never was and for what belongs to another tenant. */
export function found<Thing>(thing: Thing | undefined | null): Thing {
  if (thing === undefined || thing === null) throw new HeadgateError(apiErrors.E_NOT_FOUND, 'there is nothing of that id');
  return thing;
}
