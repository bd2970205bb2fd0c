/**
 * Answers for everything that goes wrong, as RFC 9457 problem details. The only place that knows which HTTP status a code
 * has. What a code does not allow to be said (other tenants' things, causes, content) never reaches the body.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { actorOf, type ErrorActor, HeadgateError } from '../platform/base/errors.ts';
import { nearestName } from '../platform/base/nearest-name.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import { currentTrace } from '../platform/telemetry/work-context.ts';
import { patternWords } from './answers.ts';
import { apiErrors } from './api-errors.ts';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly traceId: string;
  readonly retryable: boolean;
  readonly errors?: readonly {
    readonly code: string;
    readonly message: string;
    readonly path?: string;
    readonly line?: number;
    readonly column?: number;
  }[];
  /** Who can act on it. */
  readonly actor?: ErrorActor;
  readonly actions?: readonly string[];
}

const statusByCode: Readonly<Record<string, number>> = {
  E_REQUEST: 400,
  E_CURSOR: 400,
  E_TRANSFER_ENCODING: 400,
  E_DIGEST_HEADER: 400,
  E_IDEMPOTENCY_KEY: 400,
  E_UPLOAD_ABORTED: 400,
  E_UNAUTHENTICATED: 401,
  E_FORBIDDEN: 403,
  E_NOT_FOUND: 404,
  E_FLOW_UNKNOWN: 404,
  E_BLOB_EVENT_SOURCE: 404,
  E_DEFINITION_UNKNOWN: 404,
  E_DEAD_LETTER_UNKNOWN: 404,
  E_BATCH_UNKNOWN: 404,
  E_JOB_UNKNOWN: 404,
  E_RECORD_UNKNOWN: 404,
  E_KEY_UNKNOWN: 404,
  E_UPLOAD_TIMEOUT: 408,
  E_REQUEST_TIMEOUT: 408,
  E_JOB_STATE: 409,
  E_ACKNOWLEDGEMENT_STATE: 409,
  E_ACKNOWLEDGEMENT_FORMAT: 400,
  E_JOB_INCOMPLETE: 409,
  E_DECISION_STALE: 409,
  E_ARRIVAL_STATE: 409,
  E_BATCH_STATE: 409,
  E_REDRIVE_STALE: 409,
  E_BLOCKED_KEY_STALE: 409,
  E_REDRIVE_VERSION: 409,
  E_REPAIR_UNKNOWN: 409,
  E_REDRIVE_SIZE: 413,
  E_FLOW_DISABLED: 409,
  E_VERSION_CONFLICT: 409,
  E_FENCED: 409,
  E_KEY_MADE: 409,
  E_DEFINITION_STALE: 412,
  E_REQUEST_TOO_LARGE: 413,
  E_UPLOAD_TOO_LARGE: 413,
  E_MEDIA_TYPE: 415,
  E_CONTENT_ENCODING: 415,
  E_EXPECTATION: 417,
  E_IF_MATCH_REQUIRED: 428,
  E_TOO_MANY_REQUESTS: 429,
  E_HEADERS_TOO_LARGE: 431,
  E_COMMIT_UNKNOWN: 503,
  E_NOT_READY: 503,
  E_STORAGE_FULL: 507,
};

/** 503 for what may go well later, 500 for the product's own faults, 422 for anything the caller sent. */
export function statusOf(error: HeadgateError): number {
  return (
    statusByCode[error.code] ?? (error.retryable ? 503 : error.code.startsWith('E_DATABASE') || error.code === 'E_INTERNAL' ? 500 : 422)
  );
}

export function problemOf(error: HeadgateError, status = statusOf(error)): Problem {
  return {
    type: `urn:headgate:error:${error.code}`,
    title: error.code,
    status,
    code: error.code,
    detail: status >= 500 && error.code.startsWith('E_DATABASE') ? 'the database did not answer as needed' : error.message,
    traceId: currentTrace()?.traceId ?? '',
    retryable: error.retryable,
    ...(error.details.length > 0 && { errors: error.details.slice(0, 200) }),
    ...(actorOf(error.code) && { actor: actorOf(error.code) }),
    ...(error.next && { actions: [error.next] }),
  };
}

/** Turns what Fastify throws by itself into the catalogue's codes. */
export function asHeadgateError(error: FastifyError | HeadgateError | Error): HeadgateError {
  if (error instanceof HeadgateError) return error;
  const { code, statusCode, validation } = error as Partial<FastifyError>;
  if (validation)
    return new HeadgateError(apiErrors.E_REQUEST, 'the request does not have the described shape', {
      details: validation.map((issue) => ({
        code: apiErrors.E_REQUEST,
        message: describeIssue(issue),
        path: issue.instancePath || '/',
      })),
    });
  if (statusCode === 413) return new HeadgateError(apiErrors.E_REQUEST_TOO_LARGE, 'the body is too large');
  if (statusCode === 415) return new HeadgateError(apiErrors.E_MEDIA_TYPE, 'this media type is not taken here');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new HeadgateError(
      apiErrors.E_REQUEST,
      code === 'FST_ERR_CTP_EMPTY_JSON_BODY' ? 'the body is empty' : 'the request could not be read',
    );
  return new HeadgateError(apiErrors.E_INTERNAL, 'the product failed; the log has the cause under the trace id', { cause: error });
}

/** By keyword of JSON Schema: what stands before and behind the limit. */
const limitWords: Readonly<Record<string, readonly [string, string]>> = {
  minLength: ['must have at least ', ' characters'],
  maxLength: ['must have at most ', ' characters'],
  minItems: ['must have at least ', ' items'],
  maxItems: ['must have at most ', ' items'],
  minProperties: ['must have at least ', ' fields'],
  maxProperties: ['must have at most ', ' fields'],
  minimum: ['must be at least ', ''],
  maximum: ['must be at most ', ''],
};

function describeIssue(issue: NonNullable<FastifyError['validation']>[number]): string {
  const { params, keyword, message } = issue;
  if (keyword === 'additionalProperties') return `unknown field ${JSON.stringify(String(params.additionalProperty)).slice(0, 80)}`;
  if (keyword === 'required') return `the field ${JSON.stringify(String(params.missingProperty)).slice(0, 80)} is missing`;
  if (keyword === 'enum')
    return describeChoice((params.allowedValues as readonly unknown[]).map(String), (issue as { readonly data?: unknown }).data);
  const { minimum, maximum } = ((issue as { readonly parentSchema?: unknown }).parentSchema ?? {}) as Readonly<Record<string, unknown>>;
  if ((keyword === 'minimum' || keyword === 'maximum') && minimum !== undefined && maximum !== undefined)
    return `must be from ${minimum} to ${maximum}`;
  const limit = limitWords[keyword];
  if (limit !== undefined) return limit.join(String(params.limit));
  if (keyword === 'pattern') return patternWords[String(params.pattern)] ?? message ?? 'is not valid';
  return message ?? 'is not valid';
}

/** The value itself is not repeated. */
function describeChoice(allowed: readonly string[], value: unknown): string {
  const nearest = typeof value === 'string' ? nearestName(value, allowed) : null;
  return `must be one of ${allowed.join(', ')}${nearest === null ? '' : `; did you mean ${nearest}?`}`;
}

export function sendProblem(reply: FastifyReply, error: HeadgateError, status = statusOf(error), retryAfterSeconds?: number): FastifyReply {
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(Math.max(1, Math.ceil(retryAfterSeconds))));
  else if (status === 503 || status === 429) reply.header('retry-after', '1');
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(status).type('application/problem+json').send(problemOf(error, status));
}

/** Logs once what is ours to mend; the caller's own mistakes are only counted. */
export function problemHandler(logger: Logger) {
  return (thrown: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const error = asHeadgateError(thrown);
    const status = statusOf(error);
    if (status >= 500)
      logger.error('request failed', {
        route: request.routeOptions.url,
        method: request.method,
        status,
        error: error.code === 'E_INTERNAL' ? thrown : error,
      });
    return sendProblem(reply, error, status);
  };
}
