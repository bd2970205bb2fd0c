/** Health of the sources and targets of flows: what probes found last, a deep probe now, and the probes of one. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { getFlow } from '../control/flows/applying/flow-views.ts';
import { type HealthSubject, listSubjects, type SubjectFilter, subjectKinds } from '../insight/health/health-subjects.ts';
import { findNewest, listProbes, type Probe } from '../pipeline/deliveries/probes/probe-store.ts';
import { HeadgateError, nextOf } from '../platform/base/errors.ts';
import { type TenantTx, withTenant } from '../platform/tenancy/tenant-scope.ts';
import { choice, describe, line, named, object, pageOfItems, query } from './answers.ts';
import { apiErrors } from './api-errors.ts';
import type { ApiParts } from './api-parts.ts';
import { ownerOf } from './authentication.ts';
import { type AskedList, pageOf, pageQuery, readCursor, readNameCursor, writeCursor } from './paging.ts';

/** Of flows, for one answer: all their sources and targets are in it. */
const listedFlowsMax = 50;
const probedFlowsMax = 5;

const which = {
  flow: Type.Optional(line(120)),
  kind: Type.Optional(choice(subjectKinds)),
  id: Type.Optional(line(120, 'Of a source or target, as its flow calls it; needs `flow`.')),
};
const cursor = pageQuery.cursor;

export function targetHealthRoutes(parts: ApiParts) {
  const { db, probes } = parts;
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: SubjectFilter & { cursor?: string } }>(
      '/health',
      {
        config: { scope: 'flows:read' },
        schema: describe({
          operationId: 'listHealth',
          summary: 'Lists sources and targets of flows with what the last probe of each found',
          description: `By flow, those of up to ${listedFlowsMax} flows in one answer. It probes nothing.`,
          tag: 'health',
          // Of the usual page, the limit counts nothing here and is taken for the sake of clients that always send one.
          querystring: query({ ...which, ...pageQuery }),
          answers: { 200: pageOfItems(named('HealthSubject')) },
          problems: [404],
        }),
      },
      async (request) => {
        const { cursor: after, flow, kind, id: subjectId } = request.query;
        const page = { after: readNameCursor(request, after), flows: listedFlowsMax };
        return await withTenant(
          db,
          ownerOf(request).tenantId,
          async (tx) => {
            const { subjects, nextFlow } = await subjectsOf(tx, { flow, kind, id: subjectId }, page);
            return answerOf(request, subjects, await findNewest(tx, subjects), nextFlow);
          },
          { readOnly: true },
        );
      },
    );
    api.post<{ Body: SubjectFilter & { cursor?: string } }>(
      '/health/probe',
      {
        config: { scope: 'jobs:operate' },
        schema: describe({
          operationId: 'probeHealth',
          summary: 'Probes sources and targets of flows now, and says what was found',
          description: `A probe connects and logs in anew, with the secrets as they are now, sends no record, and ends within some seconds; one of a source or
target runs at a time, and whoever asks meanwhile gets what that one finds. Those of up to ${probedFlowsMax} flows in one answer.`,
          tag: 'health',
          body: object({ ...which, cursor }),
          answers: { 200: pageOfItems(named('HealthSubject')) },
          problems: [404, 413, 415],
        }),
      },
      async (request) => {
        const { tenantId } = ownerOf(request);
        const { cursor: after, flow, kind, id: subjectId } = request.body;
        const page = { after: readNameCursor(request, after), flows: probedFlowsMax };
        const { subjects, nextFlow } = await withTenant(db, tenantId, (tx) => subjectsOf(tx, { flow, kind, id: subjectId }, page), {
          readOnly: true,
        });
        return answerOf(request, subjects, await probes.probe(tenantId, subjects), nextFlow);
      },
    );
    api.get<{ Querystring: Required<SubjectFilter> & { cursor?: string; limit: number } }>(
      '/health/probes',
      {
        config: { scope: 'flows:read' },
        schema: describe({
          operationId: 'listProbes',
          summary: 'Lists the probes of one source or target, newest first',
          tag: 'health',
          querystring: query({ flow: line(120), kind: choice(subjectKinds), id: line(120), ...pageQuery }),
          answers: { 200: pageOfItems(named('Probe')) },
          problems: [404],
        }),
      },
      async (request) => {
        const { cursor: before, limit, ...filter } = request.query;
        const page = { before: readCursor(request, before), limit: limit + 1 };
        const rows = await withTenant(
          db,
          ownerOf(request).tenantId,
          async (tx) => {
            const { subjects } = await subjectsOf(tx, filter, { flows: 1 });
            return await listProbes(tx, subjects[0]!, page);
          },
          { readOnly: true },
        );
        const { items, nextCursor } = pageOf(request, rows, limit, ({ probeId }) => probeId);
        return { items: items.map((probe) => ({ probeId: probe.probeId, ...fieldsOf(probe) })), nextCursor };
      },
    );
  };
}

/** A name that is wrong is told, or a monitor that has it would see nothing unwell for ever. */
async function subjectsOf(tx: TenantTx, filter: SubjectFilter, page: { readonly after?: string; readonly flows: number }) {
  if (filter.id !== undefined && filter.flow === undefined)
    throw new HeadgateError(apiErrors.E_REQUEST, 'say of which flow: the id of a source or target is one of a kind in its flow only');
  const listed = await listSubjects(tx, filter, page);
  if (filter.flow === undefined || listed.subjects.length > 0) return listed;
  await getFlow(tx, filter.flow);
  throw new HeadgateError(apiErrors.E_NOT_FOUND, 'the flow has no source or target that is so called', {
    next: 'The list of the flow without an id names them (`headgate health --flow FLOW`).',
  });
}

function answerOf(list: AskedList, subjects: readonly HealthSubject[], probes: readonly (Probe | null)[], nextFlow: string | null) {
  const items = subjects.map(({ flow, kind, id: subjectId, type, connection }, index) => ({
    flow,
    kind,
    id: subjectId,
    type,
    connection,
    ...fieldsOf(probes[index] ?? null),
  }));
  return { items, nextCursor: nextFlow === null ? null : writeCursor(list, nextFlow) };
}

function fieldsOf(probe: Probe | null) {
  if (probe === null) return { state: 'unprobed', code: null, message: null, next: null, durationMs: null, probedAt: null, askedBy: null };
  const { code, message, durationMs, probedAt, askedBy } = probe;
  return {
    state: code === null ? 'healthy' : 'unhealthy',
    code,
    message,
    next: code === null ? null : nextOf(code) || null,
    durationMs,
    probedAt,
    askedBy,
  };
}
