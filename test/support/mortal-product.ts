/**
 * The product from upload to receipt over ports that can die, as often as it is started: each start is a new process with
 * connections of its own, over the same database, store and targets. Two targets in memory remember what came to them: one
 * that cannot be asked, and one that can.
 */
import { createArrivalPlans } from '../../src/control/flows/applying/arrival-plans.ts';
import { loadFlowVersion } from '../../src/control/flows/applying/flow-store-versions.ts';
import { createJobCloser } from '../../src/control/jobs/closing/job-closer.ts';
import type { EngineThreads } from '../../src/control/jobs/groups/thread-pool.ts';
import { createJobIntake } from '../../src/control/jobs/job-intake.ts';
import type { JobServices } from '../../src/control/jobs/job-services.ts';
import { createJobWorker } from '../../src/control/jobs/job-worker.ts';
import type { PoisonHunt } from '../../src/control/jobs/poison/poison-hunt.ts';
import { createWorkQueue } from '../../src/control/jobs/queue/work-queue.ts';
import { createWorkRescuer } from '../../src/control/jobs/queue/work-rescuer.ts';
import { formats } from '../../src/main/catalogue.ts';
import { createAdmission } from '../../src/pipeline/arrivals/admission.ts';
import { createFileIntake } from '../../src/pipeline/arrivals/file-intake.ts';
import { createDirectIntakeStore } from '../../src/pipeline/arrivals/intake-store.ts';
import { createUploads, type UploadAnswer } from '../../src/pipeline/arrivals/upload.ts';
import type { Connector, OutgoingBatch } from '../../src/pipeline/connectors/connector.ts';
import { createDeliveryWorker } from '../../src/pipeline/deliveries/delivery-worker.ts';
import { noCrashPoints } from '../../src/platform/base/crash-points.ts';
import { createNotifier } from '../../src/platform/base/notifier.ts';
import { createEventSequencer } from '../../src/platform/events/event-sequencer.ts';
import { openPool } from '../../src/platform/postgres/pool.ts';
import type { SealedStore } from '../../src/platform/storage/object-store.ts';
import { createLogger, silentLogger } from '../../src/platform/telemetry/logger.ts';
import { createMetrics } from '../../src/platform/telemetry/metrics.ts';
import { scenarioKey } from './job-scenario.ts';
import type { Mortality } from './mortal-ports.ts';
import { openFence } from './open-fence.ts';
import { openSecrets } from './open-secrets.ts';
import type { TestDatabase } from './postgres.ts';

/** One time that a record came to a target. */
export interface Reception {
  readonly line: string;
  readonly key: string;
  readonly isLabelled: boolean;
}

export interface ProductPlace {
  readonly database: TestDatabase;
  readonly store: SealedStore;
  /** Of no process: they outlive the deaths. */
  readonly threads: EngineThreads;
  /** By target. */
  readonly received: Map<string, Reception[]>;
}

export interface LivingProduct {
  upload(request: { readonly tenantId: string; readonly name: string; readonly key: string; readonly body: Buffer }): Promise<UploadAnswer>;
  /** Ends loops and connections, or what death left of them. */
  end(): Promise<void>;
}

/** Longer than any run takes, also in hasty time on a busy machine. */
export const leaseMs = 600_000;

export function startProduct(place: ProductPlace, mortality: Mortality): LivingProduct {
  const { ports } = mortality;
  const workerId = ports.ids.next();
  const pool = openPool({ url: place.database.url, applicationName: workerId, connectionsMax: 6 });
  const db = mortality.db(pool);
  const store = mortality.store(place.store);
  const queue = createWorkQueue(ports.ids);
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
  const logger = process.env['HEADGATE_TEST_LOG'] ? createLogger({ level: 'info' }) : silentLogger;
  const metrics = createMetrics();
  const crashPoints = noCrashPoints;
  const services: JobServices = { db, ports, store, queue, flows: { load: loadFlowVersion }, logger, metrics, crashPoints, signals };
  const plans = createArrivalPlans({ environment: 'dev', uploadBytesMax: 1_000_000 });
  const intake = createFileIntake({
    db,
    ports,
    store: createDirectIntakeStore({ store, formats, ids: ports.ids }),
    createJobs: createJobIntake(ports.ids),
    secrets: openSecrets(),
    chunkBytes: 1_000_000,
    onVerdicts: () => signals.chunks.notify(),
  });
  const uploads = createUploads({ db, ports, intake, admission: createAdmission(), plans, lackOfSpace: () => undefined, packedMax: 4 });
  const loops = [
    createJobWorker({ services, threads: mortality.threads(place.threads), hunt: noHunt, workerId, leaseMs }),
    createJobCloser({ services, signingKey: scenarioKey, settingOf: async () => receiptSetting, workerId, leaseMs }),
    createWorkRescuer({ services, idleMs: 200 }),
    createEventSequencer({ db, ports, leaseMs: 1_000, onError: () => {} }),
    createDeliveryWorker({
      db,
      store,
      queue,
      definitions: {
        loadFlow: loadFlowVersion,
        loadBinding: async () => ({
          tenant: 'bank',
          connection: { name: 'memory', type: 'memory', settings: {} },
          egress: { allowPrivate: [], allowPlain: false },
          hash: '',
        }),
      },
      connectors: [mortality.connector(unaskable(place.received)), mortality.connector(askable(place.received))],
      folders: openFence,
      secrets: openSecrets(),
      resolveHost: async () => [],
      ports,
      logger,
      metrics,
      crashPoints,
      workerId,
      leaseMs,
      waiter: signals.deliver.waiter(ports.sleep),
      onJobsEnded: () => signals.close.notify(),
    }),
  ];
  for (const loop of loops) loop.start();
  return {
    upload: ({ tenantId, name, key, body }) =>
      uploads.receiveUpload({
        tenantId,
        flowName: 'payments',
        name,
        headers: { idempotencyKey: key },
        body: piecesOf(body),
        actor: 'test',
      }),
    async end() {
      if (mortality.isDead) {
        const sql = '/* end connections */ select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1';
        await place.database.adminDb.query(sql, [workerId]);
        // What the dead held is never given back.
        pool.close().catch(() => {});
        return;
      }
      await Promise.all(loops.map((loop) => loop.stop(20_000)));
      await pool.close();
    },
  };
}

async function* piecesOf(body: Buffer): AsyncGenerator<Uint8Array> {
  yield body;
}

const noHunt: PoisonHunt = {
  async run() {
    throw new Error('a group was taken for poison');
  },
  stop() {},
};

const receiptSetting = {
  environment: { name: 'dev', hash: 'none' },
  versions: { headgate: '0.0.0', kernel: 'k', code: 'c', codec: '1', referenceData: {} },
};

/** Takes whatever comes, and says nothing about it later. */
function unaskable(received: Map<string, Reception[]>): Connector {
  return memoryConnector('http', () => ({
    unknownResolution: 'labelled-resend',
    async deliver(batch) {
      await receive(received, 'feed', batch);
      return { kind: 'acked' };
    },
    probe,
    close: async () => {},
  }));
}

/** Takes each batch once, and knows which ones it has. */
function askable(received: Map<string, Reception[]>): Connector {
  const has = (batch: OutgoingBatch) => received.has(`batch ${batch.batchId}`);
  return memoryConnector('file', () => ({
    unknownResolution: 'query',
    async deliver(batch) {
      if (!has(batch)) await receive(received, 'archive', batch);
      received.set(`batch ${batch.batchId}`, []);
      return { kind: 'acked' };
    },
    async resolve(batch) {
      return has(batch) ? { kind: 'acked', evidence: 'it is here' } : { kind: 'resendable', evidence: 'it is not here' };
    },
    probe,
    close: async () => {},
  }));
}

const probe = async () => ({ isReachable: true, code: null, message: '', durationMs: 0 });

function memoryConnector(name: string, open: Connector['open']): Connector {
  return {
    name,
    summary: 'Keeps records in memory.',
    documentation: '',
    connectionType: 'memory',
    bodies: ['ndjson', 'csv', 'fixed-width'],
    targetSettings: [],
    connectionSettings: [],
    open,
  };
}

async function receive(received: Map<string, Reception[]>, target: string, batch: OutgoingBatch): Promise<void> {
  const keys = await batch.deliveryKeys();
  const lines = [...batch.body.lines()].map((line) => Buffer.from(line).toString('utf8').trimEnd());
  const before = received.get(target) ?? [];
  received.set(target, [...before, ...lines.map((line, at) => ({ line, key: keys[at]!, isLabelled: batch.possibleDuplicate }))]);
}
