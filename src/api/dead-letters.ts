/** Records that were given up: lists and one. Never content. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { getDeadLetter, listDeadLetters } from '../pipeline/deliveries/dead-letter-store.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { idParameter, pageAnswer, query } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { ownerOf } from './authentication.ts';
import { pageOf, pageQuery, readCursor } from './paging.ts';

interface ListQuery {
  readonly cursor?: string;
  readonly limit: number;
  readonly job?: string;
  readonly target?: string;
  readonly cause?: 'refused' | 'exhausted' | 'poison' | 'operator';
}

const listQuery = query({
  ...pageQuery,
  job: Type.Optional(idParameter.properties.id),
  target: Type.Optional(Type.String({ maxLength: 120 })),
  cause: Type.Optional(Type.Union([Type.Literal('refused'), Type.Literal('exhausted'), Type.Literal('poison'), Type.Literal('operator')])),
});

export function deadLetterRoutes(parts: ApiParts) {
  const { db } = parts;
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: ListQuery }>(
      '/dead-letters',
      {
        config: { scope: 'jobs:read' },
        schema: { summary: 'Lists dead letters', tags: ['dead letters'], querystring: listQuery, response: { 200: pageAnswer } },
      },
      async (request) => {
        const { cursor, limit, job, target, cause } = request.query;
        const rows = await withTenant(
          db,
          ownerOf(request).tenantId,
          (tx) => listDeadLetters(tx, { jobId: job, targetId: target, cause }, { before: readCursor(cursor), limit: limit + 1 }),
          { readOnly: true },
        );
        return pageOf(rows, limit, (letter) => letter.deadLetterId);
      },
    );
    api.get<{ Params: { id: string } }>(
      '/dead-letters/:id',
      { config: { scope: 'jobs:read' }, schema: { summary: 'One dead letter', tags: ['dead letters'], params: idParameter } },
      (request) => withTenant(db, ownerOf(request).tenantId, (tx) => getDeadLetter(tx, request.params.id), { readOnly: true }),
    );
  };
}
