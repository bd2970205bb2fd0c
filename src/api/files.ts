/** Files and arrivals: the streaming upload with the answers of decisions 34, and lists. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { arrivalStates } from '../pipeline/arrivals/arrival-state.ts';
import { findArrival, findFile, listArrivals, listFiles } from '../pipeline/arrivals/arrival-views.ts';
import { type UploadAnswer, uploadStatus } from '../pipeline/arrivals/upload.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { formatTraceparent } from '../platform/telemetry/trace-context.ts';
import { currentTrace } from '../platform/telemetry/work-context.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { found, idParameter, pageAnswer, query } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { actorOf, ownerOf } from './authentication.ts';
import { pageOf, pageQuery, readCursor } from './paging.ts';
import { sendProblem } from './problems.ts';
import { readBody } from './upload-body.ts';

interface ListQuery {
  readonly cursor?: string;
  readonly limit: number;
  readonly flow?: string;
  readonly state?: string;
}

const flowFilter = { flow: Type.Optional(Type.String({ maxLength: 120 })) };

export function fileRoutes(parts: ApiParts) {
  const { db } = parts;
  return async (api: FastifyInstance): Promise<void> => {
    await api.register(uploadRoute(parts));
    api.get<{ Querystring: ListQuery }>(
      '/files',
      {
        config: { scope: 'files:read' },
        schema: {
          summary: 'Lists accepted files',
          tags: ['files'],
          querystring: query({ ...pageQuery, ...flowFilter }),
          response: { 200: pageAnswer },
        },
      },
      async (request) => {
        const { cursor, limit, flow } = request.query;
        const rows = await withTenant(
          db,
          ownerOf(request).tenantId,
          (tx) => listFiles(tx, { before: readCursor(cursor), limit: limit + 1, flow }),
          { readOnly: true },
        );
        return pageOf(rows, limit, (file) => file.fileId);
      },
    );
    api.get<{ Params: { id: string } }>(
      '/files/:id',
      { config: { scope: 'files:read' }, schema: { summary: 'One accepted file', tags: ['files'], params: idParameter } },
      async (request) =>
        found(await withTenant(db, ownerOf(request).tenantId, (tx) => findFile(tx, request.params.id), { readOnly: true })),
    );
    api.get<{ Querystring: ListQuery }>(
      '/arrivals',
      {
        config: { scope: 'files:read' },
        schema: {
          summary: 'Lists arrivals, accepted or not',
          tags: ['files'],
          querystring: query({
            ...pageQuery,
            ...flowFilter,
            state: Type.Optional(Type.Union(arrivalStates.map((state) => Type.Literal(state)))),
          }),
          response: { 200: pageAnswer },
        },
      },
      async (request) => {
        const { cursor, limit, flow, state } = request.query;
        const rows = await withTenant(
          db,
          ownerOf(request).tenantId,
          (tx) => listArrivals(tx, { before: readCursor(cursor), limit: limit + 1, flow, state }),
          { readOnly: true },
        );
        return pageOf(rows, limit, (arrival) => arrival.arrivalId);
      },
    );
    api.get<{ Params: { id: string } }>(
      '/arrivals/:id',
      { config: { scope: 'files:read' }, schema: { summary: 'One arrival', tags: ['files'], params: idParameter } },
      async (request) =>
        found(await withTenant(db, ownerOf(request).tenantId, (tx) => findArrival(tx, request.params.id), { readOnly: true })),
    );
  };
}

const uploadQuery = query({
  flow: Type.String({ minLength: 1, maxLength: 120, description: 'The flow that the file is for.' }),
  name: Type.String({ minLength: 1, maxLength: 1024, description: "The file's name, as data." }),
});

/** Its own scope of the server, because here a body of any media type stays a stream. */
function uploadRoute(parts: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    api.removeAllContentTypeParsers();
    api.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    api.post<{ Querystring: { flow: string; name: string } }>(
      '/files',
      {
        config: { scope: 'files:write' },
        bodyLimit: Number.MAX_SAFE_INTEGER,
        schema: {
          summary: 'Uploads a file: 201 accepted, 200 duplicate, 202 held, 422 quarantined, 429 or 507 refused with nothing kept',
          description:
            'The body is the file. `Repr-Digest` or `Content-Digest` (RFC 9530) with sha-256 is checked; `Idempotency-Key` makes a repeat safe.',
          tags: ['files'],
          querystring: uploadQuery,
        },
      },
      async (request, reply) => {
        const answer = await parts.uploads.receiveUpload(uploadOf(request, parts));
        if (answer.kind === 'refused') {
          // The rest of the body is not wanted: the sender may stop.
          reply.header('connection', 'close');
          const error = new HeadgateError(answer.code, 'the tenant has no room for this file now; nothing was kept', { retryable: true });
          return sendProblem(reply, error, answer.reason === 'full' ? 507 : 429, answer.retryAfterMs / 1000);
        }
        const jobId = answer.kind === 'accepted' ? await findJob(parts, ownerOf(request).tenantId, answer.fileId) : undefined;
        return reply.code(uploadStatus[answer.kind]).send(bodyOf(answer, jobId));
      },
    );
  };
}

function uploadOf(request: FastifyRequest<{ Querystring: { flow: string; name: string } }>, parts: ApiParts) {
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  const length = header('content-length');
  const trace = currentTrace();
  return {
    tenantId: ownerOf(request).tenantId,
    flowName: request.query.flow,
    name: request.query.name,
    headers: {
      reprDigest: header('repr-digest'),
      contentDigest: header('content-digest'),
      idempotencyKey: header('idempotency-key'),
      contentLength: length === undefined ? undefined : Number(length),
      contentEncoding: header('content-encoding'),
    },
    body: readBody(request.raw, parts.settings.uploadIdleMs),
    traceparent: trace ? formatTraceparent(trace) : null,
    actor: actorOf(request),
  };
}

async function findJob(parts: ApiParts, tenantId: string, fileId: string): Promise<string | undefined> {
  return (await withTenant(parts.db, tenantId, (tx) => findFile(tx, fileId), { readOnly: true }))?.jobIds[0];
}

function bodyOf(answer: Exclude<UploadAnswer, { kind: 'refused' }>, jobId: string | undefined): Record<string, unknown> {
  const { kind, ...rest } = answer;
  return { state: kind, ...rest, ...(jobId && { jobId }) };
}
