/** The loops that work the queue, by role: the engine on chunks, checks and closings; deliveries to targets; the rescuer. */
import { availableParallelism } from 'node:os';
import { loadFlowVersion } from '../control/flows/applying/flow-store-versions.ts';
import { createAcknowledgementWriter } from '../control/jobs/acknowledging/acknowledgement-writer.ts';
import { createOverdueWatch } from '../control/jobs/answering/overdue-watch.ts';
import { createJobCloser } from '../control/jobs/closing/job-closer.ts';
import { createWindowCloser } from '../control/jobs/collecting/window-closer.ts';
import { createEngineThreads } from '../control/jobs/groups/thread-pool.ts';
import type { JobServices } from '../control/jobs/job-services.ts';
import { createJobWorker } from '../control/jobs/job-worker.ts';
import { createPoisonHunt } from '../control/jobs/poison/poison-hunt.ts';
import { createWorkQueue } from '../control/jobs/queue/work-queue.ts';
import { createWorkRescuer } from '../control/jobs/queue/work-rescuer.ts';
import { systemResolveHost } from '../pipeline/connectors/resolve-host.ts';
import { createAnswerMatcher } from '../pipeline/deliveries/answers/answer-matcher.ts';
import { createDeliveryWorker } from '../pipeline/deliveries/delivery-worker.ts';
import type { CrashPoints } from '../platform/base/crash-points.ts';
import type { FolderFence } from '../platform/base/folder-fence.ts';
import { createNotifier, type Notifier } from '../platform/base/notifier.ts';
import type { Ports } from '../platform/base/ports.ts';
import type { Settings } from '../platform/base/settings-catalogue.ts';
import type { Db } from '../platform/postgres/database.ts';
import type { ConnectionSecrets } from '../platform/secrets/connection-secrets.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import { loadConnectors } from './catalogue.ts';
import { createDeliveryDefinitions } from './delivery-definitions.ts';
import type { OpenStorage } from './open-storage.ts';
import { createReceiptSetting } from './receipt-setting.ts';

interface Loop {
  start(): void;
  stop(timeoutMs?: number): Promise<unknown>;
}

export interface WorkLoops {
  readonly loops: readonly Loop[];
  readonly jobs: JobServices;
  /** After the loops have stopped. */
  close(): Promise<void>;
}

export interface WorkLoopOptions {
  readonly settings: Settings;
  readonly folders: FolderFence;
  readonly secrets: ConnectionSecrets;
  readonly db: Db;
  readonly ports: Ports;
  readonly storage: OpenStorage;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly workerId: string;
  readonly crashPoints: CrashPoints;
  readonly chunkWork: Notifier;
  readonly codeVersion: string;
}

export async function createWorkLoops(options: WorkLoopOptions): Promise<WorkLoops> {
  const { settings, folders, secrets, db, ports, storage, logger, metrics, workerId, crashPoints, chunkWork } = options;
  const queue = createWorkQueue(ports.ids);
  const signals = {
    chunks: chunkWork,
    check: createNotifier(),
    deliver: createNotifier(),
    close: createNotifier(),
    breaker: createNotifier(),
    acknowledge: createNotifier(),
    collect: createNotifier(),
    answer: createNotifier(),
  };
  const jobs: JobServices = {
    db,
    ports,
    store: storage.sealed,
    queue,
    flows: { load: loadFlowVersion },
    logger,
    metrics,
    crashPoints,
    signals,
  };
  const loops: Loop[] = [];
  const closing: (() => Promise<void> | void)[] = [];
  if (settings.roles.includes('worker')) {
    const threadStorage = { root: storage.root, remote: storage.remote, cell: settings.cell, masterKeys: storage.masterKeys };
    const threads = createEngineThreads({ storage: threadStorage, threads: settings.workerThreads || availableParallelism() });
    const hunt = createPoisonHunt({ storage: threadStorage, logger });
    loops.push(
      createJobWorker({ services: jobs, threads, hunt, workerId, leaseMs: settings.leaseMs }),
      createWindowCloser({ services: jobs, workerId, leaseMs: settings.leaseMs }),
    );
    closing.push(
      () => threads.stop(),
      () => hunt.stop(),
    );
  }
  if (settings.roles.includes('scheduler')) {
    const settingOf = createReceiptSetting({ environment: settings.environment, codeVersion: options.codeVersion });
    loops.push(createWorkRescuer({ services: jobs }));
    loops.push(createOverdueWatch({ services: jobs, workerId, leaseMs: settings.leaseMs }));
    loops.push(createJobCloser({ services: jobs, signingKey: storage.signingKey, settingOf, workerId, leaseMs: settings.leaseMs }));
  }
  if (settings.roles.includes('delivery')) {
    const definitions = createDeliveryDefinitions(settings.environment);
    const connectors = await loadConnectors();
    loops.push(
      createAcknowledgementWriter({
        services: jobs,
        definitions,
        connectors,
        folders,
        secrets,
        ports: { ...ports, resolveHost: systemResolveHost },
        workerId,
        leaseMs: settings.leaseMs,
      }),
      createDeliveryWorker({
        db,
        store: storage.sealed,
        queue,
        definitions,
        connectors,
        folders,
        secrets,
        resolveHost: systemResolveHost,
        matchAnswers: createAnswerMatcher({ ...jobs, definitions }),
        ports,
        logger,
        metrics,
        crashPoints,
        workerId,
        leaseMs: settings.leaseMs,
        waiter: signals.deliver.waiter(ports.sleep),
        breakerWaiter: signals.breaker.waiter(ports.sleep),
        onBatchesResumed: signals.deliver.notify,
        onJobsEnded: signals.close.notify,
      }),
    );
  }
  return {
    loops,
    jobs,
    async close() {
      for (const close of closing) await close();
    },
  };
}
