/** The acknowledgement of a file, for its sender: made while it is read, at most so many at once for one tenant and for all. */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { retryAcknowledgements } from '../control/jobs/acknowledging/acknowledgement-retry.ts';
import { openFileAcknowledgement } from '../control/jobs/views/file-acknowledgement.ts';
import { findFile } from '../pipeline/arrivals/arrival-views.ts';
import { type AcknowledgementForm, acknowledgementFormats, acknowledgementLevels } from '../pipeline/ledger/acknowledgement.ts';
import { allows } from '../platform/access/api-keys.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { createPlaces } from '../platform/base/places.ts';
import { nextTurn } from '../platform/base/system-ports.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { choice, count, describe, found, id, idParameter, instant, named, nullable, object, query, text } from './answers.ts';
import { apiErrors } from './api-errors.ts';
import type { ApiParts } from './api-parts.ts';
import { actorOf, ownerOf } from './authentication.ts';
import { type DecisionBody, decisionBody, decisionHeaders, decisionProblems, keyedDecision } from './decision-requests.ts';
import { attachment, exportsAtOnceMax } from './job-export.ts';

const types = {
  json: 'application/json',
  csv: 'text/csv; charset=utf-8',
  'pain.002': 'application/xml; charset=utf-8',
  nacha: 'text/plain; charset=us-ascii',
} as const;
const extensions = { json: 'json', csv: 'csv', 'pain.002': 'xml', nacha: 'ach' } as const;
const counts = object({ read: count, valid: count, rejected: count, filtered: count });
const json = object({
  acknowledgementVersion: Type.Literal(1),
  level: choice(acknowledgementLevels),
  file: object({ name: text, sha256: text, bytes: count }),
  member: nullable(object({ name: text, sha256: text, bytes: count })),
  flow: text,
  jobId: id,
  verdict: choice(['accepted', 'partial', 'rejected', 'cancelled'] as const),
  acceptedAt: instant,
  closedAt: instant,
  records: counts,
  passedOn: nullable(object({ records: count, unknown: count })),
  amounts: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown())),
  reasons: Type.Array(object({ code: text, message: text })),
  errors: Type.Array(object({ code: text, field: nullable(text), count, message: text })),
  rejected: Type.Optional(Type.Array(object({ record: count, code: text, field: nullable(text), message: text }))),
});
const route = describe({
  operationId: 'acknowledgeFile',
  summary: 'What became of a file, and which of its records were rejected, for its sender',
  description:
    'docs/acknowledgements.md. Codes, fields and record numbers, no content; but `nacha` holds the entries that are returned, and `pain.002` the identifications of the original: the first, and the second where one of them is masked, need the scope records:reveal too. 409 while the job of the file is open; 422 (E_NACHA_ANSWER) for `nacha` where no entry can be returned.',
  tag: 'files',
  params: idParameter,
  querystring: query({
    level: Type.Optional(choice(acknowledgementLevels)),
    format: Type.Optional(choice(acknowledgementFormats)),
  }),
  answers: {},
  problems: [400, 404, 409, 422],
});
const document = {
  200: {
    description: 'The acknowledgement.',
    content: {
      'application/json': { schema: json },
      'text/csv': { schema: Type.String({ format: 'binary' }) },
      'application/xml': { schema: Type.String({ format: 'binary' }) },
      'text/plain': { schema: Type.String({ format: 'binary' }) },
    },
  },
};

const retryRoute = describe({
  operationId: 'retryAcknowledgement',
  summary: 'Writes acknowledgements of a file again that were given up',
  tag: 'files',
  params: idParameter,
  headers: decisionHeaders,
  body: object(decisionBody),
  answers: { 200: Type.Union([object({ fileId: id, levels: Type.Array(choice(acknowledgementLevels)) }), named('FileDetails')]) },
  problems: decisionProblems,
});

/** Others have their turn between two pieces, also while nothing comes of what is read. */
async function* inTurns(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    if (piece.length > 0) yield piece;
    await nextTurn();
  }
}

/** Fails where the first piece does: what comes of the others is known when the answer has begun. Whoever does not take them all closes them. */
async function begin(pieces: AsyncGenerator<Uint8Array>): Promise<Readable> {
  const first = await pieces.next();
  async function* resumed(): AsyncGenerator<Uint8Array> {
    if (!first.done) yield first.value;
    yield* pieces;
  }
  const begun = Readable.from(resumed(), { objectMode: false });
  begun.once('close', () => void pieces.return(undefined));
  return begun;
}

export function acknowledgementRoutes({ db, jobs, settings }: ApiParts) {
  const places = createPlaces({ tenantMax: exportsAtOnceMax, processMax: settings.exportsMax });
  return async (api: FastifyInstance): Promise<void> => {
    api.post<{ Params: { id: string }; Body: DecisionBody }>(
      '/files/:id/acknowledgement/retry',
      { config: { scope: 'jobs:operate' }, schema: retryRoute },
      async (request) => {
        const { tenantId } = ownerOf(request);
        const { reason, dryRun } = request.body;
        const fileId = request.params.id;
        const keyed = keyedDecision(request, ['acknowledgement', 'retry', fileId, reason]);
        const file = found(await withTenant(db, tenantId, (tx) => findFile(tx, fileId), { readOnly: true }));
        return dryRun ? file : await retryAcknowledgements(jobs, tenantId, { fileId, reason, actor: actorOf(request), keyed });
      },
    );
    api.get<{ Params: { id: string }; Querystring: Partial<AcknowledgementForm> }>(
      '/files/:id/acknowledgement',
      { config: { scope: 'files:read' }, schema: { ...route, response: { ...route.response, ...document } } },
      async (request, reply) => {
        const { tenantId, scopes } = ownerOf(request);
        const { level = 'file', format = 'json' } = request.query;
        const end = places.take(tenantId);
        if (end === undefined)
          throw new HeadgateError(apiErrors.E_TOO_MANY_REQUESTS, 'as many acknowledgements as may be are being read already');
        reply.raw.once('close', end);
        const opened = found(
          await withTenant(db, tenantId, (tx) => openFileAcknowledgement(tx, jobs, request.params.id), { readOnly: true }),
        );
        if (opened.showsMasked({ level, format }) && !allows(scopes, 'records:reveal'))
          throw new HeadgateError(
            apiErrors.E_FORBIDDEN,
            `this acknowledgement as ${format} holds masked fields in the clear: it needs the scope records:reveal`,
          );
        request.raw.socket.setTimeout(settings.uploadIdleMs);
        const begun = await begin(inTurns(opened.pieces({ level, format })));
        if (request.method === 'HEAD') begun.destroy();
        return reply
          .type(types[format])
          .header(
            'content-disposition',
            attachment(`${opened.fileName}.ack.${extensions[format]}`, `headgate-file-${request.params.id}.ack.${extensions[format]}`),
          )
          .send(request.method === 'HEAD' ? Readable.from([], { objectMode: false }) : begun);
      },
    );
  };
}
