/** What people decide about jobs: release, reject, cancel. A dry run shows the records and money that it affects. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { JobAction } from '../control/jobs/job-actions.ts';
import { cancelJob, previewDecision, rejectJob, releaseJob, retryCloseJob } from '../control/jobs/job-decisions.ts';
import { jobStates } from '../control/jobs/job-state.ts';
import { reasonMax } from '../platform/access/decision-reason.ts';
import { choice, describe, id, idParameter, line, named, object } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { actorOf, ownerOf } from './authentication.ts';
import { type DecisionBody, decisionBody, decisionHeaders, decisionProblems, keyedDecision } from './decision-requests.ts';

const body = object({
  ...decisionBody,
  reason: line(reasonMax, 'In words; kept with the job and in its receipt.'),
  version: Type.Optional(line(100, '`version` of a dry run: refused (E_DECISION_STALE) when the job has changed since.')),
});

const decisions: Readonly<Record<JobAction, { readonly summary: string; readonly decide: typeof releaseJob }>> = {
  release: { summary: 'Lets a held job go on: its valid records are delivered', decide: releaseJob },
  reject: { summary: 'Rejects a held job: nothing of it is delivered', decide: rejectJob },
  cancel: { summary: 'Cancels a job: what was not delivered yet is not delivered any more', decide: cancelJob },
  'retry-close': { summary: 'Tries again to close a job that did not balance, after its cause was mended', decide: retryCloseJob },
};

export function jobDecisionRoutes({ jobs }: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    for (const [verb, { summary, decide }] of Object.entries(decisions) as [JobAction, (typeof decisions)[JobAction]][])
      api.post<{ Params: { id: string }; Body: DecisionBody & { readonly version?: string } }>(
        `/jobs/:id/${verb}`,
        {
          config: { scope: 'jobs:operate' },
          schema: describe({
            operationId: verb === 'retry-close' ? 'retryCloseJob' : `${verb}Job`,
            summary,
            tag: 'jobs',
            params: idParameter,
            headers: decisionHeaders,
            body,
            answers: { 200: Type.Union([object({ jobId: id, state: choice(jobStates) }), named('DecisionPreview')]) },
            problems: decisionProblems,
          }),
        },
        async (request) => {
          const { tenantId } = ownerOf(request);
          const { reason, dryRun, version } = request.body;
          const jobId = request.params.id;
          const keyed = keyedDecision(request, ['job', verb, jobId, reason]);
          if (!dryRun) return decide(jobs, tenantId, { jobId, reason, actor: actorOf(request), previewed: version, keyed });
          return previewDecision(jobs, tenantId, jobId, verb);
        },
      );
  };
}
