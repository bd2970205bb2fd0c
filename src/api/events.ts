/** The tenant's events in their gapless order, for subscribers that keep their own place. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { eventsPerReadMax } from '../platform/events/event-cursor.ts';
import { type EventType, eventTypes } from '../platform/events/event-types.ts';
import { findEvents } from '../platform/events/event-views.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { choice, count, describe, id, named, nullable, object, query } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { ownerOf } from './authentication.ts';

const place = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

interface EventsQuery {
  readonly after: number;
  readonly before?: number;
  readonly order: 'asc' | 'desc';
  readonly about?: string;
  readonly type?: EventType;
  readonly limit: number;
}

const eventsQuery = query({
  after: Type.Optional(Type.Integer({ ...place, default: 0, description: 'The last `seq` that was read.' })),
  before: Type.Optional(
    Type.Integer({
      ...place,
      default: Number.MAX_SAFE_INTEGER,
      description: 'With order `desc`: the `seq` that the page before ended with.',
    }),
  ),
  order: Type.Optional(Type.Unsafe<'asc' | 'desc'>({ ...choice(['asc', 'desc'] as const), default: 'asc' })),
  about: Type.Optional(Type.String({ ...id, description: 'The `objectId`: a job, an arrival, a batch and so on.' })),
  type: Type.Optional(choice(eventTypes)),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: eventsPerReadMax, default: 100 })),
});

export function eventRoutes({ db }: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: EventsQuery }>(
      '/events',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'readEvents',
          summary: 'Events after a place, in order',
          description:
            'Numbers have no gaps: go on after the last `seq` that came. An event has a number shortly after it happened. Of a `type` ten thousand events are looked at: `next` says where to go on, null that all were.',
          tag: 'events',
          querystring: eventsQuery,
          answers: { 200: object({ items: Type.Array(named('Event')), next: nullable(count) }) },
        }),
      },
      async (request) => {
        const { order, before = Number.MAX_SAFE_INTEGER, ...wanted } = request.query;
        const latest = order === 'desc' ? { before } : undefined;
        return await withTenant(db, ownerOf(request).tenantId, (tx) => findEvents(tx, { ...wanted, latest }), { readOnly: true });
      },
    );
  };
}
