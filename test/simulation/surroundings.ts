/**
 * All that stands around the serving processes of one soak: the product's migrated database with two tenants and their
 * flows, the outside sinks with their journals, and the proxies that break connections on purpose.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { applyDocument } from '../../src/control/flows/applying/apply-document.ts';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { targetDdl } from '../../src/pipeline/connectors/postgres/target-ddl.ts';
import { createApiKey } from '../../src/platform/access/api-keys.ts';
import { ensureTenant } from '../../src/platform/access/tenants.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import type { Db } from '../../src/platform/postgres/database.ts';
import type { EmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';
import { migrateUp } from '../../src/platform/postgres/migrate.ts';
import { createDatabaseIfMissing } from '../../src/platform/postgres/open-database.ts';
import { openPool } from '../../src/platform/postgres/pool.ts';
import { withTenant } from '../../src/platform/tenancy/tenant-scope.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { type Journal, openJournal } from './journal.ts';
import {
  dropFolder,
  flowsOf,
  paymentsFlow,
  sinkPasswordVariable,
  type TargetScope,
  type Tenant,
  tenantDocuments,
  tenantsOf,
  transfersFlowTo,
} from './soak-flows.ts';
import { createTableSink } from './table-sink.ts';
import { openWideSurroundings, type WideProxies, type WideSurroundings } from './wide-surroundings.ts';

export interface Surroundings {
  /** Folders of the senders and of the file targets. */
  readonly exchangeRoot: string;
  readonly senderJournalPath: string;
  readonly sinkJournalPath: string;
  readonly logFolder: string;
  readonly senderJournal: Journal;
  readonly keys: Readonly<Partial<Record<Tenant, string>>>;
  readonly tenantIds: Readonly<Partial<Record<Tenant, string>>>;
  /** Of the product's database; past row-level security, for looking only. */
  readonly inspection: Db;
  /** Of the sink's own database. */
  readonly table: Db;
  readonly proxies: { readonly database: TcpProxy; readonly httpSink: TcpProxy; readonly tableSink: TcpProxy } & Partial<WideProxies>;
  /** Where all targets are asked for. */
  readonly wide: WideSurroundings | undefined;
  /** Environment of a serving process; `viaProxy`: it reaches its database through the proxy. */
  serveEnvironment(viaProxy: boolean): Record<string, string>;
  close(): Promise<void>;
}

export interface SurroundingsOptions {
  readonly folder: string;
  readonly cluster: EmbeddedPostgres;
  /** A plain identifier; each soak has databases of its own. */
  readonly name: string;
  readonly seed: number;
  readonly leaseMs: number;
  readonly scope: TargetScope;
}

/** Small, so that files of some kilobytes have several chunks. */
const chunkBytes = 8 * 1024;

export async function openSurroundings({ folder, cluster, name, seed, leaseMs, scope }: SurroundingsOptions): Promise<Surroundings> {
  const exchangeRoot = join(folder, 'exchange');
  const journals = join(folder, 'journals');
  const logFolder = join(folder, 'logs');
  for (const made of [journals, logFolder, join(folder, 'data')]) mkdirSync(made, { recursive: true, mode: 0o700 });
  // The roots of connections must be there before anything is read from or written to them.
  for (const flow of flowsOf(scope)) mkdirSync(dropFolder(exchangeRoot, flow), { recursive: true });
  await createDatabaseIfMissing(cluster.adminUrl('postgres'), name);
  await migrateUp({ url: cluster.adminUrl(name), appPassword: cluster.appPassword, ports: systemPorts });
  const sink = await createTableSink(cluster, `${name}_sink`, sinkTables());
  const sinkJournalPath = join(journals, 'http-sink.ndjson');
  const http = await startHttpSink(sinkJournalPath, seed);
  const wide = scope === 'all' ? await openWideSurroundings(exchangeRoot, journals) : undefined;
  const proxies = {
    ...wide?.proxies,
    database: await startTcpProxy({ host: '127.0.0.1', port: cluster.port }),
    httpSink: await startTcpProxy({ host: '127.0.0.1', port: http.port }),
    tableSink: await startTcpProxy({ host: '127.0.0.1', port: cluster.port }),
  };
  const product = openPool({ url: cluster.appUrl(name), applicationName: 'headgate soak set-up', connectionsMax: 2 });
  const { keys, tenantIds } = await makeTenants(product, scope, {
    root: exchangeRoot,
    httpPort: proxies.httpSink.port,
    postgres: { port: proxies.tableSink.port, database: sink.database, user: sink.user },
    ...(wide ? { wide: wide.place } : {}),
  });
  await product.close();
  const senderJournalPath = join(journals, 'senders.ndjson');
  const senderJournal = await openJournal(senderJournalPath);
  const inspection = openPool({ url: cluster.adminUrl(name), applicationName: 'headgate soak', connectionsMax: 2 });
  return {
    exchangeRoot,
    senderJournalPath,
    sinkJournalPath,
    logFolder,
    senderJournal,
    keys,
    tenantIds,
    inspection,
    table: sink.db,
    proxies,
    wide,
    serveEnvironment(viaProxy) {
      const url = new URL(cluster.appUrl(name));
      if (viaProxy) url.port = String(proxies.database.port);
      return {
        HEADGATE_DATABASE_URL: url.href,
        HEADGATE_DATA_DIR: join(folder, 'data'),
        HEADGATE_LEASE_MS: String(leaseMs),
        HEADGATE_CHUNK_BYTES: String(chunkBytes),
        HEADGATE_WORKER_THREADS: '1',
        HEADGATE_DATABASE_CONNECTIONS: '8',
        HEADGATE_LOG_LEVEL: 'warn',
        [sinkPasswordVariable]: sink.password,
        ...wide?.secrets(sink.password),
      };
    },
    async close() {
      http.process.stdin?.end();
      await Promise.all([
        ...Object.values(proxies).map((proxy) => proxy.close()),
        inspection.close(),
        sink.db.close(),
        senderJournal.close(),
      ]);
      if (http.process.exitCode === null) await once(http.process, 'exit');
      await wide?.close();
    },
  };
}

/** As `headgate target ddl` prints them; the position tells the order of rows. */
function sinkTables(): string {
  const tablesOf = (flow: string, target: string) => {
    const plan = loadFlow(flow).plan!;
    return targetDdl(plan, plan.targets.find(({ id }) => id === target)!);
  };
  return [
    tablesOf(paymentsFlow, 'booking'),
    tablesOf(transfersFlowTo('any'), 'postgres'),
    'alter table transfer add column position bigint generated always as identity;\n',
  ].join('\n');
}

async function makeTenants(
  db: Db,
  scope: TargetScope,
  place: Parameters<typeof tenantDocuments>[1],
): Promise<Pick<Surroundings, 'keys' | 'tenantIds'>> {
  const keys: Partial<Record<Tenant, string>> = {};
  const tenantIds: Partial<Record<Tenant, string>> = {};
  const actor = 'soak';
  for (const name of tenantsOf(scope)) {
    const tenantId = await ensureTenant(db, systemPorts.ids, { name, cell: 'local', region: 'local' });
    tenantIds[name] = tenantId;
    keys[name] = await withTenant(db, tenantId, async (tx) => {
      for (const text of tenantDocuments(name, place)) await applyDocument(tx, systemPorts.ids, text, { tenant: name, actor });
      return (await createApiKey(tx, systemPorts, { name: 'soak', scopes: ['files:write', 'files:read', 'jobs:read'], actor })).key;
    });
  }
  return { keys, tenantIds };
}

async function startHttpSink(journalPath: string, seed: number): Promise<{ process: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'http-sink.ts'), journalPath, String(seed)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { process: child, port: (JSON.parse(line) as { port: number }).port };
}
