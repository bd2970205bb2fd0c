/** Delivery batches: lists, one with its attempts, and what a person decides about one whose outcome nobody knows. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { ofKnownFlow } from '../control/flows/applying/flow-views.ts';
import { type AnswerFilter, answerFilters, listRefusals } from '../pipeline/deliveries/answers/answer-views.ts';
import { type BatchState, batchStates } from '../pipeline/deliveries/batch-state.ts';
import { getBatch, listBatches } from '../pipeline/deliveries/batch-views.ts';
import { assertDecidable, decideHeldBatch, type HeldDecision, heldDecisions } from '../pipeline/deliveries/held/held-batches.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { choice, describe, id, idParameter, line, named, object, pageOfItems, query } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { actorOf, ownerOf } from './authentication.ts';
import { type DecisionBody, decisionBody, decisionHeaders, decisionProblems, keyedDecision } from './decision-requests.ts';
import { pageOf, pageQuery, readCursor, readNumberCursor } from './paging.ts';

interface ListQuery {
  readonly cursor?: string;
  readonly limit: number;
  readonly flow?: string;
  readonly job?: string;
  readonly target?: string;
  readonly state?: BatchState;
  readonly answer?: AnswerFilter;
}

const listQuery = query({
  ...pageQuery,
  flow: Type.Optional(line(120)),
  job: Type.Optional(id),
  target: Type.Optional(line(120)),
  state: Type.Optional(choice(batchStates)),
  answer: Type.Optional(choice(answerFilters)),
});

export function batchRoutes(parts: ApiParts) {
  const { db } = parts;
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: ListQuery }>(
      '/batches',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'listBatches',
          summary: 'Lists delivery batches; those in state held wait for a decision',
          tag: 'batches',
          querystring: listQuery,
          answers: { 200: pageOfItems(named('BatchSummary')) },
          problems: [404],
        }),
      },
      async (request) => {
        const { cursor, limit, flow, job, target, state, answer } = request.query;
        const filter = { flow, jobId: job, targetId: target, state, answer };
        const page = { before: readCursor(request, cursor), limit: limit + 1 };
        const rows = await withTenant(
          db,
          ownerOf(request).tenantId,
          async (tx) => ofKnownFlow(tx, flow, await listBatches(tx, filter, page)),
          { readOnly: true },
        );
        return pageOf(request, rows, limit, (batch) => batch.batchId);
      },
    );
    api.get<{ Params: { id: string } }>(
      '/batches/:id',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'getBatch',
          summary: 'One delivery batch with its amounts and attempts',
          tag: 'batches',
          params: idParameter,
          answers: { 200: named('Batch') },
          problems: [404],
        }),
      },
      (request) => withTenant(db, ownerOf(request).tenantId, (tx) => getBatch(tx, request.params.id), { readOnly: true }),
    );
    api.get<{ Params: { id: string }; Querystring: { readonly cursor?: string; readonly limit: number } }>(
      '/batches/:id/refusals',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'listRefusals',
          summary: 'Records of a delivered batch that its target refused in an answer, one by one',
          tag: 'batches',
          params: idParameter,
          querystring: query(pageQuery),
          answers: { 200: pageOfItems(named('Refusal')) },
          problems: [404],
        }),
      },
      async (request) => {
        const { cursor, limit } = request.query;
        const page = { after: readNumberCursor(request, cursor, 1)?.[0] ?? null, limit: limit + 1 };
        const rows = await withTenant(db, ownerOf(request).tenantId, (tx) => listRefusals(tx, request.params.id, page), { readOnly: true });
        return pageOf(request, rows, limit, ({ position }) => String(position));
      },
    );
    resolveRoute(api, parts);
  };
}

function resolveRoute(api: FastifyInstance, { db, jobs }: ApiParts): void {
  api.post<{ Params: { id: string }; Body: DecisionBody & { readonly decision: HeldDecision['decision'] } }>(
    '/batches/:id/resolve',
    {
      config: { scope: 'jobs:operate' },
      schema: describe({
        operationId: 'resolveBatch',
        summary: 'Decides about a held batch: it was delivered, it is sent again, or it is given up',
        description:
          'Find out at the target first. `resend` makes it ready, and the same bytes are sent again, labelled as a possible duplicate where the outcome of an attempt is unknown. `discard` makes every record of it a dead letter. `delivered` is for a batch of which an attempt has an unknown outcome.',
        tag: 'batches',
        params: idParameter,
        headers: decisionHeaders,
        body: object({ decision: choice(heldDecisions), ...decisionBody }),
        answers: { 200: Type.Union([named('DecidedBatch'), named('Batch')]) },
        problems: decisionProblems,
      }),
    },
    async (request) => {
      const { tenantId } = ownerOf(request);
      const { decision, reason, dryRun } = request.body;
      const batchId = request.params.id;
      const keyed = keyedDecision(request, ['batch', decision, batchId, reason]);
      if (dryRun) {
        const batch = await withTenant(db, tenantId, (tx) => getBatch(tx, batchId), { readOnly: true });
        assertDecidable(batch, decision);
        return batch;
      }
      const { store, queue, ports, flows, signals } = jobs;
      const loadPlan = async (...version: Parameters<typeof flows.load>) => (await flows.load(...version)).plan;
      const services = { db, store, queue, ports, loadPlan };
      const decided = await decideHeldBatch(services, tenantId, { batchId, decision, reason, actor: actorOf(request), keyed });
      for (const kind of ['deliver', 'close'] as const) signals[kind].notify();
      return decided;
    },
  );
}
