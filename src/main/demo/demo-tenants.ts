/** Makes the demo's two tenants with keys, policies, connections to folders of the demo, partners, and the flows of `examples/`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { applyDocument } from '../../control/flows/applying/apply-document.ts';
import { createApiKey, scopes } from '../../platform/access/api-keys.ts';
import { ensureTenant } from '../../platform/access/tenants.ts';
import type { Settings } from '../../platform/base/settings-catalogue.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { openPool } from '../../platform/postgres/pool.ts';
import { withTenant } from '../../platform/tenancy/tenant-scope.ts';
import type { RunningServer } from '../server.ts';
import type { AcquirerServer } from './acquirer-server.ts';
import { type DemoPartner, makePartner } from './demo-partner.ts';

export interface DemoTenant {
  readonly name: string;
  readonly key: string;
  readonly keyFile: string;
  /** Where its sources look, and where its targets write. */
  readonly inbox: string;
  readonly outbox: string;
}

export interface DemoTenants {
  readonly folder: string;
  readonly all: readonly DemoTenant[];
  readonly bank: DemoTenant;
  readonly acme: DemoTenant;
  /** Brings files of acme's over SFTP. */
  readonly partner: DemoPartner;
}

const examples = join(import.meta.dirname, '../../../examples');

/** `acquirer`: where files of acme-pay are collected; undefined where that part is left out. */
export async function prepareTenants(
  server: RunningServer,
  settings: Settings,
  acquirer: AcquirerServer | undefined,
): Promise<DemoTenants> {
  const folder = join(settings.dataDir, 'tenants');
  const db = openPool({ url: server.databaseUrl, applicationName: 'headgate demo', connectionsMax: 1 });
  const prepare = async (
    name: string,
    tier: 'gold' | 'silver',
    connections: { drop: string; folders: readonly string[]; out: string; partners?: readonly string[] },
    flows: readonly string[],
  ): Promise<DemoTenant> => {
    const inbox = join(folder, name, 'inbox');
    const outbox = join(folder, name, 'outbox');
    for (const path of [...connections.folders.map((each) => join(inbox, each)), outbox]) mkdirSync(path, { recursive: true });
    const tenantId = await ensureTenant(db, systemPorts.ids, { name, tier, cell: settings.cell, region: settings.region });
    const by = { tenant: name, actor: 'demo' };
    const texts = [
      policyOf(name, connections.partners !== undefined),
      folderConnection(name, connections.drop, inbox),
      folderConnection(name, connections.out, outbox),
      ...(connections.partners ?? []),
      ...flows.map((flow) => readFileSync(join(examples, flow), 'utf8')),
    ];
    const { key } = await withTenant(db, tenantId, async (tx) => {
      for (const text of texts) await applyDocument(tx, systemPorts.ids, text, by);
      return createApiKey(tx, systemPorts, { name: 'demo', scopes, actor: 'demo' });
    });
    const keyFile = join(folder, name, 'key');
    writeFileSync(keyFile, `${key}\n`, { mode: 0o600 });
    return { name, key, keyFile, inbox, outbox };
  };
  try {
    const bank = await prepare('bank-za', 'gold', { drop: 'eft-drop', folders: ['in'], out: 'eft-out' }, ['eft.yaml']);
    const partner = makePartner({ tenant: 'acme-pay', name: 'acme-partner', keyFile: join(folder, 'partner_ed25519') });
    const acme = await prepare(
      'acme-pay',
      'silver',
      {
        drop: 'acme-drop',
        folders: ['cards', 'invoices'],
        out: 'acme-out',
        partners: [partner.document, ...(acquirer === undefined ? [] : [acquirer.document])],
      },
      ['cards.yaml', 'invoices.yaml', ...(acquirer === undefined ? [] : ['acquirer.yaml'])],
    );
    return { folder, all: [bank, acme], bank, acme, partner };
  } finally {
    await db.close();
  }
}

/** That of the examples; it reaches public addresses only, and where it should, this machine, where the demo's partners are. */
function policyOf(tenant: string, reachesThisMachine: boolean): string {
  const policy = parseDocument(readFileSync(join(examples, tenant, 'policy.yaml'), 'utf8'));
  if (reachesThisMachine) policy.setIn(['spec', 'egress', 'allowPrivate'], ['127.0.0.0/8']);
  return policy.toString();
}

function folderConnection(tenant: string, name: string, root: string): string {
  return `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: ${tenant}, name: ${name} }\nspec: { type: folder, root: ${JSON.stringify(root)} }\n`;
}
