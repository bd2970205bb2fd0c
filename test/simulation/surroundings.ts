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
import { dropFolder, flowNames, paymentsFlow, sinkPasswordVariable, type Tenant, tenantDocuments, tenants } from './soak-flows.ts';
import { createTableSink } from './table-sink.ts';

export interface Surroundings {
  /** Folders of the senders and of the file targets. */
  readonly exchangeRoot: string;
  readonly senderJournalPath: string;
  readonly sinkJournalPath: string;
  readonly logFolder: string;
  readonly senderJournal: Journal;
  readonly keys: Readonly<Record<Tenant, string>>;
  readonly tenantIds: Readonly<Record<Tenant, string>>;
  /** Of the product's database; past row-level security, for looking only. */
  readonly inspection: Db;
  /** Of the sink's own database. */
  readonly table: Db;
  readonly proxies: { readonly database: TcpProxy; readonly httpSink: TcpProxy; readonly tableSink: TcpProxy };
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
}

/** Small, so that files of some kilobytes have several chunks. */
const chunkBytes = 8 * 1024;

export async function openSurroundings({ folder, cluster, name, seed, leaseMs }: SurroundingsOptions): Promise<Surroundings> {
  const exchangeRoot = join(folder, 'exchange');
  const journals = join(folder, 'journals');
  const logFolder = join(folder, 'logs');
  for (const made of [journals, logFolder, join(folder, 'data')]) mkdirSync(made, { recursive: true, mode: 0o700 });
  makeExchange(exchangeRoot);
  await createDatabaseIfMissing(cluster.adminUrl('postgres'), name);
  await migrateUp({ url: cluster.adminUrl(name), appPassword: cluster.appPassword, ports: systemPorts });
  const sink = await createTableSink(cluster, `${name}_sink`, bookingTables());
  const sinkJournalPath = join(journals, 'http-sink.ndjson');
  const http = await startHttpSink(sinkJournalPath, seed);
  const proxies = {
    database: await startTcpProxy({ host: '127.0.0.1', port: cluster.port }),
    httpSink: await startTcpProxy({ host: '127.0.0.1', port: http.port }),
    tableSink: await startTcpProxy({ host: '127.0.0.1', port: cluster.port }),
  };
  const product = openPool({ url: cluster.appUrl(name), applicationName: 'headgate soak set-up', connectionsMax: 2 });
  const { keys, tenantIds } = await makeTenants(product, {
    root: exchangeRoot,
    httpPort: proxies.httpSink.port,
    postgres: { port: proxies.tableSink.port, database: sink.database, user: sink.user },
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
    },
  };
}

/** As `headgate target ddl` prints them. */
function bookingTables(): string {
  const plan = loadFlow(paymentsFlow).plan!;
  return targetDdl(plan, plan.targets.find(({ id }) => id === 'booking')!);
}

/** The roots of connections must be there before anything is read from or written to them. */
function makeExchange(root: string): void {
  for (const flow of flowNames) mkdirSync(dropFolder(root, flow), { recursive: true });
}

async function makeTenants(
  db: Db,
  place: Parameters<typeof tenantDocuments>[1],
): Promise<{ keys: Record<Tenant, string>; tenantIds: Record<Tenant, string> }> {
  const keys = {} as Record<Tenant, string>;
  const tenantIds = {} as Record<Tenant, string>;
  const actor = 'soak';
  for (const name of tenants) {
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
