/** Connections, environments and the policy of the tenant, as they are in force. Secrets are references only, so nothing is hidden. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { type DefinitionKind, getDefinition, listDefinitions } from '../control/flows/definition-store.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { query } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { ownerOf } from './authentication.ts';

const kinds = Type.Union([Type.Literal('Connection'), Type.Literal('Environment'), Type.Literal('TenantPolicy')]);

export function definitionRoutes(parts: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: { kind?: DefinitionKind } }>(
      '/definitions',
      {
        config: { scope: 'flows:read' },
        schema: { summary: 'Lists documents in force', tags: ['flows'], querystring: query({ kind: Type.Optional(kinds) }) },
      },
      async (request) => ({
        items: await withTenant(parts.db, ownerOf(request).tenantId, (tx) => listDefinitions(tx, request.query.kind ?? null), {
          readOnly: true,
        }),
        nextCursor: null,
      }),
    );
    api.get<{ Params: { kind: DefinitionKind; name: string } }>(
      '/definitions/:kind/:name',
      {
        config: { scope: 'flows:read' },
        schema: {
          summary: 'One document',
          tags: ['flows'],
          params: Type.Object({ kind: kinds, name: Type.String({ minLength: 1, maxLength: 120 }) }, { additionalProperties: false }),
        },
      },
      (request) =>
        withTenant(parts.db, ownerOf(request).tenantId, (tx) => getDefinition(tx, request.params.kind, request.params.name), {
          readOnly: true,
        }),
    );
  };
}
