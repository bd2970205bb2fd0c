/** Records of a job: what became of each, and one with its fields masked. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { getRecord, listRecords } from '../control/jobs/views/record-views.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { choice, describe, id, idParameter, named, object, pageOfFile, query } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { ownerOf } from './authentication.ts';
import { pageQuery, readNumberCursor, writeNumberCursor } from './paging.ts';

const statuses = ['valid', 'rejected', 'filtered'] as const;

interface ListQuery {
  readonly cursor?: string;
  readonly limit: number;
  readonly after: number;
  readonly status?: (typeof statuses)[number];
}

const numberMax = Number.MAX_SAFE_INTEGER;
const recordParameters = object({ id, number: Type.Integer({ minimum: 1, maximum: numberMax }) });
const listQuery = query({
  ...pageQuery,
  after: Type.Optional(
    Type.Integer({ minimum: 0, maximum: numberMax, default: 0, description: 'Where to begin without a cursor: after this record number.' }),
  ),
  status: Type.Optional(choice(statuses)),
});

export function recordRoutes({ db, store }: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Params: { id: string }; Querystring: ListQuery }>(
      '/jobs/:id/records',
      {
        config: { scope: 'records:read' },
        schema: describe({
          operationId: 'listRecords',
          summary: 'Lists records of a job with their outcome',
          description:
            'A page of a rare status may be short or empty and still have a `nextCursor`. Of a job whose file is still being read (`isComplete` is false) the list ends before the first part that is not: ask again, from the last record on, when the job has gone on.',
          tag: 'records',
          params: idParameter,
          querystring: listQuery,
          answers: { 200: pageOfFile(named('RecordSummary')) },
          problems: [404],
        }),
      },
      async (request) => {
        const { cursor, limit, status } = request.query;
        const [after = request.query.after] = readNumberCursor(request, cursor, 1) ?? [];
        const page = await withTenant(
          db,
          ownerOf(request).tenantId,
          (tx) => listRecords(tx, store, request.params.id, { after, limit, status }),
          { readOnly: true },
        );
        const { items, nextAfter, isComplete } = page;
        return { isComplete, items, nextCursor: nextAfter === null ? null : writeNumberCursor(request, nextAfter) };
      },
    );
    api.get<{ Params: { id: string; number: number } }>(
      '/jobs/:id/records/:number',
      {
        config: { scope: 'records:read' },
        schema: describe({
          operationId: 'getRecord',
          summary: 'One record, its fields masked',
          tag: 'records',
          params: recordParameters,
          answers: { 200: named('Record') },
          problems: [404],
        }),
      },
      (request) =>
        withTenant(db, ownerOf(request).tenantId, (tx) => getRecord(tx, store, request.params.id, request.params.number), {
          readOnly: true,
        }),
    );
  };
}
