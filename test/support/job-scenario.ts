/**
 * A tenant with a flow, and the whole way of its files from acceptance to the receipt: real database, real storage in a
 * folder, real engine threads, real deliveries to a target in memory. Crash points throw instead of killing.
 */
import { generateKeyPairSync } from 'node:crypto';
import { createJobCloser } from '../../src/control/jobs/closing/job-closer.ts';
import { createWindowCloser } from '../../src/control/jobs/collecting/window-closer.ts';
import { createEngineThreads } from '../../src/control/jobs/groups/thread-pool.ts';
import { createJobIntake } from '../../src/control/jobs/job-intake.ts';
import type { JobFlow, JobServices } from '../../src/control/jobs/job-services.ts';
import { createJobWorker } from '../../src/control/jobs/job-worker.ts';
import { createPoisonHunt } from '../../src/control/jobs/poison/poison-hunt.ts';
import { createWorkQueue } from '../../src/control/jobs/queue/work-queue.ts';
import { createWorkRescuer } from '../../src/control/jobs/queue/work-rescuer.ts';
import { formats } from '../../src/main/catalogue.ts';
import type { Connector, DeliveryOutcome, OutgoingBatch } from '../../src/pipeline/connectors/connector.ts';
import { createDeliveryWorker } from '../../src/pipeline/deliveries/delivery-worker.ts';
import type { Plan } from '../../src/pipeline/engine/plan.ts';
import { readSigningKey } from '../../src/pipeline/ledger/signing-key.ts';
import { ensureTenant } from '../../src/platform/access/tenants.ts';
import type { CrashPoints } from '../../src/platform/base/crash-points.ts';
import { createNotifier } from '../../src/platform/base/notifier.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { Secret } from '../../src/platform/secrets/secret.ts';
import { createLogger, type Logger, silentLogger } from '../../src/platform/telemetry/logger.ts';
import { createMetrics } from '../../src/platform/telemetry/metrics.ts';
import { type TenantTx, withTenant } from '../../src/platform/tenancy/tenant-scope.ts';
import { openFence } from './open-fence.ts';
import { openSecrets } from './open-secrets.ts';
import type { TestDatabase } from './postgres.ts';
import { temporaryStore } from './temporary-store.ts';

export const scenarioKey = readSigningKey(
  new Secret(Buffer.from(generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)),
);

export interface JobScenarioOptions {
  readonly logger?: Logger;
  readonly database: TestDatabase;
  readonly plan: Plan;
  /** The tenant's name: one of its own by default, and so not that of the plan. */
  readonly tenant?: string;
  readonly chunkBytes?: number;
  readonly leaseMs?: number;
  /** What the target answers; acknowledges by default. */
  readonly answer?: (batch: OutgoingBatch) => DeliveryOutcome;
  /** Of engine threads and child processes. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of threads and of children. */
  readonly timeouts?: { readonly runMs: number; readonly childMs: number };
  readonly source?: string;
  /** Shares the storage of another tenant's scenario, whose loops then run this one's jobs too. */
  readonly beside?: ReturnType<typeof temporaryStore>;
}

export interface JobRow {
  readonly jobId: string;
  readonly state: string;
  readonly verdict: string | null;
  readonly reasonCode: string | null;
  readonly chunksDone: number;
  readonly read: number;
  readonly valid: number;
  readonly rejected: number;
  readonly filtered: number;
  readonly closedAt: Date | null;
}

export type JobScenario = Awaited<ReturnType<typeof createJobScenario>>;

let names = 0;
/** Not of another scenario. */
export const tenantName = (): string => `jobs-${process.pid}-${++names}`;

/** By version, of all scenarios: loops claim across tenants. */
const flows = new Map<string, JobFlow>();

export async function createJobScenario(options: JobScenarioOptions) {
  const { database, plan, chunkBytes = 1_000_000, leaseMs = 30_000, env = {} } = options;
  const { db } = database;
  const { ids } = systemPorts;
  const storage = options.beside ?? temporaryStore();
  const queue = createWorkQueue(ids);
  const name = options.tenant ?? tenantName();
  const tenantId = await ensureTenant(db, ids, { name, cell: 'local', region: 'test' });
  const [flowId, flowVersionId] = [ids.next(), ids.next()];
  const inTenant = <T>(work: (tx: TenantTx) => Promise<T>) => withTenant(db, tenantId, work);
  await inTenant((tx) => plantFlow(tx, { flowId, flowVersionId }));
  const crash = createThrowingCrashPoints();
  const flow: JobFlow = { plan, flowId, flowName: plan.flow.name, source: options.source ?? 'a flow' };
  flows.set(flowVersionId, flow);
  const signals = {
    chunks: createNotifier(),
    check: createNotifier(),
    deliver: createNotifier(),
    close: createNotifier(),
    breaker: createNotifier(),
    acknowledge: createNotifier(),
    collect: createNotifier(),
    answer: createNotifier(),
  };
  const logger = options.logger ?? (process.env['HEADGATE_TEST_LOG'] ? createLogger({ level: 'info' }) : silentLogger);
  const services: JobServices = {
    db,
    ports: systemPorts,
    store: storage.store,
    queue,
    flows: { load: async (_tx, id) => flows.get(id)! },
    logger,
    metrics: createMetrics(),
    crashPoints: crash.points,
    signals,
  };
  const threadStorage = { root: storage.root, cell: 'local', masterKeys: [{ version: 1, bytes: new Uint8Array(32).fill(7) }] };
  const delivered = new Map<string, string[]>();
  const running: { stop(timeoutMs?: number): Promise<unknown> }[] = [];
  let accepted = 0;

  async function accept(files: readonly (string | Buffer)[]): Promise<string[]> {
    const createJobs = createJobIntake(ids);
    await inTenant(async (tx) => {
      const facts = [];
      for (const content of files) facts.push(await plantFile(tx, Buffer.from(content)));
      await createJobs(tx, facts);
    });
    signals.chunks.notify();
    const jobs = await rows<{ jobId: string }>(
      '/* jobs */ select job_id as "jobId" from headgate.jobs where tenant_id = $1 order by accepted_number',
    );
    return jobs.slice(-files.length).map((job) => job.jobId);
  }

  async function plantFile(tx: TenantTx, content: Buffer) {
    const fileId = ids.next();
    const writer = storage.store.create({ tenantId, objectId: ids.next(), kind: 'raw' });
    writer.write(content);
    const object = writer.commit();
    const format = formats.find((candidate) => candidate.name === plan.format.type)!;
    const splitter = format.createSplitter(plan.format, plan.records, { chunkBytes });
    splitter.push(content);
    const { chunks, damage, records, blankLines, comments } = splitter.end();
    const acceptedNumber = ++accepted;
    await tx.query(
      `/* plant file */ insert into headgate.files (tenant_id, file_id, arrival_id, flow_id, name, bytes, sha256, container_name, container_bytes, container_sha256,
         object_id, object, accepted_number, accepted_at) values ($1, $2, $3, $4, $5, $6, $7, $5, $6, $7, $8, $9, $10, headgate.clock())`,
      [
        tenantId,
        fileId,
        ids.next(),
        flowId,
        `in-${acceptedNumber}.csv`,
        content.length,
        object.sha256,
        object.objectId,
        JSON.stringify(object),
        acceptedNumber,
      ],
    );
    const common = { fileId, arrivalId: ids.next(), flowId, flowVersionId, acceptedNumber, bytes: content.length };
    return { ...common, chunks, records, damage, warnings: [], blankLines, comments, traceParent: null, traceId: null, actor: 'test' };
  }

  const rows = async <Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> =>
    await inTenant(async (tx) => (await tx.query<Row>(sql, [tenantId, ...parameters])).rows);

  function startWorker(more: { readonly workerId?: string } = {}) {
    const { workerId = ids.next() } = more;
    const threads = createEngineThreads({ storage: threadStorage, threads: 1, env, runTimeoutMs: options.timeouts?.runMs });
    const hunt = createPoisonHunt({
      storage: threadStorage,
      logger,
      env: { PATH: process.env['PATH'], ...env },
      timeoutMs: options.timeouts?.childMs,
    });
    const worker = createJobWorker({ services, threads, hunt, workerId, leaseMs });
    worker.start();
    running.push(worker);
    return worker;
  }

  function startCloser(own = services) {
    const closer = createJobCloser({
      services: own,
      signingKey: scenarioKey,
      settingOf: async () => receiptSetting,
      workerId: ids.next(),
      leaseMs,
    });
    closer.start();
    running.push(closer);
    return closer;
  }

  function startWindowCloser() {
    const closer = createWindowCloser({ services, workerId: ids.next(), leaseMs });
    closer.start();
    running.push(closer);
    return closer;
  }

  function startRescuer() {
    const rescuer = createWorkRescuer({ services, idleMs: 50 });
    rescuer.start();
    running.push(rescuer);
    return rescuer;
  }

  function startDeliveries() {
    const worker = createDeliveryWorker({
      db,
      store: storage.store,
      queue,
      definitions: {
        loadFlow: async (_tx, id) => flows.get(id)!,
        loadBinding: async () => ({
          tenant: 'bank',
          connection: { name: 'memory', type: 'memory', settings: {} },
          egress: { allowPrivate: [], allowPlain: false },
          hash: '',
        }),
      },
      connectors: [...new Set(plan.targets.map((target) => target.type))].map((type) => memoryConnector(type, delivered, options.answer)),
      folders: openFence,
      secrets: openSecrets(),
      resolveHost: async () => [],
      ports: systemPorts,
      logger,
      metrics: { add() {}, observe() {} },
      crashPoints: { reach() {} },
      workerId: ids.next(),
      leaseMs,
      waiter: signals.deliver.waiter(systemPorts.sleep),
      onJobsEnded: () => signals.close.notify(),
    });
    worker.start();
    running.push(worker);
    return worker;
  }

  return {
    ...storage,
    storage,
    tenantId,
    flowId,
    flowVersionId,
    services,
    crash,
    delivered,
    inTenant,
    rows,
    accept,
    startWorker,
    startCloser,
    startRescuer,
    startWindowCloser,
    startDeliveries,
    startAll() {
      startWorker();
      startDeliveries();
      startCloser();
      startRescuer();
      startWindowCloser();
    },
    async stopAll() {
      await Promise.all(running.splice(0).map((loop) => loop.stop(3_000)));
    },
    jobs: () =>
      rows<JobRow>(
        `/* look at jobs */ select job_id as "jobId", state, verdict, reason_code as "reasonCode", chunks_done as "chunksDone", records_read as read, records_valid as valid,
           records_rejected as rejected, records_filtered as filtered, closed_at as "closedAt" from headgate.jobs where tenant_id = $1 order by accepted_number`,
      ),
    events: () =>
      rows<{ type: string; objectId: string; from: string; to: string }>(
        '/* look at events */ select type, object_id as "objectId", from_state as "from", to_state as "to" from headgate.events where tenant_id = $1 order by event_id',
      ),
    usage: async () =>
      (
        await rows<{ stored: number; held: number; inFlight: number }>(
          '/* look at usage */ select stored_bytes as stored, held_bytes as held, chunks_in_flight as "inFlight" from headgate.tenant_usage where tenant_id = $1',
        )
      )[0]!,
    /** The database's clock, moved ahead. */
    passTime: (seconds: number) =>
      database.adminDb.query("/* pass time */ update headgate.clock_offset set by = by + $1 * interval '1 second'", [seconds]),
  };
}

const receiptSetting = {
  environment: { name: 'test', hash: 'none' },
  versions: { headgate: '0.0.0', kernel: 'k', code: 'c', codec: '1', referenceData: {} },
};

async function plantFlow(tx: TenantTx, { flowId, flowVersionId }: { readonly flowId: string; readonly flowVersionId: string }) {
  await tx.query(
    "/* plant flow */ insert into headgate.flows (tenant_id, flow_id, service, name, created_at) values ($1, $2, 'payments', 'test', headgate.clock())",
    [tx.tenantId, flowId],
  );
  await tx.query(
    `/* plant version */ insert into headgate.flow_versions (tenant_id, flow_version_id, flow_id, version, hash, source, document, state, applied_at, applied_by)
     values ($1, $2, $3, '1.0.0', 'sha256:0', '', '{}', 'active', headgate.clock(), 'test')`,
    [tx.tenantId, flowVersionId, flowId],
  );
}

function memoryConnector(
  type: string,
  delivered: Map<string, string[]>,
  answer: (batch: OutgoingBatch) => DeliveryOutcome = () => ({ kind: 'acked' }),
): Connector {
  const seen = new Set<string>();
  return {
    name: type,
    summary: 'Keeps lines in memory.',
    documentation: '',
    connectionType: 'memory',
    bodies: ['ndjson', 'csv', 'fixed-width'],
    targetSettings: [],
    connectionSettings: [],
    open: ({ target }) => ({
      unknownResolution: 'labelled-resend',
      async deliver(batch) {
        const outcome = answer(batch);
        // As a target does that honours the label: what may be a duplicate is looked up.
        const isRepeated = batch.possibleDuplicate && seen.has(batch.batchId);
        seen.add(batch.batchId);
        if (outcome.kind === 'acked' && !isRepeated) {
          const lines = [...batch.body.lines()].map((line) => Buffer.from(line).toString('utf8'));
          delivered.set(target.id, [...(delivered.get(target.id) ?? []), ...lines]);
        }
        return outcome;
      },
      probe: async () => ({ isReachable: true, code: null, message: '', durationMs: 0 }),
      close: async () => {},
    }),
  };
}

/** Crash points that throw once, at the n-th reach of a name: what follows does not happen. */
function createThrowingCrashPoints() {
  const armed = new Map<string, number>();
  const reached = new Map<string, number>();
  const points: CrashPoints = {
    reach(name) {
      reached.set(name, (reached.get(name) ?? 0) + 1);
      const left = armed.get(name);
      if (left === undefined) return;
      if (left > 1) {
        armed.set(name, left - 1);
        return;
      }
      armed.delete(name);
      throw new Error(`crash at ${name}`);
    },
  };
  return { points, reached, arm: (name: string, at = 1) => armed.set(name, at) };
}
