/** What blob services tell of new objects: their notifications, as they send them. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { eventsMax } from '../pipeline/arrivals/blob/blob-events.ts';
import { count, describe, line, object, text } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { ownerOf } from './authentication.ts';

interface Which {
  readonly name: string;
  readonly source: string;
}

const anything = Type.Object({});

export function sourceEventRoutes({ toldBlobs }: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    api.post<{ Params: Which; Body: unknown }>(
      '/flows/:name/sources/:source/events',
      {
        config: { scope: 'sources:notify' },
        schema: describe({
          operationId: 'tellSource',
          summary: 'Tells a blob source of new objects',
          description: `The body is a notification of Amazon S3, EventBridge or Azure Event Grid, as they send it. The source looks for the named objects at once; nothing else in it is believed.
200: the answer to the question with which Event Grid begins a subscription.`,
          tag: 'flows',
          params: object({ name: line(120), source: line(120) }),
          body: Type.Union([Type.Array(anything, { maxItems: eventsMax }), anything]),
          answers: { 200: object({ validationResponse: text }), 202: object({ names: count, passedOver: count }) },
          problems: [404, 409, 413, 415, 422],
        }),
      },
      async (request, reply) => {
        const { name: flowName, source: sourceId } = request.params;
        const answer = await toldBlobs.tell({ tenantId: ownerOf(request).tenantId, flowName, sourceId, body: request.body });
        if (answer.kind === 'question') return reply.code(200).send({ validationResponse: answer.code });
        const { names, passedOver } = answer;
        return reply.code(202).send({ names, passedOver });
      },
    );
  };
}
