/** What people decide about records that were given up: to send them again, repaired or not, or to discard them. A dry run shows records and money that it affects. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { discardDeadLetters, discardRecordsMax, previewDiscard } from '../control/redrives/dead-letter-discard.ts';
import { createRedrive, previewRedrive } from '../control/redrives/redrive-creation.ts';
import { type RedriveSelection, redriveRecordsMax } from '../control/redrives/redrive-members.ts';
import { allows } from '../platform/access/api-keys.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { count, describe, id, line, named, object, text } from './answers.ts';
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

const version = Type.Optional(line(100, '`version` of a dry run: refused (E_REDRIVE_STALE) when other letters are open since.'));

type DiscardBody = DecisionBody & Which & { readonly version?: string };
type RedriveBody = DecisionBody &
  Which & {
    readonly version?: string;
    readonly set?: Readonly<Record<string, string>>;
    readonly currentVersion?: boolean;
    readonly first?: number;
  };

const repairFieldsMax = 20;
const expressionMax = 2_000;

/** Fails with E_REQUEST when nothing is named. */
function selectionOf({ deadLetters, group, job, flow, target }: Which): RedriveSelection {
  if ([deadLetters, group, job, flow, target].every((one) => one === undefined))
    throw new HeadgateError(apiErrors.E_REQUEST, 'say which dead letters: by deadLetters, group, job, flow or target');
  return { deadLetterIds: deadLetters, groupId: group, jobId: job, flow, targetId: target };
}

const chosenText = 'Which letters: at least one of `deadLetters`, `group`, `job`, `flow` and `target`; all that are named must fit';

export function deadLetterDecisionRoutes(parts: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    redriveRoute(api, parts);
    discardRoute(api, parts);
  };
}

function redriveRoute(api: FastifyInstance, { jobs }: ApiParts): void {
  api.post<{ Body: RedriveBody }>(
    '/redrives',
    {
      config: { scope: 'jobs:operate' },
      schema: describe({
        operationId: 'redriveDeadLetters',
        summary: 'Sends the records of open dead letters again, as new jobs of their lineage',
        description: `${chosenText}, at most ${redriveRecordsMax} of one flow. \`set\` repairs the records first: an expression for each field
that gets another text. Only what the flow accepts is sent; the rest stays open. The jobs that the letters come from stay as they are. A dry run shows
every member before and after, masked. A repair needs the scope records:read too, because its preview shows fields, and
records:reveal where it asks about a masked field.`,
        tag: 'dead letters',
        headers: decisionHeaders,
        body: object({
          ...which,
          ...decisionBody,
          set: Type.Optional(
            Type.Record(Type.String({ minLength: 1, maxLength: 120 }), line(expressionMax), {
              minProperties: 1,
              maxProperties: repairFieldsMax,
            }),
          ),
          currentVersion: Type.Optional(
            Type.Boolean({
              description: 'Under the version of the flow that is in force, which must read the records alike (E_REDRIVE_VERSION).',
            }),
          ),
          first: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: redriveRecordsMax,
              description: 'Of what was chosen so many, in the order in which the files were accepted; left out, all.',
            }),
          ),
          version,
        }),
        answers: { 200: Type.Union([named('Redrive'), named('RedrivePreview')]) },
        problems: decisionProblems,
      }),
    },
    async (request) => {
      const { tenantId, scopes } = ownerOf(request);
      const { reason, dryRun, version: previewed, set, currentVersion = false, first, ...chosen } = request.body;
      const wanted = {
        selection: { ...selectionOf(chosen), first },
        repair: set ?? null,
        isCurrentVersion: currentVersion,
        mayReveal: allows(scopes, 'records:reveal'),
      };
      if (set !== undefined && !allows(scopes, 'records:read'))
        throw new HeadgateError(apiErrors.E_FORBIDDEN, 'a repair needs the scope records:read');
      if (dryRun) return await previewRedrive(jobs, tenantId, wanted);
      const keyed = keyedDecision(request, ['redrive', JSON.stringify([chosen, set ?? null, currentVersion, first ?? null]), reason]);
      return await createRedrive(jobs, tenantId, { ...wanted, reason, actor: actorOf(request), previewed, keyed });
    },
  );
}

function discardRoute(api: FastifyInstance, { jobs }: ApiParts): void {
  api.post<{ Body: DiscardBody }>(
    '/dead-letters/discard',
    {
      config: { scope: 'jobs:operate' },
      schema: describe({
        operationId: 'discardDeadLetters',
        summary: 'Discards open dead letters: their records will not be sent',
        description: `${chosenText}, at most ${discardRecordsMax}. Ledgers and receipts stay as they are.`,
        tag: 'dead letters',
        headers: decisionHeaders,
        body: object({ ...which, ...decisionBody, version }),
        answers: {
          200: Type.Union([
            object({ discarded: count }),
            object({ version: text, records: count, groups: Type.Array(named('DeadLetterGroup')) }),
          ]),
        },
        problems: decisionProblems,
      }),
    },
    async (request) => {
      const { tenantId } = ownerOf(request);
      const { reason, dryRun, version: previewed, ...chosen } = request.body;
      const selection = selectionOf(chosen);
      if (dryRun) return await previewDiscard(jobs, tenantId, selection);
      const keyed = keyedDecision(request, ['discard dead letters', JSON.stringify(chosen), reason]);
      return await discardDeadLetters(jobs, tenantId, { selection, reason, actor: actorOf(request), previewed, keyed });
    },
  );
}
