/** Records of a job: what became of each, and one with its fields masked. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { getRecord, listRecords } from '../control/jobs/record-views.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { idParameter, query } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { ownerOf } from './authentication.ts';

type Status = 'valid' | 'rejected' | 'filtered';

const recordParameters = Type.Object(
  { id: idParameter.properties.id, number: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) },
  { additionalProperties: false },
);
const listQuery = query({
  after: Type.Optional(
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0, description: 'The last record number that was read.' }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 50 })),
  status: Type.Optional(Type.Union([Type.Literal('valid'), Type.Literal('rejected'), Type.Literal('filtered')])),
});

export function recordRoutes(parts: ApiParts) {
  const { db, store } = parts;
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Params: { id: string }; Querystring: { after: number; limit: number; status?: Status } }>(
      '/jobs/:id/records',
      {
        config: { scope: 'records:read' },
        schema: { summary: 'Lists records of a job with their outcome', tags: ['records'], params: idParameter, querystring: listQuery },
      },
      (request) =>
        withTenant(db, ownerOf(request).tenantId, (tx) => listRecords(tx, store, request.params.id, request.query), { readOnly: true }),
    );
    api.get<{ Params: { id: string; number: number } }>(
      '/jobs/:id/records/:number',
      {
        config: { scope: 'records:read' },
        schema: { summary: 'One record, its fields masked', tags: ['records'], params: recordParameters },
      },
      (request) =>
        withTenant(db, ownerOf(request).tenantId, (tx) => getRecord(tx, store, request.params.id, request.params.number), {
          readOnly: true,
        }),
    );
  };
}
