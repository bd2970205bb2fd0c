/**
 * `headgate key create|list|revoke`: the first key of a tenant is made beside the server (tenant.ts); keys are listed and
 * revoked through the API, by a key with the scope `admin`.
 */
import { createApiClient } from './api-client.ts';
import { apiOptions, type Command, outputOptions, requiredPositional } from './command.ts';
import { confirmPlan } from './confirmation.ts';
import { keyHeader } from './decision.ts';
import { printList } from './list.ts';
import { printOne } from './output.ts';
import { keyCreateCommand } from './tenant.ts';

const options = { ...outputOptions, ...apiOptions } as const;
const listMax = 10_000;

interface KeyAnswer extends Readonly<Record<string, unknown>> {
  readonly keyId: string;
}

export const keyVerbs: Readonly<Record<string, Command>> = {
  create: keyCreateCommand,
  list: {
    usage: 'headgate key list [--limit N] [--json]',
    summary: "Lists the tenant's API keys, newest first, without the keys themselves. Needs a key with the scope admin.",
    options: { ...options, limit: { type: 'string' } },
    async run(line) {
      await printList(line, { path: '/v1/keys', columns: ['keyId', 'name', 'scopes', 'createdAt', 'expiresAt', 'revokedAt'] });
      return 0;
    },
  },
  revoke: {
    usage: 'headgate key revoke KEYID [--dry-run] [--yes] [--idempotency-key KEY] [--json]',
    summary: 'Revokes an API key; it is refused from then on. Needs a key with the scope admin.',
    options: { ...options, 'dry-run': { type: 'boolean' }, yes: { type: 'boolean' }, 'idempotency-key': { type: 'string' } },
    async run(line) {
      const api = createApiClient(line);
      const keyId = requiredPositional(line, 0, 'KEYID', this.usage);
      if (line.options['dry-run'] || !line.options.yes) {
        const { items } = await api.list<KeyAnswer>('/v1/keys', {}, listMax);
        const plan = items.find((key) => key.keyId === keyId) ?? { keyId };
        if (line.options['dry-run']) {
          await printOne(line, plan);
          return 0;
        }
        await confirmPlan(line, `revoke key ${keyId}`, plan);
      }
      await printOne(line, await api.post(`/v1/keys/${encodeURIComponent(keyId)}/revoke`, {}, keyHeader(line)), { isDone: true });
      return 0;
    },
  },
};
