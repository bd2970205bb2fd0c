/** The tenant's events in their gapless order, for subscribers that keep their own place. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { readEvents } from '../platform/events/event-cursor.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { query } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { ownerOf } from './authentication.ts';

const eventsQuery = query({
  after: Type.Optional(
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0, description: 'The last `seq` that was read.' }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
});

export function eventRoutes(parts: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: { after: number; limit: number } }>(
      '/events',
      { config: { scope: 'jobs:read' }, schema: { summary: 'Events after a place, in order', tags: ['events'], querystring: eventsQuery } },
      async (request) => ({
        items: await withTenant(
          parts.db,
          ownerOf(request).tenantId,
          (tx) => readEvents(tx, { after: request.query.after, limit: request.query.limit }),
          { readOnly: true },
        ),
      }),
    );
  };
}
