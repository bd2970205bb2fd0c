/**
 * A `headgate serve` of its own process for a level of the bench: a new data folder, the embedded PostgreSQL as durable as
 * the product starts it, one tenant with a key, two connections to folders and the flows that the level names. `stop` ends it.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyDocument } from '../src/control/flows/applying/apply-document.ts';
import { createApiKey, usualScopes } from '../src/platform/access/api-keys.ts';
import { ensureTenant } from '../src/platform/access/tenants.ts';
import { systemPorts } from '../src/platform/base/system-ports.ts';
import type { Db } from '../src/platform/postgres/database.ts';
import { openDatabase } from '../src/platform/postgres/open-database.ts';
import { type TenantTx, withTenant } from '../src/platform/tenancy/tenant-scope.ts';
import type { BenchContext } from './bench-context.ts';
import { highWaterBytes, timedRun } from './timed-run.ts';

export interface ServedProduct {
  readonly processId: number;
  readonly inbox: string;
  readonly outbox: string;
  /** From the start of the process until it said that it serves. */
  readonly readySeconds: number;
  /** Of the process with its threads, without PostgreSQL. */
  peakRssBytes(): number;
  /** Of the process that runs the engine, where it is apart. */
  workerPeakRssBytes(): number;
  /** User and system time of the process and its threads. */
  cpuSeconds(): number;
  /** As the tenant. */
  inTenant<T>(work: (tx: TenantTx) => Promise<T>): Promise<T>;
  /** From the start of `headgate ingest` until the job was closed, by the clock of the database. */
  ingest(path: string, flow: string): Promise<number>;
  stop(): Promise<void>;
}

export interface ServeOptions {
  readonly name: string;
  /** Files in bench/flows. */
  readonly flows: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Runs the engine in a process of its own: `--roles worker` there, the others here. */
  readonly isWorkerApart?: boolean;
}

const tenant = 'bench';
const rolesBesideWorker = 'api,ingress,delivery,scheduler';
const logTailBytes = 4_000;
const readyWithinMs = 120_000;

/** Rejects with the last lines of the log when the process ends instead of serving. */
export async function serveProduct(
  context: BenchContext,
  { name, flows, env = {}, isWorkerApart = false }: ServeOptions,
): Promise<ServedProduct> {
  const dataDir = join(context.folder, name);
  // Not in the data folder, which is the product's own.
  const [inbox, outbox] = [join(context.folder, `${name}-inbox`), join(context.folder, `${name}-outbox`)];
  for (const folder of [dataDir, join(inbox, 'drop'), join(inbox, 'rolled'), outbox]) mkdirSync(folder, { recursive: true });
  const program = [join(context.root, 'bin/headgate')];
  const process = await startServing(program, dataDir, {
    HEADGATE_ROLES: isWorkerApart ? rolesBesideWorker : 'api,worker,ingress,delivery,scheduler',
    ...env,
  });
  let worker: typeof process | undefined;
  try {
    if (isWorkerApart) worker = await startServing(program, dataDir, { HEADGATE_ROLES: 'worker', ...env });
    const { db, close } = await openDatabase({ dataDir, applicationName: 'headgate bench', connectionsMax: 2, ports: systemPorts });
    const { tenantId, key } = await prepareTenant(db, {
      inbox,
      outbox,
      texts: flows.map((flow) => readFileSync(join(context.root, 'bench/flows', flow), 'utf8')),
    });
    const keyFile = join(dataDir, 'key');
    writeFileSync(keyFile, key, { mode: 0o600 });
    const inTenant: ServedProduct['inTenant'] = (work) => withTenant(db, tenantId, work);
    const ingest = async (path: string, flow: string) => {
      const startedMs = Date.now();
      const command = [...program, 'ingest', path, '--flow', flow, '--wait', '--json', '--key-file', keyFile, '--url', process.url];
      const { stdout } = await timedRun(command);
      return (await inTenant((tx) => closedAtMs(tx, jobIdOf(stdout)))) - startedMs;
    };
    return {
      ...process,
      inbox,
      outbox,
      inTenant,
      workerPeakRssBytes: () => (worker ?? process).peakRssBytes(),
      ingest: async (path, flow) => (await ingest(path, flow)) / 1_000,
      async stop() {
        await close();
        await worker?.end();
        await process.end();
      },
    };
  } catch (error) {
    await worker?.end();
    await process.end();
    throw error;
  }
}

async function startServing(program: readonly string[], dataDir: string, env: Readonly<Record<string, string>>) {
  const startedMs = performance.now();
  const child = spawn(program[0], [...program.slice(1), 'serve', '--data-dir', dataDir, '--port', '0'], {
    cwd: dataDir,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...withoutSettings(globalThis.process.env),
      // For profiles.
      NODE_OPTIONS: globalThis.process.env.HEADGATE_BENCH_NODE_OPTIONS ?? '',
      HEADGATE_LOG_LEVEL: 'warn',
      ...env,
    },
  });
  let log = '';
  const endWithBench = () => child.kill('SIGTERM');
  globalThis.process.once('exit', endWithBench);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`headgate serve ${why}: ${log}`));
    const timer = setTimeout(() => fail('did not become ready'), readyWithinMs);
    child.once('error', reject);
    child.once('exit', (code) => fail(`ended with ${code}`));
    child.stderr.on('data', (text) => {
      log = (log + text).slice(-logTailBytes);
      const match = /headgate serves ((?:http:)?[^\s,]+)/.exec(log);
      if (!match) return;
      clearTimeout(timer);
      resolve(match[1]);
    });
  });
  const processId = child.pid!;
  return {
    url,
    processId,
    readySeconds: (performance.now() - startedMs) / 1_000,
    peakRssBytes: () => highWaterBytes(processId),
    cpuSeconds: () => cpuSecondsOf(processId),
    async end() {
      child.kill('SIGTERM');
      await ended;
      globalThis.process.off('exit', endWithBench);
    },
  };
}

/** The settings of whoever runs the bench must not reach the product. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HEADGATE_') && !name.startsWith('OTEL_')));
}

async function prepareTenant(
  db: Db,
  parts: { inbox: string; outbox: string; texts: readonly string[] },
): Promise<{ tenantId: string; key: string }> {
  const { ids } = systemPorts;
  const tenantId = await ensureTenant(db, ids, { name: tenant, tier: 'gold', cell: 'local', region: 'local' });
  const head = (kind: string, name: string) =>
    `apiVersion: headgate/v1\nkind: ${kind}\nmetadata: { tenant: ${tenant}, name: ${name}, owner: bench }\n`;
  const folder = (name: string, root: string) => `${head('Connection', name)}spec: { type: folder, root: ${JSON.stringify(root)} }\n`;
  const texts = [
    `${head('TenantPolicy', 'policy')}spec: { tier: gold, admission: { filesPerMinute: 1000000, maxChunksInFlight: 1000000 } }\n`,
    folder('inbox', parts.inbox),
    folder('outbox', parts.outbox),
    ...parts.texts,
  ];
  return withTenant(db, tenantId, async (tx) => {
    for (const text of texts) await applyDocument(tx, ids, text, { tenant, actor: 'bench' });
    const { key } = await createApiKey(tx, systemPorts, { name: 'bench', scopes: usualScopes, actor: 'bench' });
    return { tenantId, key };
  });
}

function jobIdOf(stdout: string): string {
  const [row] = JSON.parse(stdout) as { jobId: string; job: string }[];
  if (row.job !== 'completed') throw new Error(`the job ended as ${row.job}`);
  return row.jobId;
}

async function closedAtMs(tx: TenantTx, jobId: string): Promise<number> {
  const { rows } = await tx.query<{ closedAt: Date }>(
    '/* bench closed job */ select closed_at as "closedAt" from headgate.jobs where tenant_id = $1 and job_id = $2',
    [tx.tenantId, jobId],
  );
  return rows[0].closedAt.getTime();
}

/** Linux: ticks are hundredths of a second; 0 elsewhere. */
function cpuSecondsOf(processId: number): number {
  try {
    const afterName = readFileSync(`/proc/${processId}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return (Number(afterName[11]) + Number(afterName[12])) / 100;
  } catch {
    return 0;
  }
}
