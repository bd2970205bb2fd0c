/**
 * A tenant with a flow whose jobs are ready to be delivered: rows as a chunk group's commit leaves them, over sealed
 * segments in a folder. The queue is the real one; the worker gets it as in production.
 */
import { createWorkQueue } from '../../src/control/jobs/queue/work-queue.ts';
import type { Connector } from '../../src/pipeline/connectors/connector.ts';
import { fileConnector } from '../../src/pipeline/connectors/file/file-connector.ts';
import { httpConnector } from '../../src/pipeline/connectors/http/http-connector.ts';
import { systemResolveHost } from '../../src/pipeline/connectors/resolve-host.ts';
import { prepareBatches } from '../../src/pipeline/deliveries/cutting/batch-cutter.ts';
import { insertCutBatches } from '../../src/pipeline/deliveries/cutting/batch-insert.ts';
import type { TargetBinding } from '../../src/pipeline/deliveries/delivery-definitions.ts';
import { createDeliveryWorker, type DeliveryWorkerOptions } from '../../src/pipeline/deliveries/delivery-worker.ts';
import type { Exclusion } from '../../src/pipeline/engine/file/duplicates.ts';
import type { Plan } from '../../src/pipeline/engine/plan.ts';
import { ensureTenant } from '../../src/platform/access/tenants.ts';
import { noCrashPoints } from '../../src/platform/base/crash-points.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { silentLogger } from '../../src/platform/telemetry/logger.ts';
import { type TenantTx, withTenant } from '../../src/platform/tenancy/tenant-scope.ts';
import { type SealedJob, sealJobs } from './delivery-files.ts';
import { openFence } from './open-fence.ts';
import { openSecrets } from './open-secrets.ts';
import type { TestDatabase } from './postgres.ts';
import { temporaryStore } from './temporary-store.ts';

export interface ScenarioOptions {
  readonly database: TestDatabase;
  readonly plan: Plan;
  readonly bindings: Readonly<Record<string, TargetBinding>>;
  readonly connectors?: readonly Connector[];
  readonly tenantName?: string;
  /** Where one worker is to read what several tenants have. */
  readonly storage?: ReturnType<typeof temporaryStore>;
}

export interface ScenarioFile {
  readonly lines: readonly string[];
  readonly chunkLines?: readonly number[];
  readonly name?: string;
  readonly exclusions?: readonly Exclusion[];
}

export type Scenario = Awaited<ReturnType<typeof createDeliveryScenario>>;

const loopback: TargetBinding['egress'] = { allowPrivate: ['127.0.0.0/8', '::1/128'], allowPlain: true };

/** A binding whose policy lets tests use this machine. */
export function bindingOf(type: string, settings: Record<string, unknown>): TargetBinding {
  return { tenant: 'bank', connection: { name: type, type, settings }, egress: loopback, hash: JSON.stringify(settings) };
}

let names = 0;

export async function createDeliveryScenario(options: ScenarioOptions) {
  const { database, plan } = options;
  const { db } = database;
  const { ids } = systemPorts;
  const { store, root } = options.storage ?? temporaryStore();
  const queue = createWorkQueue(ids);
  const name = options.tenantName ?? `bank-${process.pid}-${++names}`;
  const tenantId = await ensureTenant(db, ids, { name, cell: 'local', region: 'test' });
  const flowId = ids.next();
  const flowVersionId = ids.next();
  const inTenant = <T>(work: (tx: TenantTx) => Promise<T>) => withTenant(db, tenantId, work);
  await inTenant(async (tx) => {
    await tx.query(
      `/* plant flow */ insert into headgate.flows (tenant_id, flow_id, service, name, created_at) values ($1, $2, 'payments', 'eft', headgate.clock())`,
      [tenantId, flowId],
    );
    await tx.query(
      `/* plant version */ insert into headgate.flow_versions (tenant_id, flow_version_id, flow_id, version, hash, source, document, state, applied_at, applied_by)
       values ($1, $2, $3, '1.0.0', 'sha256:0', '', '{}', 'active', headgate.clock(), 'test')`,
      [tenantId, flowVersionId, flowId],
    );
  });
  let accepted = 0;
  const workers: { stop(timeoutMs?: number): Promise<void> }[] = [];

  async function plantJobs(files: readonly ScenarioFile[], state: 'delivering' | 'running'): Promise<SealedJob[]> {
    const sealed = sealJobs(
      { store, ids, tenantId },
      plan,
      files.map((file) => ({ ...file, acceptedNumber: ++accepted })),
    );
    await inTenant(async (tx) => {
      for (const segment of sealed[0]!.segments) await plantSegment(tx, segment);
      for (const [index, job] of sealed.entries()) await plantJob(tx, job, files[index]!.name ?? `in-${job.acceptedNumber}.csv`, state);
    });
    return sealed.map((job, index) => ({ ...job, exclusions: files[index]!.exclusions ?? [] }));
  }

  async function plantSegment(tx: TenantTx, segment: SealedJob['segments'][number]): Promise<void> {
    await tx.query(
      `/* plant segment */ insert into headgate.segments (tenant_id, segment_id, group_id, kind, target_id, bytes, sha256, object_id, object, fence, created_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, headgate.clock())`,
      [
        tenantId,
        segment.segmentId,
        ids.next(),
        segment.kind,
        segment.targetId,
        segment.object.bytes,
        segment.object.sha256,
        segment.object.objectId,
        JSON.stringify(segment.object),
      ],
    );
  }

  async function plantJob(tx: TenantTx, job: SealedJob, fileName: string, state: string): Promise<void> {
    const fileId = ids.next();
    const read = job.summaries.reduce((sum, { records }) => sum + records.read, 0);
    const filtered = job.summaries.reduce((sum, { records }) => sum + records.filtered, 0);
    await tx.query(
      `/* plant file */ insert into headgate.files (tenant_id, file_id, arrival_id, flow_id, name, bytes, sha256, container_name, container_bytes, container_sha256,
         object_id, object, accepted_number, accepted_at) values ($1, $2, $3, $4, $5, $6, $7, $5, $6, $7, $8, $9, $10, headgate.clock())`,
      [
        tenantId,
        fileId,
        ids.next(),
        flowId,
        fileName,
        job.bytes,
        job.file.sha256,
        job.file.objectId,
        JSON.stringify(job.file),
        job.acceptedNumber,
      ],
    );
    await tx.query(
      `/* plant job */ insert into headgate.jobs (tenant_id, job_id, flow_id, flow_version_id, file_id, lineage_id, accepted_number, state, chunks, chunks_done, bytes,
         records_read, records_valid, records_filtered, created_at, changed_at)
       values ($1, $2, $3, $4, $5, $2, $6, 'queued', $7, $7, $8, $9, $10, $11, headgate.clock(), headgate.clock())`,
      [
        tenantId,
        job.jobId,
        flowId,
        flowVersionId,
        fileId,
        job.acceptedNumber,
        job.chunks.length,
        job.bytes,
        read,
        read - filtered,
        filtered,
      ],
    );
    for (const next of state === 'running' ? ['running'] : ['running', 'delivering']) {
      await tx.query('/* move job */ update headgate.jobs set state = $3 where tenant_id = $1 and job_id = $2', [
        tenantId,
        job.jobId,
        next,
      ]);
    }
    for (const spec of job.specs) {
      await tx.query(
        `/* plant chunk */ insert into headgate.chunks (tenant_id, job_id, chunk_number, group_id, start_byte, end_byte, first_record, context)
         values ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [tenantId, job.jobId, spec.number, ids.next(), spec.start, spec.end, spec.firstRecord, JSON.stringify(spec.context)],
      );
    }
  }

  /** `first` and `last` run in the same transaction, as the change of the job's state does. */
  async function cut(
    jobs: readonly SealedJob[],
    first: (tx: TenantTx) => Promise<unknown> = async () => {},
    last: () => void = () => {},
  ): Promise<void> {
    const prepared = await prepareBatches(
      { tenantId, flowId, flowVersionId, plan, traceParent: null, actor: 'system', jobs },
      { store, ports: systemPorts },
    );
    await inTenant(async (tx) => {
      await first(tx);
      await insertCutBatches(tx, prepared, { queue, ports: systemPorts });
      last();
    });
  }

  const rows = <Row>(sql: string, params: readonly unknown[] = []) =>
    inTenant(async (tx) => (await tx.query<Row>(sql, [tenantId, ...params])).rows);

  return {
    tenantId,
    flowId,
    flowVersionId,
    plan,
    store,
    /** Folder of the store: where sealed objects can be damaged. */
    storeRoot: root,
    queue,
    inTenant,
    rows,
    cut,
    plantJobs,
    /** Jobs that share their batches where the plan lets them. */
    async deliverJobs(files: readonly ScenarioFile[]): Promise<SealedJob[]> {
      const jobs = await plantJobs(files, 'delivering');
      await cut(jobs);
      return jobs;
    },
    startWorker(more: Partial<DeliveryWorkerOptions> = {}) {
      const worker = createDeliveryWorker({
        db,
        store,
        queue,
        definitions: {
          loadFlow: async () => ({ flowName: 'eft', plan }),
          loadBinding: async (_tx, connection) => options.bindings[connection]!,
        },
        connectors: options.connectors ?? [fileConnector, httpConnector],
        folders: openFence,
        secrets: openSecrets(),
        resolveHost: systemResolveHost,
        ports: systemPorts,
        logger: silentLogger,
        metrics: { add() {}, observe() {} },
        crashPoints: noCrashPoints,
        workerId: ids.next(),
        leaseMs: 15_000,
        ...more,
      });
      workers.push(worker);
      worker.start();
      return worker;
    },
    /** Waits until every job has a `close` work item, as the closer would find it. */
    async allEnded(jobs: readonly SealedJob[], timeoutMs?: number): Promise<void> {
      await until(async () => (await closeWork(rows)) >= jobs.length, 'jobs did not end', timeoutMs);
    },
    batches: () =>
      rows<BatchView>(
        `/* batches */ select batch_id as "batchId", target_id as "targetId", state, records, attempts, unknown_attempts as "unknownAttempts",
           parent_batch_id as "parentBatchId", reason_code as "reasonCode", lane, body_sha256 as "bodySha256"
         from headgate.batches where tenant_id = $1 order by batch_id`,
      ),
    attempts: () =>
      rows<AttemptView>(
        `/* attempts */ select batch_id as "batchId", attempt_number as "attemptNumber", possible_duplicate as "possibleDuplicate", outcome,
           resolved_as as "resolvedAs", evidence, reason_code as "reasonCode" from headgate.attempts where tenant_id = $1 order by attempt_id`,
      ),
    counts: () =>
      rows<Record<'targetId' | 'routed' | 'delivered' | 'refused' | 'dead' | 'cancelled', unknown>>(
        `/* counts */ select target_id as "targetId", sum(routed)::int as routed, sum(delivered)::int as delivered, sum(refused)::int as refused,
           sum(dead)::int as dead, sum(cancelled)::int as cancelled from headgate.job_targets where tenant_id = $1 group by target_id order by target_id`,
      ),
    stopWorkers: () => Promise.all(workers.map((worker) => worker.stop(2_000))),
  };
}

export interface BatchView {
  readonly batchId: string;
  readonly targetId: string;
  readonly state: string;
  readonly records: number;
  readonly attempts: number;
  readonly unknownAttempts: number;
  readonly parentBatchId: string | null;
  readonly reasonCode: string | null;
  readonly lane: number;
  readonly bodySha256: string;
}

export interface AttemptView {
  readonly batchId: string;
  readonly attemptNumber: number;
  readonly possibleDuplicate: boolean;
  readonly outcome: string | null;
  readonly resolvedAs: string | null;
  readonly evidence: string | null;
  readonly reasonCode: string | null;
}

async function closeWork(rows: <Row>(sql: string) => Promise<Row[]>): Promise<number> {
  const [found] = await rows<{ count: number }>(
    "/* close work */ select count(*)::int as count from headgate.work_items where tenant_id = $1 and kind = 'close'",
  );
  return found!.count;
}

/** Asks again and again, for what no signal announces. */
export async function until(condition: () => Promise<boolean> | boolean, failure: string, timeoutMs = 60_000): Promise<void> {
  const endMs = systemPorts.clock.monotonicMs() + timeoutMs;
  while (!(await condition())) {
    if (systemPorts.clock.monotonicMs() > endMs) throw new Error(failure);
    await systemPorts.sleep.sleep(10);
  }
}
