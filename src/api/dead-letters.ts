/** Records that were given up: lists, groups and one, and what became of a file over all jobs that sent records of it. Content only masked. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { ofKnownFlow } from '../control/flows/applying/flow-views.ts';
import { expiryPolicy } from '../control/redrives/dead-letter-expiry.ts';
import { findSampledGroup } from '../control/redrives/group-samples.ts';
import { getLineage } from '../control/redrives/lineage-view.ts';
import { listDeadLetterGroups } from '../pipeline/deliveries/endings/dead-letter-groups.ts';
import { type DeadLetterState, deadLetterStates } from '../pipeline/deliveries/endings/dead-letter-state.ts';
import {
  type DeadLetterCause,
  deadLetterCauses,
  getDeadLetter,
  listDeadLetters,
} from '../pipeline/deliveries/endings/dead-letter-store.ts';
import { allows } from '../platform/access/api-keys.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { choice, describe, found, id, idParameter, line, named, object, pageOfItems, query } from './answers.ts';
import { apiErrors } from './api-errors.ts';
import type { ApiParts } from './api-parts.ts';
import { ownerOf } from './authentication.ts';
import { groupId } from './dead-letter-schemas.ts';
import { type AskedList, pageOf, pageQuery, readCursor, readNameCursor } from './paging.ts';

interface ListQuery {
  readonly cursor?: string;
  readonly limit: number;
  readonly job?: string;
  readonly flow?: string;
  readonly target?: string;
  readonly cause?: DeadLetterCause;
  readonly state?: DeadLetterState;
  readonly group?: string;
}

const listQuery = query({
  ...pageQuery,
  job: Type.Optional(id),
  flow: Type.Optional(line(120)),
  target: Type.Optional(line(120)),
  cause: Type.Optional(choice(deadLetterCauses)),
  state: Type.Optional(choice(deadLetterStates)),
  group: Type.Optional(groupId),
});

interface GroupQuery {
  readonly cursor?: string;
  readonly limit: number;
  readonly job?: string;
  readonly flow?: string;
  readonly target?: string;
  readonly group?: string;
}

const groupQuery = query({
  ...pageQuery,
  job: Type.Optional(id),
  flow: Type.Optional(line(120)),
  target: Type.Optional(line(120)),
  group: Type.Optional(groupId),
});

/** Groups go by their ids. Fails with E_CURSOR. */
function readGroupCursor(list: AskedList, cursor: string | undefined): string | undefined {
  const last = readNameCursor(list, cursor);
  if (last !== undefined && !/^[0-9a-f]{32}$/.test(last))
    throw new HeadgateError(apiErrors.E_CURSOR, 'the cursor was not made by this list');
  return last;
}

export function deadLetterRoutes({ db, store }: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: ListQuery }>(
      '/dead-letters',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'listDeadLetters',
          summary: 'Lists dead letters',
          tag: 'dead letters',
          querystring: listQuery,
          answers: { 200: pageOfItems(named('DeadLetter')) },
          problems: [404],
        }),
      },
      async (request) => {
        const { cursor, limit, job, flow, target, cause, state, group } = request.query;
        const [filter, page] = [
          { jobId: job, flow, targetId: target, cause, state, groupId: group },
          { before: readCursor(request, cursor), limit: limit + 1 },
        ];
        const rows = await withTenant(
          db,
          ownerOf(request).tenantId,
          async (tx) => ofKnownFlow(tx, flow, await listDeadLetters(tx, filter, page)),
          { readOnly: true },
        );
        return pageOf(request, rows, limit, (letter) => letter.deadLetterId);
      },
    );
    api.get<{ Querystring: GroupQuery }>(
      '/dead-letters/groups',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'listDeadLetterGroups',
          summary: 'Lists open dead letters by what they have in common: flow, target, code and shape of the message',
          tag: 'dead letters',
          querystring: groupQuery,
          answers: { 200: pageOfItems(named('DeadLetterGroup')) },
          problems: [404],
        }),
      },
      async (request) => {
        const { cursor, limit, job, flow, target, group } = request.query;
        const filter = { jobId: job, flow, targetId: target, groupId: group };
        const rows = await withTenant(
          db,
          ownerOf(request).tenantId,
          async (tx) => {
            const { expireAfterMs } = await expiryPolicy(tx);
            const page = { after: readGroupCursor(request, cursor), limit: limit + 1, expireAfterMs };
            return ofKnownFlow(tx, flow, await listDeadLetterGroups(tx, filter, page));
          },
          { readOnly: true },
        );
        return pageOf(request, rows, limit, ({ groupId: last }) => last);
      },
    );
    api.get<{ Params: { group: string } }>(
      '/dead-letters/groups/:group',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'getDeadLetterGroup',
          summary: 'One group of open dead letters, with the fields of up to three of its records, masked',
          description: 'The fields only for a key with the scope records:read.',
          tag: 'dead letters',
          params: object({ group: groupId }),
          answers: { 200: named('SampledDeadLetterGroup') },
          problems: [404],
        }),
      },
      async (request) => {
        const { tenantId, scopes } = ownerOf(request);
        const wanted = { groupId: request.params.group, withFields: allows(scopes, 'records:read') };
        return found(await withTenant(db, tenantId, (tx) => findSampledGroup(tx, store, wanted), { readOnly: true }));
      },
    );
    api.get<{ Params: { id: string } }>(
      '/jobs/:id/lineage',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'getLineage',
          summary: 'The jobs of a lineage, and what became of the records of its file over all of them',
          tag: 'jobs',
          params: idParameter,
          answers: { 200: named('Lineage') },
          problems: [404],
        }),
      },
      (request) =>
        withTenant(db, ownerOf(request).tenantId, (tx) => getLineage(tx, request.params.id), {
          readOnly: true,
          isolation: 'repeatable read',
        }),
    );
    api.get<{ Params: { id: string } }>(
      '/dead-letters/:id',
      {
        config: { scope: 'jobs:read' },
        schema: describe({
          operationId: 'getDeadLetter',
          summary: 'One dead letter',
          tag: 'dead letters',
          params: idParameter,
          answers: { 200: named('DeadLetter') },
          problems: [404],
        }),
      },
      (request) => withTenant(db, ownerOf(request).tenantId, (tx) => getDeadLetter(tx, request.params.id), { readOnly: true }),
    );
  };
}
