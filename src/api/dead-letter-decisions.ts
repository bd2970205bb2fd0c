/** What people decide about records that were given up: to send them again. A dry run shows records and money that it affects. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { createRedrive, previewRedrive } from '../control/redrives/redrive-creation.ts';
import { type RedriveSelection, redriveRecordsMax } from '../control/redrives/redrive-members.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { describe, id, line, named, object } from './answers.ts';
import { apiErrors } from './api-errors.ts';
import type { ApiParts } from './api-parts.ts';
import { actorOf, ownerOf } from './authentication.ts';
import { groupId } from './dead-letter-schemas.ts';
import { type DecisionBody, decisionBody, decisionHeaders, decisionProblems, keyedDecision } from './decision-requests.ts';

interface Which {
  readonly deadLetters?: readonly string[];
  readonly group?: string;
  readonly job?: string;
  readonly flow?: string;
  readonly target?: string;
}

const which = {
  deadLetters: Type.Optional(Type.Array(id, { minItems: 1, maxItems: redriveRecordsMax })),
  group: Type.Optional(groupId),
  job: Type.Optional(id),
  flow: Type.Optional(line(120)),
  target: Type.Optional(line(120)),
};

type RedriveBody = DecisionBody & Which & { readonly version?: string };

/** Fails with E_REQUEST when nothing is named. */
function selectionOf({ deadLetters, group, job, flow, target }: Which): RedriveSelection {
  if ([deadLetters, group, job, flow, target].every((one) => one === undefined))
    throw new HeadgateError(apiErrors.E_REQUEST, 'say which dead letters: by deadLetters, group, job, flow or target');
  return { deadLetterIds: deadLetters, groupId: group, jobId: job, flow, targetId: target };
}

export function deadLetterDecisionRoutes({ jobs }: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    api.post<{ Body: RedriveBody }>(
      '/redrives',
      {
        config: { scope: 'jobs:operate' },
        schema: describe({
          operationId: 'redriveDeadLetters',
          summary: 'Sends the records of open dead letters again, as new jobs of their lineage',
          description: `Which letters: at least one of \`deadLetters\`, \`group\`, \`job\`, \`flow\` and \`target\`; all that are named must fit, at most
${redriveRecordsMax} of one flow. The jobs that they come from stay as they are. A dry run shows what would be sent.`,
          tag: 'dead letters',
          headers: decisionHeaders,
          body: object({
            ...which,
            ...decisionBody,
            version: Type.Optional(line(100, '`version` of a dry run: refused (E_REDRIVE_STALE) when other letters are open since.')),
          }),
          answers: { 200: Type.Union([named('Redrive'), named('RedrivePreview')]) },
          problems: decisionProblems,
        }),
      },
      async (request) => {
        const { tenantId } = ownerOf(request);
        const { reason, dryRun, version, ...chosen } = request.body;
        const selection = selectionOf(chosen);
        if (dryRun) return await previewRedrive(jobs, tenantId, selection);
        const keyed = keyedDecision(request, ['redrive', JSON.stringify(chosen), reason, version ?? null]);
        return await createRedrive(jobs, tenantId, { selection, reason, actor: actorOf(request), previewed: version, keyed });
      },
    );
  };
}
