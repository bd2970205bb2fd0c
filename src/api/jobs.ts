/** Jobs: lists, one with everything about it, its findings, its receipt. Decisions about them are `job-decisions.ts`. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { jobStates } from '../control/jobs/job-state.ts';
import { findJob, getReceipt, listJobs, listRejections } from '../control/jobs/job-views.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { found, idParameter, pageAnswer, query } from './answers.ts';
import { apiErrors } from './api-errors.ts';
import type { ApiParts } from './api-parts.ts';
import { ownerOf } from './authentication.ts';
import { pageOf, pageQuery, readCursor } from './paging.ts';

interface ListQuery {
  readonly cursor?: string;
  readonly limit: number;
  readonly state?: string;
  readonly flow?: string;
}

const listQuery = query({
  ...pageQuery,
  state: Type.Optional(Type.Union(jobStates.map((state) => Type.Literal(state)))),
  flow: Type.Optional(Type.String({ maxLength: 120 })),
});
const errorsQuery = query({ ...pageQuery, code: Type.Optional(Type.String({ maxLength: 64 })) });

export function jobRoutes(parts: ApiParts) {
  const { db } = parts;
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: ListQuery }>(
      '/jobs',
      {
        config: { scope: 'jobs:read' },
        schema: { summary: 'Lists jobs', tags: ['jobs'], querystring: listQuery, response: { 200: pageAnswer } },
      },
      async (request) => {
        const { cursor, limit, state, flow } = request.query;
        const rows = await withTenant(
          db,
          ownerOf(request).tenantId,
          (tx) => listJobs(tx, { before: readCursor(cursor), limit: limit + 1, state, flow }),
          { readOnly: true },
        );
        return pageOf(rows, limit, (job) => job.jobId);
      },
    );
    api.get<{ Params: { id: string } }>(
      '/jobs/:id',
      { config: { scope: 'jobs:read' }, schema: { summary: 'One job', tags: ['jobs'], params: idParameter } },
      async (request) => found(await withTenant(db, ownerOf(request).tenantId, (tx) => findJob(tx, request.params.id), { readOnly: true })),
    );
    api.get<{ Params: { id: string }; Querystring: { cursor?: string; limit: number; code?: string } }>(
      '/jobs/:id/errors',
      {
        config: { scope: 'jobs:read' },
        schema: { summary: 'Findings about records, in record order', tags: ['jobs'], params: idParameter, querystring: errorsQuery },
      },
      async (request) => {
        const { cursor, limit, code } = request.query;
        const rows = await withTenant(
          db,
          ownerOf(request).tenantId,
          async (tx) => {
            found(await findJob(tx, request.params.id));
            return listRejections(tx, request.params.id, { after: readFindingCursor(cursor), code, limit: limit + 1 });
          },
          { readOnly: true },
        );
        const items = rows.slice(0, limit);
        const last = items[items.length - 1];
        return {
          items,
          nextCursor: rows.length > limit && last ? Buffer.from(`${last.record}.${last.finding}`).toString('base64url') : null,
        };
      },
    );
    api.get<{ Params: { id: string } }>(
      '/jobs/:id/receipt',
      { config: { scope: 'jobs:read' }, schema: { summary: 'The signed receipt of a closed job', tags: ['jobs'], params: idParameter } },
      (request) => withTenant(db, ownerOf(request).tenantId, (tx) => getReceipt(tx, request.params.id), { readOnly: true }),
    );
  };
}

function readFindingCursor(cursor: string | undefined): { record: number; finding: number } | undefined {
  if (cursor === undefined) return undefined;
  const match = /^(\d{1,15})\.(\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (!match) throw new HeadgateError(apiErrors.E_CURSOR, 'the cursor was not made by this list');
  return { record: Number(match[1]), finding: Number(match[2]) };
}
