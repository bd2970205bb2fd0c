/** API keys of the tenant: made (and shown once), listed, revoked. */
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { accessErrors } from '../platform/access/access-errors.ts';
import { createApiKey, listApiKeys, namedScopes, revokeApiKey, type Scope, scopes } from '../platform/access/api-keys.ts';
import { answerOnce } from '../platform/access/idempotency-keys.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { choice, describe, id, idParameter, instant, line, named, nullable, object, query, text } from './answers.ts';
import type { ApiParts } from './api-parts.ts';
import { actorOf, assertScope, ownerOf } from './authentication.ts';
import { decisionHeaders, keyedDecision } from './decision-requests.ts';
import { pageOf, pageQuery, readCursor } from './paging.ts';

interface KeyBody {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: string;
}

const body = object({
  name: line(120),
  scopes: Type.Array(choice(scopes), { minItems: 1, maxItems: scopes.length, uniqueItems: true }),
  expiresAt: Type.Optional(
    Type.String({ pattern: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,3})?Z$' }),
  ),
});
const madeKey = object({ key: text, keyId: id, name: text, scopes: Type.Array(choice(scopes)), expiresAt: nullable(instant) });

export function keyRoutes({ db, ports }: ApiParts) {
  return async (api: FastifyInstance): Promise<void> => {
    api.get<{ Querystring: { cursor?: string; limit: number } }>(
      '/keys',
      {
        config: { scope: 'admin' },
        schema: describe({
          operationId: 'listKeys',
          summary: 'Lists API keys, without the keys themselves',
          tag: 'keys',
          querystring: query(pageQuery),
          answers: { 200: object({ items: Type.Array(named('Key')), nextCursor: nullable(text) }) },
        }),
      },
      async (request) => {
        const { cursor, limit } = request.query;
        const page = { before: readCursor(request, cursor), limit: limit + 1 };
        const rows = await withTenant(db, ownerOf(request).tenantId, (tx) => listApiKeys(tx, page), { readOnly: true });
        return pageOf(request, rows, limit, (key) => key.keyId);
      },
    );
    api.post<{ Body: KeyBody }>(
      '/keys',
      {
        config: { scope: 'admin' },
        schema: describe({
          operationId: 'createKey',
          summary: 'Makes an API key; the answer is the only place where it is ever shown',
          description:
            'The scopes `records:reveal` and `policy:write` can only be given by a key that has them. A repeat under its `Idempotency-Key` makes no second key: 409 (E_KEY_MADE) names the one that was made, which can not be shown again.',
          tag: 'keys',
          headers: decisionHeaders,
          body,
          answers: { 201: madeKey },
          problems: [409, 413, 415, 422],
        }),
      },
      async (request, reply) => {
        const { name, scopes: wanted, expiresAt } = request.body;
        for (const scope of wanted) if (namedScopes.includes(scope)) assertScope(ownerOf(request), scope);
        const keyed = keyedDecision(request, ['key', name, [...wanted].sort().join(' '), expiresAt ?? null]);
        const key = { name, scopes: wanted, expiresAt: expiresAt ? new Date(expiresAt) : null, actor: actorOf(request) };
        const made = await withTenant(db, ownerOf(request).tenantId, async (tx) => {
          const shown: { key?: string } = {};
          // What is kept to be answered again is in the clear, so the key is not in it.
          const { keyId } = await answerOnce(tx, keyed, async () => {
            const { key: secret, ...kept } = await createApiKey(tx, ports, key);
            shown.key = secret;
            return kept;
          });
          if (shown.key === undefined)
            throw new HeadgateError(
              accessErrors.E_KEY_MADE,
              `this Idempotency-Key made the API key ${keyId} already, and a key is shown once`,
            );
          return { key: shown.key, keyId };
        });
        return reply.code(201).send({ ...made, name, scopes: wanted, expiresAt: expiresAt ?? null });
      },
    );
    api.post<{ Params: { id: string } }>(
      '/keys/:id/revoke',
      {
        config: { scope: 'admin' },
        schema: describe({
          operationId: 'revokeKey',
          summary: 'Revokes an API key; it is refused from then on',
          tag: 'keys',
          params: idParameter,
          headers: decisionHeaders,
          body: object({}),
          answers: { 200: object({ keyId: id, revoked: Type.Literal(true) }) },
          problems: [404, 413, 415, 422],
        }),
      },
      async (request) => {
        const keyId = request.params.id;
        const keyed = keyedDecision(request, ['key revoke', keyId]);
        return await withTenant(db, ownerOf(request).tenantId, (tx) =>
          answerOnce(tx, keyed, async () => {
            await revokeApiKey(tx, ports.ids, { keyId, actor: actorOf(request) });
            return { keyId, revoked: true };
          }),
        );
      },
    );
  };
}
