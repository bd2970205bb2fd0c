/** The streaming upload: any size, any media type, with the answers of decisions 34. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { nextOfArrival } from '../pipeline/arrivals/arrival-next.ts';
import { findFile, listMembers } from '../pipeline/arrivals/arrival-views.ts';
import { type UploadAnswer, type UploadRequest, uploadStatus } from '../pipeline/arrivals/upload.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { formatTraceparent } from '../platform/telemetry/trace-context.ts';
import { currentTrace } from '../platform/telemetry/work-context.ts';
import { type TenantTx, withTenant } from '../platform/tenancy/tenant-scope.ts';
import { describe, line, named, query } from './answers.ts';
import { apiErrors } from './api-errors.ts';
import type { ApiParts } from './api-parts.ts';
import { actorOf, ownerOf } from './authentication.ts';
import { sendProblem } from './problems.ts';
import { header, headerOf } from './request-headers.ts';
import { digestBehind, dropRest, readBody } from './upload-body.ts';

interface UploadQuery {
  readonly flow: string;
  readonly name: string;
}

const uploadQuery = query({
  flow: line(120, 'The flow that the file is for.'),
  name: Type.String({ minLength: 1, maxLength: 1024, description: "The file's name, as data." }),
});

const route = describe({
  operationId: 'uploadFile',
  summary: 'Uploads a file',
  description: `The body is the file, of any size and media type; no form around it (415). 201: accepted; or unpacked, with the members and their jobs. 200: a duplicate of one that was accepted, with that one's file and job. 202: held for a person.
422 with state quarantined: its bytes are kept apart, and it goes nowhere. 429 and 507: no room, nothing was kept.
\`Repr-Digest\` or \`Content-Digest\` (RFC 9530) with sha-256 is checked, as a header and not as a trailer (400); \`Idempotency-Key\` makes a repeat safe; one \`Content-Encoding\`, \`gzip\` or \`zstd\`, is unpacked.`,
  tag: 'files',
  querystring: uploadQuery,
  headers: Type.Object({
    'idempotency-key': header(
      'Makes a repeat safe: the same file, name and flow again under it has the same answer, for seven days. 1 to 255 visible ASCII characters.',
    ),
    'repr-digest': header(
      'RFC 9530, with sha-256: the SHA-256 of the body as it is sent. What does not match is refused, and nothing kept.',
    ),
    'content-digest': header('The same as Repr-Digest; where both come, both must match.'),
    'content-encoding': header(
      'gzip or zstd: the body is packed so, and is unpacked. Refused (415) where the flow says that its files come packed.',
    ),
  }),
  answers: {
    201: Type.Union([named('AcceptedUpload'), named('UnpackedUpload')]),
    200: named('DuplicateUpload'),
    202: named('UndecidedUpload'),
  },
  problems: [404, 409, 413, 415, 507],
});
const refusals = {
  422: {
    description: 'Quarantined; or refused, with nothing kept.',
    content: {
      'application/json': { schema: named('UndecidedUpload') },
      'application/problem+json': { schema: named('Problem') },
    },
  },
};

/** For the description only: a body that Fastify knew the shape of would be read as a whole and checked. */
const fileBody = (bytesMax: number) => {
  const schema = Type.String({ format: 'binary', maxLength: bytesMax });
  return { content: { 'application/octet-stream': { schema }, '*/*': { schema } } };
};

/** Its own scope of the server, because here a body of any media type stays a stream. */
export function uploadRoutes(parts: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    api.removeAllContentTypeParsers();
    api.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    api.addHook('onResponse', async (request) => dropRest(request.raw, parts.ports.sleep));
    api.post<{ Querystring: UploadQuery }>(
      '/files',
      {
        config: { scope: 'files:write', isStream: true, describedBody: fileBody(parts.settings.uploadBytesMax) },
        bodyLimit: Number.MAX_SAFE_INTEGER,
        schema: { ...route, response: { ...route.response, ...refusals } },
      },
      async (request, reply) => {
        assertNoForm(request.headers['content-type']);
        assertNoDigestBehind(request.headers['trailer']);
        const answer = await parts.uploads.receiveUpload(uploadOf(request, parts));
        if (answer.kind === 'refused') {
          parts.metrics.add('headgate_admission_refused_total', { tenant: ownerOf(request).tenantName, limit: answer.limit });
          const error = new HeadgateError(answer.code, 'the tenant has no room for this file now; nothing was kept', { retryable: true });
          return sendProblem(reply, error, answer.reason === 'full' ? 507 : 429, answer.retryAfterMs / 1000);
        }
        if (answer.kind === 'unpacked') {
          const { kind, ...taken } = answer;
          const list = (tx: TenantTx) => listMembers(tx, answer.arrivalId);
          const members = await withTenant(parts.db, ownerOf(request).tenantId, list, { readOnly: true });
          return reply.code(uploadStatus[kind]).send({ state: kind, ...taken, members });
        }
        const jobId = await findJob(parts, ownerOf(request).tenantId, answer);
        return reply.code(uploadStatus[answer.kind]).send(bodyOf(answer, jobId));
      },
    );
  };
}

/** A form would be kept as it came, with its borders as records. Fails with E_MEDIA_TYPE. */
function assertNoForm(mediaType: string | undefined): void {
  if (!/^\s*multipart\//i.test(mediaType ?? '')) return;
  const message = 'the body of an upload is the file itself, with no form around it; with curl: --data-binary @FILE';
  throw new HeadgateError(apiErrors.E_MEDIA_TYPE, message);
}

/** Nobody would look at one that comes behind the body. Fails with E_DIGEST_HEADER. */
function assertNoDigestBehind(trailer: string | undefined): void {
  if (/(?:^|,)\s*(?:repr|content)-digest\s*(?:,|$)/i.test(trailer ?? '')) throw digestBehind();
}

function uploadOf(request: FastifyRequest<{ Querystring: UploadQuery }>, parts: ApiParts): UploadRequest {
  const length = request.headers['content-length'];
  const trace = currentTrace();
  return {
    tenantId: ownerOf(request).tenantId,
    flowName: request.query.flow,
    name: nameOf(request),
    headers: {
      reprDigest: headerOf(request, 'repr-digest'),
      contentDigest: headerOf(request, 'content-digest'),
      idempotencyKey: headerOf(request, 'idempotency-key'),
      contentLength: length === undefined ? undefined : Number(length),
      contentEncoding: headerOf(request, 'content-encoding'),
    },
    body: readBody(request.raw, parts.settings.uploadIdleMs),
    traceparent: trace ? formatTraceparent(trace) : null,
    actor: actorOf(request),
  };
}

/** The parser of queries leaves escapes as they are that are no UTF-8, which would be another name: then it is none that is taken. */
function nameOf({ query: { name }, raw }: FastifyRequest<{ Querystring: UploadQuery }>): string {
  const given = /[?&]name=([^&#]*)/.exec(raw.url ?? '')?.[1] ?? '';
  try {
    decodeURIComponent(given.replaceAll('+', ' '));
    return name;
  } catch {
    return '\ud800';
  }
}

/** Of a duplicate, the job of the file that was first. */
async function findJob(parts: ApiParts, tenantId: string, answer: UploadAnswer): Promise<string | undefined> {
  const fileId = answer.kind === 'accepted' ? answer.fileId : answer.kind === 'duplicate' ? answer.of : undefined;
  if (fileId === undefined) return undefined;
  return (await withTenant(parts.db, tenantId, (tx) => findFile(tx, fileId), { readOnly: true }))?.jobIds[0];
}

function bodyOf(answer: Exclude<UploadAnswer, { kind: 'refused' | 'unpacked' }>, jobId: string | undefined): Record<string, unknown> {
  const { kind, ...rest } = answer;
  const isUndecided = answer.kind === 'held' || answer.kind === 'quarantined';
  const next = isUndecided ? nextOfArrival({ arrivalId: answer.arrivalId, state: answer.kind, reasonCode: answer.code }) : null;
  return { state: kind, ...rest, ...(isUndecided && { next: next ?? '' }), ...(jobId && { jobId }) };
}
