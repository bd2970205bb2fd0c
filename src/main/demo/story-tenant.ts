/**
 * Makes the tenants of the stories. That of the breaker has a flow to a target with a backup and to one whose order counts, and their
 * connections.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiClient } from '../../cli/api-client.ts';
import { applyDocument } from '../../control/flows/applying/apply-document.ts';
import { createApiKey, scopes } from '../../platform/access/api-keys.ts';
import { ensureTenant } from '../../platform/access/tenants.ts';
import type { Settings } from '../../platform/base/settings-catalogue.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { openPool } from '../../platform/postgres/pool.ts';
import { withTenant } from '../../platform/tenancy/tenant-scope.ts';
import type { RunningServer } from '../server.ts';
import { clientOf } from './demo-arrivals.ts';
import type { Downstream } from './story-downstream.ts';

export type StoryConnection = 'payments' | 'payments-2' | 'ledger';

const flowText = (tenant: string) => `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: ${tenant}, service: payments, name: story, version: 1.0.0 }
spec:
  sources:
    - { id: upload, type: http }
  format: { type: json-lines }
  schema:
    record:
      key: [account]
      fields:
        id: { type: string, required: true }
        account: { type: string, required: true }
        amount: { type: decimal, scale: 2, required: true, sum: true, currency: currency }
        currency: { type: currency, required: true }
  transform:
    - { id: shape, set: { id: "record.id", account: "record.account", amount: "record.amount", currency: "record.currency" } }
  routes:
    mode: all
    rules:
      - { id: every, when: "record.amount > 0", to: [payments, ledger] }
    default: { to: [payments] }
  targets:
    payments: { type: http, connection: payments, backup: payments-2 }
    payments-2: { type: http, connection: payments-2 }
    ledger: { type: http, connection: ledger, order: by-key }
  targetDefaults: { batch: { size: 20 }, retry: { initial: 100ms, cap: 1s }, breaker: { minCalls: 5, probeEvery: 1s } }
`;

const policyText = (tenant: string) =>
  `apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: ${tenant}, name: policy }\nspec: { tier: silver, egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }\n`;

export async function prepareStoryTenant(
  parts: StoryParts,
  downstreams: Readonly<Record<StoryConnection, Downstream>>,
): Promise<ApiClient> {
  const name = 'story-bank';
  const connections = Object.entries(downstreams).map(
    ([id, { url }]) =>
      `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: ${name}, name: ${id} }\nspec: { type: http, baseUrl: "${url}" }\n`,
  );
  return await makeStoryTenant(parts, { name, documents: [policyText(name), ...connections, flowText(name)] });
}

interface StoryParts {
  readonly server: RunningServer;
  readonly settings: Settings;
}

/** A tenant with these documents applied, and a client of its API. */
export async function makeStoryTenant(
  { server, settings }: StoryParts,
  { name, documents }: { readonly name: string; readonly documents: readonly string[] },
): Promise<ApiClient> {
  const db = openPool({ url: server.databaseUrl, applicationName: 'headgate demo', connectionsMax: 1 });
  try {
    const tenantId = await ensureTenant(db, systemPorts.ids, { name, tier: 'silver', cell: settings.cell, region: settings.region });
    const { key } = await withTenant(db, tenantId, async (tx) => {
      for (const text of documents) await applyDocument(tx, systemPorts.ids, text, { tenant: name, actor: 'demo' });
      return createApiKey(tx, systemPorts, { name: 'demo', scopes, actor: 'demo' });
    });
    const folder = join(settings.dataDir, 'tenants', name);
    mkdirSync(folder, { recursive: true });
    const keyFile = join(folder, 'key');
    writeFileSync(keyFile, `${key}\n`, { mode: 0o600 });
    return clientOf(server.url!, { name, key, keyFile, inbox: folder, outbox: folder });
  } finally {
    await db.close();
  }
}
