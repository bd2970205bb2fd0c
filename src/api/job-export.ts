/**
 * The export of a closed job as a tar stream: content in the clear, or sealed for an auditor's key. Whoever asks chooses the
 * key, so both need a scope of their own, and leave an event.
 * It is made while it is read; a reader that stays away is cut, and few run at once, for one tenant and for all.
 */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { openJobExport } from '../control/jobs/views/job-export.ts';
import { findJob, getReceipt } from '../control/jobs/views/job-views.ts';
import { auditorKeyFrom } from '../pipeline/ledger/export/auditor-key.ts';
import { exportEntries } from '../pipeline/ledger/export/export-entries.ts';
import { sealExport } from '../pipeline/ledger/export/sealed-export.ts';
import { writeTar } from '../pipeline/ledger/export/tar-stream.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { createPlaces } from '../platform/base/places.ts';
import type { Db } from '../platform/postgres/database.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { describe, found, idParameter, line, query } from './answers.ts';
import { apiErrors } from './api-errors.ts';
import type { ApiParts } from './api-parts.ts';
import { actorOf, ownerOf } from './authentication.ts';

/** Of one tenant. */
export const exportsAtOnceMax = 4;

const route = describe({
  operationId: 'exportJob',
  summary: "Everything that backs the receipt of a closed job, in the clear or sealed for an auditor's key",
  description: 'A tar archive, described in docs/verify.md; `headgate verify` recomputes the job from it. 409 while the job is open.',
  tag: 'jobs',
  params: idParameter,
  querystring: query({
    reason: Type.Optional(line(500, 'Why it is looked at; kept in the event.')),
    to: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{43}$',
        description: 'X25519 public key of an auditor, base64url: only its holder can read the answer.',
      }),
    ),
  }),
  answers: {},
  problems: [404, 409],
});
const sealedType = 'application/vnd.headgate.sealed-export';
const archive = {
  200: {
    description: 'The archive; with `to` sealed.',
    content: {
      'application/x-tar': { schema: Type.String({ format: 'binary' }) },
      [sealedType]: { schema: Type.String({ format: 'binary' }) },
    },
  },
};

export function jobExportRoutes({ db, jobs, settings, ports }: ApiParts) {
  const places = createPlaces({ tenantMax: exportsAtOnceMax, processMax: settings.exportsMax });
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Params: { id: string }; Querystring: { reason?: string; to?: string } }>(
      '/jobs/:id/export',
      { config: { scope: 'records:reveal' }, schema: { ...route, response: { ...route.response, ...archive } } },
      async (request, reply) => {
        const { tenantId } = ownerOf(request);
        const jobId = request.params.id;
        const to = request.query.to === undefined ? null : auditorKeyFrom(request.query.to);
        const ending = to === null ? 'tar' : 'sealed';
        const answer = (fileName: string, content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) =>
          reply
            .type(to === null ? 'application/x-tar' : sealedType)
            .header('content-disposition', attachment(`${fileName}.${ending}`, `headgate-job-${jobId}.${ending}`))
            .send(Readable.from(content, { objectMode: false, highWaterMark: 256 * 1024 }));
        if (request.method === 'HEAD') return answer(await findExportedFile(db, tenantId, jobId), []);
        const end = places.take(tenantId);
        if (end === undefined) throw new HeadgateError(apiErrors.E_TOO_MANY_REQUESTS, 'as many exports as may be are being read already');
        reply.raw.once('close', end);
        const { job, fileName } = await openJobExport(jobs, tenantId, {
          jobId,
          actor: actorOf(request),
          reason: request.query.reason,
          sealedFor: to?.kid,
        });
        request.raw.socket.setTimeout(settings.uploadIdleMs);
        const tar = writeTar(exportEntries(job));
        return answer(fileName, to === null ? tar : sealExport(tar, to, ports.rng));
      },
    );
  };
}

/** The name of what an export would hold; nobody sees anything of it, so there is no event. Fails as opening it does. */
async function findExportedFile(db: Db, tenantId: string, jobId: string): Promise<string> {
  return withTenant(
    db,
    tenantId,
    async (tx) => {
      await getReceipt(tx, jobId);
      return found(await findJob(tx, jobId)).file;
    },
    { readOnly: true },
  );
}

/** RFC 6266: the name as it is, encoded, and a plain one for those who do not read that. Always saved, never shown. */
export function attachment(name: string, plainName: string): string {
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*!]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plainName}"; filename*=UTF-8''${encoded}`;
}
