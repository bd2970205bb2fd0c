/**
 * Puts the product together from the settings and runs the roles that they name. The API listens first; the loops start when
 * the database is there. `stop` drains: nothing new is begun, work in hand is finished or handed back within the drain time,
 * then everything closes. There is no state that only a clean stop would save.
 */
import { hostname } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { programVersion } from '../cli/version.ts';
import { createArrivalPlans } from '../control/flows/applying/arrival-plans.ts';
import { createJobIntake } from '../control/jobs/job-intake.ts';
import { createHealthProbes } from '../insight/health/health-probes.ts';
import { createAdmission } from '../pipeline/arrivals/admission.ts';
import { createBlobPlaces } from '../pipeline/arrivals/blob/blob-places.ts';
import { createToldBlobs } from '../pipeline/arrivals/blob/told-blobs.ts';
import { createFileIntake } from '../pipeline/arrivals/file-intake.ts';
import { createHeldArrivals } from '../pipeline/arrivals/held-arrivals.ts';
import { createThreadedIntakeStore } from '../pipeline/arrivals/intake-thread.ts';
import { createSftpPlaces } from '../pipeline/arrivals/sftp/sftp-places.ts';
import type { SftpServer } from '../pipeline/arrivals/sftp-server/sftp-server.ts';
import { createSourcePoller } from '../pipeline/arrivals/source-poller.ts';
import { createUploads } from '../pipeline/arrivals/upload.ts';
import { systemResolveHost } from '../pipeline/connectors/resolve-host.ts';
import { crashPointsOf } from '../platform/base/crash-points.ts';
import type { HeadgateError } from '../platform/base/errors.ts';
import { createNotifier } from '../platform/base/notifier.ts';
import type { Settings } from '../platform/base/settings-catalogue.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { letPastGate } from '../platform/blob/opendal-client.ts';
import { createEventSequencer, sequencerRole } from '../platform/events/event-sequencer.ts';
import { type OpenDatabase, openDatabase } from '../platform/postgres/open-database.ts';
import { connectionSecretFolders, createConnectionSecrets } from '../platform/secrets/connection-secrets.ts';
import { lackOfDiskSpace } from '../platform/storage/free-space.ts';
import { hostsOfStore } from '../platform/storage/remote-store.ts';
import { createLogger, type Logger } from '../platform/telemetry/logger.ts';
import { createMetrics, type Metrics } from '../platform/telemetry/metrics.ts';
import { startTracing } from '../platform/telemetry/tracing.ts';
import { formats, loadConnectors, packs } from './catalogue.ts';
import { createDeadLetterExpirer } from './dead-letter-expirer.ts';
import { createDeliveryDefinitions } from './delivery-definitions.ts';
import { createHealth, findReadOnly } from './health-checks.ts';
import { createKeyPruner } from './key-pruner.ts';
import { createLateDatabase } from './late-database.ts';
import { listen } from './listening.ts';
import { openStorage } from './open-storage.ts';
import { createProductFence } from './product-folders.ts';
import { createSourceWatch } from './source-watch.ts';
import { createStorageSweep } from './storage-sweep.ts';
import { measureWork } from './work-gauges.ts';
import { createWorkLoops } from './work-loops.ts';

export interface RunningServer {
  /** Of the API; null without the role. */
  readonly url: string | null;
  readonly databaseUrl: string;
  /** Of the SFTP server; null without the role. */
  readonly sftpPort: number | null;
  /** Stops taking work, waits for what is in hand (bounded), closes everything. Idempotent. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger?: Logger;
  /** Aborted: a start that still waits for the database ends with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told once, when the database is away at the start; the API listens at `url` then. */
  readonly onWaiting?: (url: string | null, error: HeadgateError) => void;
}

interface Loop {
  start(): void;
  stop(timeoutMs?: number): Promise<unknown>;
}

/** Resolves when the roles run. Waits for a database that is away; rejects with the code of what waiting would not mend. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { settings, env, logger: given } = options;
  const ports = systemPorts;
  const codeVersion = programVersion();
  const workerId = ports.ids.next();
  const logger =
    given ?? createLogger({ level: settings.logLevel, base: { region: settings.region, cell: settings.cell, workerId, host: hostname() } });
  const metrics = createMetrics({ withProcessMetrics: true });
  metrics.set('headgate_build_info', { version: codeVersion, region: settings.region, cell: settings.cell }, 1);
  const tracing = await startTracing({
    serviceName: 'headgate',
    version: codeVersion,
    resource: { 'headgate.region': settings.region },
    env,
  });
  const storage = openStorage(settings, env, ports.rng);
  if (storage.remote) await letPastGate(ports.rng, hostsOfStore(storage.remote));
  const late = createLateDatabase(ports);
  const { db } = late;
  measureWork(metrics, db, ports);
  const has = (role: Settings['roles'][number]) => settings.roles.includes(role);
  const crashPoints = crashPointsOf(env);
  const chunkWork = createNotifier();
  const plans = createArrivalPlans({ environment: settings.environment, uploadBytesMax: settings.uploadBytesMax });
  const admission = createAdmission();
  const folders = createProductFence(settings);
  const intakeStore = createThreadedIntakeStore({
    root: storage.root,
    remote: storage.remote,
    cell: settings.cell,
    masterKeys: storage.masterKeys,
    formatsUrl: new URL('./catalogue.ts', import.meta.url).href,
    store: storage.sealed,
    formats,
    packs,
    ids: ports.ids,
  });
  const secrets = createConnectionSecrets({
    env,
    folders: connectionSecretFolders(settings),
    mountedFolders: settings.mountedSecretFolders,
  });
  const sftp = createSftpPlaces({ secrets, resolveHost: systemResolveHost, ports });
  // Of their own, and not kept: a probe that went over an earlier connection would not notice new credentials.
  const probedSftp = createSftpPlaces({ secrets, resolveHost: systemResolveHost, ports, keptMax: 0 });
  const blobs = createBlobPlaces({ secrets, resolveHost: systemResolveHost, ports });
  const watch = createSourceWatch({ metrics, logger, clock: ports.clock });
  const intake = createFileIntake({
    db,
    ports,
    store: intakeStore,
    createJobs: createJobIntake(ports.ids),
    secrets,
    onVerdicts: (_tenantId, flow, verdicts) => {
      chunkWork.notify();
      watch.countRefused(flow.plan.flow.tenant, verdicts);
      for (const { state, bytes } of verdicts) {
        metrics.add('headgate_files_total', { tenant: flow.plan.flow.tenant, outcome: state });
        if (state === 'accepted') metrics.add('headgate_file_bytes_total', { tenant: flow.plan.flow.tenant }, bytes);
      }
    },
    chunkBytes: settings.chunkBytes,
    crashPoints,
  });
  const onError = (loop: string) => (error: unknown) => logger.error(`${loop} failed; it goes on`, { error });

  const lackOfSpace = (bytes: number) =>
    lackOfDiskSpace(storage.remote ? settings.dataDir : storage.root, settings.freeDiskBytesMin + bytes);
  const loops: Loop[] = [];
  if (has('ingress'))
    loops.push(
      createSourcePoller({
        db,
        ports,
        intake,
        admission,
        plans,
        folders,
        sftp,
        blobs,
        workerId,
        crashPoints,
        leaseMs: settings.leaseMs,
        lackOfSpace,
        ...watch,
      }),
    );
  if (has('scheduler')) {
    loops.push(
      createEventSequencer({
        db,
        ports,
        onError: onError('event sequencer'),
        onRound({ isLeader, transactions }) {
          metrics.set('headgate_is_leader', { role: sequencerRole }, Number(isLeader));
          if (transactions > 0) metrics.add('headgate_event_transactions_sequenced_total', {}, transactions);
        },
      }),
    );
    loops.push(createStorageSweep({ raw: storage.raw, cell: settings.cell, db, ports, logger, metrics, workerId }));
    loops.push(createKeyPruner({ db, ports, logger, metrics, workerId }));
    loops.push(createDeadLetterExpirer({ db, ports, logger, metrics, workerId }));
  }
  const work = await createWorkLoops({
    settings,
    folders,
    secrets,
    db,
    ports,
    storage,
    logger,
    metrics,
    workerId,
    crashPoints,
    chunkWork,
    codeVersion,
  });
  loops.push(...work.loops);

  let isStarted = false;
  let isDraining = false;
  const waitsFor = () => late.waitsFor;
  const health = createHealth({ db, storage, ports, lackOfSpace, isStarted: () => isStarted && !isDraining, waitsFor });
  let api: FastifyInstance | undefined;
  let url: string | null = null;
  let sftpServer: SftpServer | undefined;
  let database: OpenDatabase | undefined;
  async function close(): Promise<void> {
    isDraining = true;
    const drained = Promise.all(loops.map((loop) => loop.stop(settings.drainMs)));
    await Promise.all([drained, closeApi(api, settings.drainMs), sftpServer?.stop(settings.drainMs)]);
    sftp.close();
    probedSftp.close();
    await work.close();
    await intakeStore.close();
    await database?.close();
    await tracing.stop(1_000);
  }
  try {
    const uploads = createUploads({ db, ports, intake, admission, plans, lackOfSpace, packedMax: settings.packedUploadsMax });
    if (has('api')) {
      const heldArrivals = createHeldArrivals({ db, ports, intake, store: intakeStore, plans, createJobs: createJobIntake(ports.ids) });
      const probes = createHealthProbes({
        db,
        ports,
        definitions: createDeliveryDefinitions(settings.environment),
        plans,
        sources: { folders, sftp: probedSftp, blobs },
        openTargets: async () => ({
          connectors: await loadConnectors(),
          folders,
          secrets,
          ports: { ...ports, resolveHost: systemResolveHost },
        }),
      });
      // With its framework and schemas it is loaded only where it is served.
      api = await (await import('../api/api-server.ts')).createApiServer({
        settings,
        codeVersion,
        db,
        store: storage.sealed,
        ports,
        logger,
        metrics,
        health,
        probes,
        plans,
        uploads,
        heldArrivals,
        toldBlobs: createToldBlobs({ db, plans }),
        jobs: work.jobs,
        folders,
      });
      url = await listen(api, settings);
    }
    database = await late.open({
      open: () => open(settings, logger, metrics),
      signal: options.signal,
      onWait(error, attempt) {
        if (attempt === 1) options.onWaiting?.(url, error);
        logger.warn('headgate waits for its database', { servesAt: url ?? 'none', attempt, error });
      },
    });
    // Its driver is loaded only where it is wanted. It listens last: whoever logs in needs the database.
    if (has('sftp'))
      sftpServer = await (await import('./sftp-role.ts')).startSftpRole({ settings, env, db, ports, uploads, logger, metrics });
  } catch (error) {
    await close();
    throw error;
  }
  for (const loop of loops) loop.start();
  isStarted = true;
  logger.info('headgate started', { servesAt: url ?? 'none', roles: settings.roles, version: codeVersion });

  // What only reads is answered, so it is no reason to end; /readyz says it from now on.
  const fault = await findReadOnly(db).catch(() => null);
  if (fault !== null) {
    options.onWaiting?.(url, fault);
    logger.warn('headgate waits for a database that takes writes', { servesAt: url ?? 'none', error: fault, next: fault.next });
  }

  let stopping: Promise<void> | undefined;
  async function stop(): Promise<void> {
    await close();
    logger.info('headgate stopped');
  }
  return { url, databaseUrl: database.url, sftpPort: sftpServer?.port ?? null, stop: () => (stopping ??= stop()) };
}

function open(settings: Settings, logger: Logger, metrics: Metrics): Promise<OpenDatabase> {
  return openDatabase({
    dataDir: settings.dataDir,
    databaseUrl: settings.databaseUrl,
    applicationName: `headgate ${settings.roles.join(',')}`,
    connectionsMax: settings.databaseConnections,
    ports: systemPorts,
    observe: (statement, outcome) => metrics.add('headgate_database_statements_total', { statement, outcome }),
    onRestart(failure) {
      if (failure) logger.error('the embedded PostgreSQL had died and could not be started again; it is tried again', { error: failure });
      else logger.warn('the embedded PostgreSQL had died and was started again');
    },
    onUnseen: (error) =>
      logger.error('no file descriptor is left to see whether the embedded PostgreSQL lives: raise the limit of open files (ulimit -n)', {
        error,
      }),
  });
}

/** Requests in hand may end within the time; what is still open then, such as a slow upload, is cut, and nothing of it was kept. */
async function closeApi(api: FastifyInstance | undefined, drainMs: number): Promise<void> {
  if (api === undefined) return;
  const closed = new AbortController();
  const closing = api.close().finally(() => closed.abort());
  await systemPorts.sleep.sleep(drainMs, closed.signal);
  api.server.closeAllConnections();
  await closing;
}
