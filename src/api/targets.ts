/** Targets of flows: how their breakers stand and what is parked, and a person's word about one. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { type FlowTarget, listFlowTargets } from '../control/flows/applying/flow-targets.ts';
import { getFlow, ofKnownFlow } from '../control/flows/applying/flow-views.ts';
import { breakerDecisions, decideBreaker, hastenWaiting, type WaitingPlace } from '../pipeline/deliveries/breakers/breaker-decisions.ts';
import { breakerStates } from '../pipeline/deliveries/breakers/breaker-state.ts';
import type { BreakerKey } from '../pipeline/deliveries/breakers/breaker-store.ts';
import { type BreakerView, listBreakerChanges, viewBreakers } from '../pipeline/deliveries/breakers/breaker-views.ts';
import { checkReason } from '../platform/access/decision-reason.ts';
import { answerOnce } from '../platform/access/idempotency-keys.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { type TenantTx, withTenant } from '../platform/tenancy/tenant-scope.ts';
import { choice, describe, line, named, object, pageOfItems, query } from './answers.ts';
import { apiErrors } from './api-errors.ts';
import type { ApiParts } from './api-parts.ts';
import { actorOf, ownerOf } from './authentication.ts';
import { type DecisionBody, decisionBody, decisionHeaders, decisionProblems, keyedDecision } from './decision-requests.ts';
import { pageQuery, readNameCursor, writeCursor } from './paging.ts';

/** Of flows, for one answer: all their targets are in it. */
const flowsMax = 50;

interface Which {
  readonly name: string;
  readonly target: string;
}

const which = object({ name: line(120), target: line(120) });

export function targetRoutes(parts: ApiParts) {
  const { db } = parts;
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: { flow?: string; state?: BreakerView['state']; cursor?: string } }>(
      '/targets',
      {
        config: { scope: 'flows:read' },
        schema: describe({
          operationId: 'listTargets',
          summary: 'Lists targets of flows: how the breaker of each stands, and what is parked for it',
          description: `By flow, those of up to ${flowsMax} flows in one answer.`,
          tag: 'targets',
          // Of the usual page, the limit counts nothing here and is taken for the sake of clients that always send one.
          querystring: query({ flow: Type.Optional(line(120)), state: Type.Optional(choice(breakerStates)), ...pageQuery }),
          answers: { 200: pageOfItems(named('TargetSummary')) },
          problems: [404],
        }),
      },
      async (request) => {
        const { flow, state, cursor } = request.query;
        return await withTenant(
          db,
          ownerOf(request).tenantId,
          async (tx) => {
            const { targets, nextFlow } = await listFlowTargets(tx, { flow }, { after: readNameCursor(request, cursor), flows: flowsMax });
            await ofKnownFlow(tx, flow, targets);
            const items = await summariesOf(tx, targets);
            return {
              items: items.filter((item) => state === undefined || item.state === state),
              nextCursor: nextFlow === null ? null : writeCursor(request, nextFlow),
            };
          },
          { readOnly: true },
        );
      },
    );
    api.get<{ Params: Which }>(
      '/targets/:name/:target',
      {
        config: { scope: 'flows:read' },
        schema: describe({
          operationId: 'getTarget',
          summary: 'Shows a target with its breaker and the last changes of that',
          tag: 'targets',
          params: which,
          answers: { 200: named('Target') },
          problems: [404],
        }),
      },
      async (request) =>
        await withTenant(
          db,
          ownerOf(request).tenantId,
          async (tx) => {
            const target = await findTarget(tx, request.params);
            const [summary] = await summariesOf(tx, [target]);
            return { ...summary, changes: await listBreakerChanges(tx, target) };
          },
          { readOnly: true },
        ),
    );
    decisionRoute(api, parts, {
      path: 'breaker',
      operationId: 'decideBreaker',
      summary: 'Opens a breaker, closes it, or lets it decide by itself',
      description: `\`open\`: nothing is sent to the target; \`close\`: its failures open nothing; both hold until \`auto\`. A dry run shows the target as it is.`,
      body: { action: choice(breakerDecisions) },
    });
    decisionRoute(api, parts, {
      path: 'probe',
      operationId: 'probeTarget',
      summary: 'Tries at once whether the target of an open breaker is back',
      description:
        'As its breaker does by itself later: it is asked without a record, then a few batches are sent. Nothing changes where the breaker is not open.',
      body: {},
    });
  };
}

interface DecisionRoute {
  readonly path: 'breaker' | 'probe';
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly body: Parameters<typeof object>[0];
}

function decisionRoute(api: FastifyInstance, { db, ports, jobs }: ApiParts, { path, body, ...route }: DecisionRoute): void {
  api.post<{ Params: Which; Body: DecisionBody & { action?: (typeof breakerDecisions)[number] } }>(
    `/targets/:name/:target/${path}`,
    {
      config: { scope: 'jobs:operate' },
      schema: describe({
        ...route,
        tag: 'targets',
        params: which,
        headers: decisionHeaders,
        body: object({ ...body, ...decisionBody }),
        answers: { 200: named('TargetSummary') },
        problems: decisionProblems.filter((status) => status !== 409),
      }),
    },
    async (request) => {
      const { name, target: targetId } = request.params;
      const { action, reason, dryRun } = request.body;
      const decision = action ?? ('probe' as const);
      const keyed = keyedDecision(request, ['breaker', name, targetId, decision, reason]);
      const { tenantId } = ownerOf(request);
      let waiting: { readonly key: BreakerKey; readonly place: WaitingPlace | null } | undefined;
      const answer = await withTenant(db, tenantId, async (tx) => {
        const target = await findTarget(tx, request.params);
        if (dryRun) return (await summariesOf(tx, [target]))[0]!;
        const word = { ...target, decision, reason: checkReason(reason), actor: actorOf(request) };
        return await answerOnce(tx, keyed, async () => {
          waiting = { key: target, place: await decideBreaker(tx, { queue: jobs.queue, ports }, word) };
          return (await summariesOf(tx, [target]))[0]!;
        });
      });
      jobs.signals.breaker.notify();
      if (waiting?.place != null) await hastenWaiting(jobs, tenantId, waiting.key, waiting.place);
      return answer;
    },
  );
}

/** Fails with E_FLOW_UNKNOWN and E_NOT_FOUND. */
async function findTarget(tx: TenantTx, { name, target }: Which): Promise<FlowTarget> {
  const { targets } = await listFlowTargets(tx, { flow: name }, { flows: 1 });
  const wanted = targets.find(({ targetId }) => targetId === target);
  if (wanted !== undefined) return wanted;
  await getFlow(tx, name);
  throw new HeadgateError(apiErrors.E_NOT_FOUND, 'the flow has no target of that id', {
    next: targets.length === 0 ? undefined : `Its targets are ${targets.map(({ targetId }) => targetId).join(', ')}.`,
  });
}

async function summariesOf(tx: TenantTx, targets: readonly FlowTarget[]) {
  const keys = targets.map(({ flowId, targetId, target }) => ({
    flowId,
    targetId,
    concurrency: target.concurrency,
    probes: target.breaker.probes,
  }));
  const breakers = await viewBreakers(tx, keys);
  return targets.map(({ flow, targetId, target: { type, connection } }, index) => ({
    flow,
    targetId,
    type,
    connection,
    ...breakers[index]!,
  }));
}
