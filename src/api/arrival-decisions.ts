/** What people decide about arrivals that their flow held: to accept them after all, or to leave them in quarantine. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { arrivalErrors } from '../pipeline/arrivals/arrival-errors.ts';
import { findArrival, findFile } from '../pipeline/arrivals/arrival-views.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { describe, found, idParameter, named, object } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { actorOf, ownerOf } from './authentication.ts';
import { type DecisionBody, decisionBody, decisionHeaders, decisionProblems, keyedDecision } from './decision-requests.ts';

const summaries = {
  accept: 'Accepts an arrival that was held, with the bytes that were kept',
  refuse: 'Refuses an arrival that was held; its bytes stay in quarantine',
} as const;

export function arrivalDecisionRoutes({ db, jobs, heldArrivals }: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    for (const verb of ['accept', 'refuse'] as const)
      api.post<{ Params: { id: string }; Body: DecisionBody }>(
        `/arrivals/:id/${verb}`,
        {
          config: { scope: 'jobs:operate' },
          schema: describe({
            operationId: `${verb}Arrival`,
            summary: summaries[verb],
            tag: 'files',
            params: idParameter,
            headers: decisionHeaders,
            body: object(decisionBody),
            answers: { 200: Type.Union([named('DecidedArrival'), named('Arrival')]) },
            problems: decisionProblems,
          }),
        },
        async (request) => {
          const { tenantId } = ownerOf(request);
          const { reason, dryRun } = request.body;
          const arrivalId = request.params.id;
          const keyed = keyedDecision(request, ['arrival', verb, arrivalId, reason]);
          const arrival = found(await withTenant(db, tenantId, (tx) => findArrival(tx, arrivalId), { readOnly: true }));
          if (dryRun) {
            if (arrival.state !== 'held') throw new HeadgateError(arrivalErrors.E_ARRIVAL_STATE, `the arrival is ${arrival.state}`);
            return arrival;
          }
          const decided = await heldArrivals[verb]({ tenantId, arrivalId, reason, actor: actorOf(request), keyed });
          jobs.signals.chunks.notify();
          const { fileId } = decided;
          const file = fileId === null ? undefined : await withTenant(db, tenantId, (tx) => findFile(tx, fileId), { readOnly: true });
          return { ...decided, jobId: file?.jobIds[0] ?? null };
        },
      );
  };
}
