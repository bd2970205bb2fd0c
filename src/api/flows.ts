/** Flows: list, get, plan, apply, switch. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { applyDocument, planDocument, type TaggedOutcome } from '../control/flows/applying/apply-document.ts';
import { tagOfFlow } from '../control/flows/applying/document-tag.ts';
import { readFlowHistory } from '../control/flows/applying/flow-history.ts';
import { switchFlow } from '../control/flows/applying/flow-store.ts';
import { getFlow, getFlowSource, listFlows, listFlowVersions } from '../control/flows/applying/flow-views.ts';
import { listFoldersOfOthers } from '../control/flows/applying/other-tenants-folders.ts';
import type { ConnectionFence } from '../control/flows/applying/tenant-references.ts';
import type { Connection, HeadgateDocument } from '../control/flows/definition.ts';
import { loadDocument } from '../control/flows/load-flow.ts';
import { hastenAcknowledgements } from '../control/jobs/acknowledging/acknowledgement-rows.ts';
import { sendAllMendedAgain, sendMendedAgain } from '../pipeline/deliveries/held/held-again.ts';
import { answerOnce } from '../platform/access/idempotency-keys.ts';
import { connectionSecretFolders } from '../platform/secrets/connection-secrets.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { describe, line, named, nameParameter, object, pageOfItems, query, text } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { actorOf, assertScope, ownerOf } from './authentication.ts';
import { decisionHeaders, keyedDecision } from './decision-requests.ts';
import { pageOf, pageQuery, readCursor, readNameCursor } from './paging.ts';
import { entityTag, ifMatchHeader, readIfMatch } from './preconditions.ts';

/** Whole documents are read and compared. */
const historyLimitMax = 50;
const documentBytesMax = 2 * 1024 * 1024;
const documentBody = object({
  text: Type.String({ minLength: 1, maxLength: 1024 * 1024, description: 'The YAML document.' }),
  dryRun: Type.Optional(Type.Boolean({ default: false, description: 'Say what it would change, and change nothing.' })),
  alongside: Type.Optional(
    Type.Array(Type.String({ maxLength: 1024 * 1024 }), {
      maxItems: 500,
      description: 'With `dryRun`: other documents that are to be applied with it, taken as if they were in force.',
    }),
  ),
});

const documentHeaders = Type.Object({ ...decisionHeaders.properties, 'if-match': ifMatchHeader });

export function flowRoutes(parts: ApiParts) {
  const { db, ports, settings, jobs } = parts;
  return async (api: FastifyInstance): Promise<void> => {
    readRoutes(api, parts);
    api.post<{ Body: { text: string; dryRun: boolean; alongside?: readonly string[] } }>(
      '/flows',
      {
        config: { scope: 'flows:write' },
        bodyLimit: documentBytesMax,
        schema: describe({
          operationId: 'applyDocument',
          summary: 'Applies a document: a flow, Connection, Environment or TenantPolicy',
          description:
            'First with `dryRun`, then with the `ETag` of that plan as `If-Match`: what is applied is what was shown, or 412 (E_DEFINITION_STALE). 428 without one; `If-Match: *` applies it whatever is in force. The same document again changes nothing. Mistakes are listed in `errors`, each with its line and column. A TenantPolicy also needs `policy:write`.',
          tag: 'flows',
          headers: documentHeaders,
          body: documentBody,
          answers: { 200: named('DocumentOutcome') },
          etag: 'With `dryRun`, what the plan was made against; else what is in force now.',
          problems: [409, 412, 413, 415, 422, 428],
        }),
      },
      async (request, reply) => {
        const { tenantId, tenantName } = ownerOf(request);
        const { text: document, dryRun, alongside } = request.body;
        const { document: read } = loadDocument(document);
        // A policy binds the tenant, so whoever may write flows may not loosen it.
        if (read?.kind === 'TenantPolicy') assertScope(ownerOf(request), 'policy:write');
        const plannedAgainst = readIfMatch(request, { isNeeded: !dryRun });
        const keyed = keyedDecision(request, ['document', document, plannedAgainst === null ? null : plannedAgainst.join(' ')]);
        const fence = await fenceFor(parts, tenantId, read);
        const by = { tenant: tenantName, actor: actorOf(request), environment: settings.environment, fence, plannedAgainst };
        const answer = ({ tag, ...outcome }: TaggedOutcome) => reply.header('etag', entityTag(tag)).send(outcome);
        if (dryRun) return answer(await withTenant(db, tenantId, (tx) => planDocument(tx, document, { ...by, alongside })));
        const mended = { actor: by.actor, evidence: `${by.actor} applied a definition` };
        const { applied, last } = await withTenant(db, tenantId, (tx) =>
          answerOnce(tx, keyed, async () => {
            const applied = await applyDocument(tx, ports.ids, document, by);
            if (applied.kind === 'FlowDefinition') return { applied, last: null };
            // What waits for a connection or policy to be mended is tried again, also when the document is the same: its secret may be new.
            const { last } = await sendMendedAgain(tx, { queue: jobs.queue, ids: ports.ids }, mended);
            await hastenAcknowledgements(tx, jobs.queue);
            return { applied, last };
          }),
        );
        if (last !== null) await sendAllMendedAgain(jobs, tenantId, mended, last);
        jobs.signals.deliver.notify();
        jobs.signals.acknowledge.notify();
        return answer(applied);
      },
    );
    for (const [verb, isEnabled, summary] of [
      ['enable', true, 'Lets a flow take files'],
      ['disable', false, 'Stops a flow taking files; what it has taken goes on'],
    ] as const)
      api.post<{ Params: { name: string } }>(
        `/flows/:name/${verb}`,
        {
          config: { scope: 'flows:write' },
          schema: describe({
            operationId: `${verb}Flow`,
            summary,
            tag: 'flows',
            params: nameParameter,
            headers: decisionHeaders,
            body: object({}),
            answers: { 200: object({ name: text, enabled: Type.Boolean(), changed: Type.Boolean() }) },
            problems: [404, 409, 413, 415, 422],
          }),
        },
        (request) => {
          const { name } = request.params;
          const keyed = keyedDecision(request, ['flow', verb, name]);
          return withTenant(db, ownerOf(request).tenantId, (tx) =>
            answerOnce(tx, keyed, async () => {
              const isChanged = await switchFlow(tx, ports.ids, { name, isEnabled, actor: actorOf(request) });
              return { name, enabled: isEnabled, changed: isChanged };
            }),
          );
        },
      );
  };
}

/** Before the transaction that applies: other tenants are read in transactions of their own. */
async function fenceFor(
  { db, folders, settings }: ApiParts,
  tenantId: string,
  document: HeadgateDocument | null,
): Promise<ConnectionFence> {
  const isFolder = document?.kind === 'Connection' && (document as Connection).spec.type === 'folder';
  const secretFolders = connectionSecretFolders(settings);
  return { folders, secretFolders, foldersOfOthers: isFolder && !folders.isPerTenant ? await listFoldersOfOthers(db, tenantId) : [] };
}

function readRoutes(api: FastifyInstance, { db }: ApiParts): void {
  api.get<{ Querystring: { cursor?: string; limit: number } }>(
    '/flows',
    {
      config: { scope: 'flows:read' },
      schema: describe({
        operationId: 'listFlows',
        summary: 'Lists flows by name',
        tag: 'flows',
        querystring: query(pageQuery),
        answers: { 200: pageOfItems(named('FlowSummary')) },
      }),
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const page = { after: readNameCursor(request, cursor), limit: limit + 1 };
      const rows = await withTenant(db, ownerOf(request).tenantId, (tx) => listFlows(tx, page), { readOnly: true });
      return pageOf(request, rows, limit, (flow) => flow.name);
    },
  );
  api.get<{ Params: { name: string } }>(
    '/flows/:name',
    {
      config: { scope: 'flows:read' },
      schema: describe({
        operationId: 'getFlow',
        summary: 'One flow with its versions, newest first',
        tag: 'flows',
        params: nameParameter,
        answers: { 200: named('Flow') },
        problems: [404],
      }),
    },
    (request) =>
      withTenant(
        db,
        ownerOf(request).tenantId,
        async (tx) => {
          const flow = await getFlow(tx, request.params.name);
          return { ...flow, versions: await listFlowVersions(tx, flow.flowId) };
        },
        { readOnly: true },
      ),
  );
  api.get<{ Params: { name: string }; Querystring: { cursor?: string; limit: number } }>(
    '/flows/:name/history',
    {
      config: { scope: 'flows:read' },
      schema: describe({
        operationId: 'getFlowHistory',
        summary: 'The versions of a flow, newest first, each with what it changed in meaning against the one before',
        tag: 'flows',
        params: nameParameter,
        querystring: query({ ...pageQuery, limit: Type.Optional(Type.Integer({ minimum: 1, maximum: historyLimitMax, default: 10 })) }),
        answers: { 200: pageOfItems(named('FlowHistoryEntry')) },
        problems: [404],
      }),
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const { name } = request.params;
      const page = { before: readCursor(request, cursor), limit: limit + 1 };
      const rows = await withTenant(db, ownerOf(request).tenantId, (tx) => readFlowHistory(tx, name, page), { readOnly: true });
      return pageOf(request, rows, limit, ({ flowVersionId }) => flowVersionId);
    },
  );
  api.get<{ Params: { name: string }; Querystring: { version?: string } }>(
    '/flows/:name/source',
    {
      config: { scope: 'flows:read' },
      schema: describe({
        operationId: 'getFlowSource',
        summary: "The author's text of a version, of the one in force when none is named",
        tag: 'flows',
        params: nameParameter,
        querystring: query({ version: Type.Optional(line(64)) }),
        answers: { 200: object({ version: text, hash: text, source: text }) },
        etag: 'This version, for the `If-Match` of one that is to follow it.',
        problems: [404],
      }),
    },
    async (request, reply) => {
      const [{ name }, { version = null }] = [request.params, request.query];
      const found = await withTenant(db, ownerOf(request).tenantId, (tx) => getFlowSource(tx, name, version), { readOnly: true });
      reply.header('etag', entityTag(tagOfFlow(found)));
      return found;
    },
  );
}
