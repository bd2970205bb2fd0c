/** The tenant's events in their gapless order, for subscribers that keep their own place. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { eventsPerReadMax, readEvents } from '../platform/events/event-cursor.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { describe, named, object, query } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { ownerOf } from './authentication.ts';

const eventsQuery = query({
  after: Type.Optional(
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0, description: 'The last `seq` that was read.' }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: eventsPerReadMax, default: 100 })),
});

export function eventRoutes({ db }: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: { after: number; limit: number } }>(
      '/events',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'readEvents',
          summary: 'Events after a place, in order',
          description: 'Numbers have no gaps: go on after the last `seq` that came. An event has a number shortly after it happened.',
          tag: 'events',
          querystring: eventsQuery,
          answers: { 200: object({ items: Type.Array(named('Event')) }) },
        }),
      },
      async (request) => {
        const { after, limit } = request.query;
        const range = { after, limit };
        return { items: await withTenant(db, ownerOf(request).tenantId, (tx) => readEvents(tx, range), { readOnly: true }) };
      },
    );
  };
}
