/** Flows: list, get, plan, apply, switch. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { applyDocument, planDocument } from '../control/flows/apply-document.ts';
import { polledSourcesOf, switchFlow } from '../control/flows/flow-store.ts';
import { getFlow, getFlowSource, listFlows, listFlowVersions } from '../control/flows/flow-views.ts';
import { loadFlow } from '../control/flows/load-flow.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { nameParameter, query } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { actorOf, ownerOf } from './authentication.ts';
import { namePageOf, readNameCursor } from './paging.ts';

const documentBody = Type.Object(
  {
    text: Type.String({ minLength: 1, maxLength: 1024 * 1024, description: 'The YAML document.' }),
    dryRun: Type.Optional(Type.Boolean({ default: false })),
  },
  { additionalProperties: false },
);

export function flowRoutes(parts: ApiParts) {
  const { db, ports } = parts;
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: { cursor?: string; limit: number } }>(
      '/flows',
      {
        config: { scope: 'flows:read' },
        schema: {
          summary: 'Lists flows by name',
          tags: ['flows'],
          querystring: query({
            cursor: Type.Optional(Type.String({ maxLength: 400 })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
          }),
        },
      },
      async (request) => {
        const { cursor, limit } = request.query;
        const rows = await withTenant(
          db,
          ownerOf(request).tenantId,
          (tx) => listFlows(tx, { after: readNameCursor(cursor), limit: limit + 1 }),
          { readOnly: true },
        );
        return namePageOf(rows, limit, (flow) => flow.name);
      },
    );
    api.get<{ Params: { name: string } }>(
      '/flows/:name',
      { config: { scope: 'flows:read' }, schema: { summary: 'One flow with its versions', tags: ['flows'], params: nameParameter } },
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
    api.get<{ Params: { name: string }; Querystring: { version?: string } }>(
      '/flows/:name/source',
      {
        config: { scope: 'flows:read' },
        schema: {
          summary: "The author's text of a version",
          tags: ['flows'],
          params: nameParameter,
          querystring: query({ version: Type.Optional(Type.String({ maxLength: 64 })) }),
        },
      },
      (request) =>
        withTenant(db, ownerOf(request).tenantId, (tx) => getFlowSource(tx, request.params.name, request.query.version ?? null), {
          readOnly: true,
        }),
    );
    api.post<{ Body: { text: string; dryRun: boolean } }>(
      '/flows',
      {
        config: { scope: 'flows:write' },
        bodyLimit: 2 * 1024 * 1024,
        schema: { summary: 'Applies a document: a flow, Connection, Environment or TenantPolicy', tags: ['flows'], body: documentBody },
      },
      (request) => {
        const { tenantId, tenantName } = ownerOf(request);
        const by = { tenant: tenantName, actor: actorOf(request) };
        const { text, dryRun } = request.body;
        return withTenant(db, tenantId, (tx) => (dryRun ? planDocument(tx, text, by) : applyDocument(tx, ports.ids, text, by)));
      },
    );
    for (const [verb, isEnabled] of [
      ['enable', true],
      ['disable', false],
    ] as const)
      api.post<{ Params: { name: string } }>(
        `/flows/:name/${verb}`,
        {
          config: { scope: 'flows:write' },
          schema: {
            summary: `${isEnabled ? 'Lets' : 'Stops'} a flow ${isEnabled ? 'take' : 'taking'} files`,
            tags: ['flows'],
            params: nameParameter,
          },
        },
        (request) =>
          withTenant(db, ownerOf(request).tenantId, async (tx) => {
            const { name } = request.params;
            const definition = loadFlow((await getFlowSource(tx, name)).source).definition;
            const polledSources = definition ? polledSourcesOf(definition) : [];
            const isChanged = await switchFlow(tx, ports.ids, { name, isEnabled, actor: actorOf(request), polledSources });
            return { name, enabled: isEnabled, changed: isChanged };
          }),
      );
  };
}
