/** Jobs: lists, one with everything about it, its findings, its receipt. Decisions and exports have files of their own. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { ofKnownFlow } from '../control/flows/applying/flow-views.ts';
import { jobStates } from '../control/jobs/job-state.ts';
import { listFindings } from '../control/jobs/views/finding-views.ts';
import { findJob, getReceipt, listJobs } from '../control/jobs/views/job-views.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { choice, describe, found, idParameter, instant, line, named, object, pageOfFile, pageOfItems, query, text } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { ownerOf } from './authentication.ts';
import { pageOf, pageQuery, readCursor, readNumberCursor, writeNumberCursor } from './paging.ts';

interface ListQuery {
  readonly cursor?: string;
  readonly limit: number;
  readonly state?: string;
  readonly flow?: string;
}

interface FindingsQuery {
  readonly cursor?: string;
  readonly limit: number;
  readonly code?: string;
}

const receiptAnswer = object({ body: text, signature: text, keyId: text, createdAt: instant });

export function jobRoutes({ db, store }: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: ListQuery }>(
      '/jobs',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'listJobs',
          summary: 'Lists jobs',
          tag: 'jobs',
          querystring: query({ ...pageQuery, state: Type.Optional(choice(jobStates)), flow: Type.Optional(line(120)) }),
          answers: { 200: pageOfItems(named('JobSummary')) },
          problems: [404],
        }),
      },
      async (request) => {
        const { cursor, limit, state, flow } = request.query;
        const page = { before: readCursor(request, cursor), limit: limit + 1, state, flow };
        const rows = await withTenant(db, ownerOf(request).tenantId, async (tx) => ofKnownFlow(tx, flow, await listJobs(tx, page)), {
          readOnly: true,
        });
        return pageOf(request, rows, limit, (job) => job.jobId);
      },
    );
    api.get<{ Params: { id: string } }>(
      '/jobs/:id',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'getJob',
          summary: 'One job: counts, amounts, targets, verdict',
          tag: 'jobs',
          params: idParameter,
          answers: { 200: named('Job') },
          problems: [404],
        }),
      },
      async (request) => found(await withTenant(db, ownerOf(request).tenantId, (tx) => findJob(tx, request.params.id), { readOnly: true })),
    );
    api.get<{ Params: { id: string }; Querystring: FindingsQuery }>(
      '/jobs/:id/errors',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'listFindings',
          summary: 'Findings about records, in record order',
          description:
            'Every record that the check of the whole file excluded, and of the others the samples that are kept; the complete list is in the export. Of a job whose file is still being read (`isComplete` is false) the list ends before the first part that is not: ask again when the job has gone on.',
          tag: 'jobs',
          params: idParameter,
          querystring: query({ ...pageQuery, code: Type.Optional(line(64)) }),
          answers: { 200: pageOfFile(named('Finding')) },
          problems: [404],
        }),
      },
      async (request) => {
        const { cursor, limit, code } = request.query;
        const [record, finding] = readNumberCursor(request, cursor, 2) ?? [];
        const after = record === undefined || finding === undefined ? undefined : { record, finding };
        const { items: rows, isComplete } = await withTenant(
          db,
          ownerOf(request).tenantId,
          async (tx) => {
            found(await findJob(tx, request.params.id));
            return listFindings(tx, store, request.params.id, { after, code, limit: limit + 1 });
          },
          { readOnly: true },
        );
        const items = rows.slice(0, limit);
        const last = rows.length > limit ? items.at(-1) : undefined;
        return { isComplete, items, nextCursor: last ? writeNumberCursor(request, last.record, last.finding) : null };
      },
    );
    api.get<{ Params: { id: string } }>(
      '/jobs/:id/receipt',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'getReceipt',
          summary: 'The signed receipt of a closed job',
          description: '`body` is exactly what was signed: a JSON document of the schema Receipt. 409 while the job is open.',
          tag: 'jobs',
          params: idParameter,
          answers: { 200: receiptAnswer },
          problems: [404, 409],
        }),
      },
      (request) => withTenant(db, ownerOf(request).tenantId, (tx) => getReceipt(tx, request.params.id), { readOnly: true }),
    );
  };
}
