/**
 * The export of a closed job as a tar stream: content in the clear, so it needs a scope of its own, and leaves an event.
 * It is made while it is read; a reader that stays away is cut, and few run at once, for one tenant and for all.
 */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { openJobExport } from '../control/jobs/job-export.ts';
import { exportEntries } from '../pipeline/ledger/export/export-entries.ts';
import { writeTar } from '../pipeline/ledger/export/tar-stream.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { describe, idParameter, line, query } from './answers.ts';
import { apiErrors } from './api-errors.ts';
import type { ApiParts } from './api-parts.ts';
import { actorOf, ownerOf } from './authentication.ts';
import { createPlaces } from './tenant-places.ts';

/** Of one tenant. */
export const exportsAtOnceMax = 4;

const route = describe({
  operationId: 'exportJob',
  summary: 'Everything that backs the receipt of a closed job, in the clear',
  description: 'A tar archive, described in docs/verify.md; `headgate verify` recomputes the job from it. 409 while the job is open.',
  tag: 'jobs',
  params: idParameter,
  querystring: query({ reason: Type.Optional(line(500, 'Why it is looked at; kept in the event.')) }),
  answers: {},
  problems: [404, 409],
});
const archive = {
  200: { description: 'The archive.', content: { 'application/x-tar': { schema: Type.String({ format: 'binary' }) } } },
};

export function jobExportRoutes({ jobs, settings }: ApiParts) {
  const places = createPlaces({ tenantMax: exportsAtOnceMax, processMax: settings.exportsMax });
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Params: { id: string }; Querystring: { reason?: string } }>(
      '/jobs/:id/export',
      { config: { scope: 'records:reveal' }, schema: { ...route, response: { ...route.response, ...archive } } },
      async (request, reply) => {
        const { tenantId } = ownerOf(request);
        const end = places.take(tenantId);
        if (end === undefined) throw new HeadgateError(apiErrors.E_TOO_MANY_REQUESTS, 'as many exports as may be are being read already');
        reply.raw.once('close', end);
        const { job, fileName } = await openJobExport(jobs, tenantId, {
          jobId: request.params.id,
          actor: actorOf(request),
          reason: request.query.reason,
        });
        request.raw.socket.setTimeout(settings.uploadIdleMs);
        return reply
          .type('application/x-tar')
          .header('content-disposition', attachment(`${fileName}.tar`, `headgate-job-${request.params.id}.tar`))
          .send(Readable.from(writeTar(exportEntries(job)), { objectMode: false, highWaterMark: 256 * 1024 }));
      },
    );
  };
}

/** RFC 6266: the name as it is, encoded, and a plain one for those who do not read that. Always saved, never shown. */
export function attachment(name: string, plainName: string): string {
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*!]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plainName}"; filename*=UTF-8''${encoded}`;
}
