/** Connections, environments and the policy of the tenant, as they are in force. Secrets are references only, so nothing is hidden. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { type DefinitionKind, getDefinition, listDefinitions } from '../control/flows/applying/definition-store.ts';
import { tagOfDefinition } from '../control/flows/applying/document-tag.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { choice, describe, line, named, object, pageOfItems, query } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { ownerOf } from './authentication.ts';
import { entityTag } from './preconditions.ts';

const kinds = choice<DefinitionKind>(['Connection', 'Environment', 'TenantPolicy']);

export function definitionRoutes({ db }: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: { kind?: DefinitionKind } }>(
      '/definitions',
      {
        config: { scope: 'flows:read' },
        schema: describe({
          operationId: 'listDefinitions',
          summary: 'Lists connections, environments and policies in force, at most 1,000',
          tag: 'flows',
          querystring: query({ kind: Type.Optional(kinds) }),
          answers: { 200: pageOfItems(named('Definition')) },
        }),
      },
      async (request) => {
        const kind = request.query.kind ?? null;
        const items = await withTenant(db, ownerOf(request).tenantId, (tx) => listDefinitions(tx, kind), { readOnly: true });
        return { items, nextCursor: null };
      },
    );
    api.get<{ Params: { kind: DefinitionKind; name: string } }>(
      '/definitions/:kind/:name',
      {
        config: { scope: 'flows:read' },
        schema: describe({
          operationId: 'getDefinition',
          summary: 'One connection, environment or policy',
          tag: 'flows',
          params: object({ kind: kinds, name: line(120) }),
          answers: { 200: named('Definition') },
          etag: 'This revision, for the `If-Match` of one that is to follow it.',
          problems: [404],
        }),
      },
      async (request, reply) => {
        const { kind, name } = request.params;
        const found = await withTenant(db, ownerOf(request).tenantId, (tx) => getDefinition(tx, kind, name), { readOnly: true });
        reply.header('etag', entityTag(tagOfDefinition(found)));
        return found;
      },
    );
  };
}
