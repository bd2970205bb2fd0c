/** Business keys whose later records are held back, at targets that keep their order, because one was given up: lists, release. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { ofKnownFlow } from '../control/flows/applying/flow-views.ts';
import { type BlockedKeyFilter, listBlockedKeys, previewRelease, releaseKeys } from '../pipeline/deliveries/held/blocked-key-store.ts';
import { checkReason } from '../platform/access/decision-reason.ts';
import { answerOnce } from '../platform/access/idempotency-keys.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { count, describe, id, line, named, object, pageOfItems, query, text } from './answers.ts';
import { apiErrors } from './api-errors.ts';
import type { ApiParts } from './api-parts.ts';
import { actorOf, ownerOf } from './authentication.ts';
import { type DecisionBody, decisionBody, decisionHeaders, decisionProblems, keyedDecision } from './decision-requests.ts';
import { limitMax, pageOf, pageQuery, readCursor } from './paging.ts';

interface Which {
  readonly deadLetter?: string;
  readonly job?: string;
  readonly flow?: string;
  readonly target?: string;
}

const which = {
  deadLetter: Type.Optional(id),
  job: Type.Optional(id),
  flow: Type.Optional(line(120)),
  target: Type.Optional(line(120)),
};

const filterOf = ({ deadLetter, job, flow, target }: Which): BlockedKeyFilter => ({
  deadLetterId: deadLetter,
  jobId: job,
  flow,
  targetId: target,
});

/** The list that a dry run shows the begin of, and that goes on with its cursor. */
const listed = { routeOptions: { url: '/v1/blocked-keys' }, params: {} };

export function blockedKeyRoutes(parts: ApiParts) {
  const { db } = parts;
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: Which & { cursor?: string; limit: number } }>(
      '/blocked-keys',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'listBlockedKeys',
          summary: 'Lists business keys whose later records are held back, by the record that was given up',
          tag: 'dead letters',
          querystring: query({ ...pageQuery, ...which }),
          answers: { 200: pageOfItems(named('BlockedKey')) },
          problems: [404],
        }),
      },
      async (request) => {
        const { cursor, limit, ...filter } = request.query;
        const page = { before: readCursor(request, cursor), limit: limit + 1 };
        const rows = await withTenant(
          db,
          ownerOf(request).tenantId,
          async (tx) => ofKnownFlow(tx, filter.flow, await listBlockedKeys(tx, filterOf(filter), page)),
          {
            readOnly: true,
          },
        );
        return pageOf(request, rows, limit, (key) => key.deadLetterId);
      },
    );
    releaseRoute(api, parts);
  };
}

function releaseRoute(api: FastifyInstance, { db, ports }: ApiParts): void {
  api.post<{ Body: DecisionBody & Which & { readonly version?: string } }>(
    '/blocked-keys/release',
    {
      config: { scope: 'jobs:operate' },
      schema: describe({
        operationId: 'releaseBlockedKeys',
        summary: 'Releases blocked keys: their next records are sent again',
        description: `Settle the record that was given up with the target first. Records that were held back stay dead letters. Which keys: at least one of
\`deadLetter\`, \`job\`, \`flow\` and \`target\`; all that are named must fit. A dry run shows the first ${limitMax}, and in \`keys\` how many there are.`,
        tag: 'dead letters',
        headers: decisionHeaders,
        body: object({
          ...which,
          ...decisionBody,
          version: Type.Optional(line(100, '`version` of a dry run: refused (E_BLOCKED_KEY_STALE) when other keys are blocked since.')),
        }),
        answers: {
          200: Type.Union([object({ released: count }), pageOfItems(named('BlockedKey'), { version: text, keys: count })]),
        },
        problems: decisionProblems.filter((status) => status !== 404),
      }),
    },
    async (request) => {
      const { tenantId } = ownerOf(request);
      const { reason, dryRun, version, ...chosen } = request.body;
      const { deadLetter = null, job = null, flow = null, target = null } = chosen;
      if ([deadLetter, job, flow, target].every((one) => one === null))
        throw new HeadgateError(apiErrors.E_REQUEST, 'say which keys: by deadLetter, job, flow or target');
      const keyed = keyedDecision(request, ['blocked keys', deadLetter, job, flow, target, reason]);
      const filter = filterOf(chosen);
      if (dryRun) {
        const { rows, ...all } = await withTenant(
          db,
          tenantId,
          async (tx) => ({ ...(await previewRelease(tx, filter)), rows: await listBlockedKeys(tx, filter, { limit: limitMax + 1 }) }),
          { readOnly: true, isolation: 'repeatable read' },
        );
        return { ...all, ...pageOf(listed, rows, limitMax, (key) => key.deadLetterId) };
      }
      const release = { filter, reason: checkReason(reason), actor: actorOf(request), previewed: version };
      return await withTenant(db, tenantId, (tx) =>
        answerOnce(tx, keyed, async () => ({ released: await releaseKeys(tx, ports.ids, release) })),
      );
    },
  );
}
