/**
 * The loop that writes acknowledgements where flows say: through the connectors that hold files, so that each is a temporary
 * file first and gets its name when it is whole. A process that ends between the name and the commit is followed by another
 * that finds the file there with the same bytes. Tries are bounded as those of targets are; what is given up is an event. Where the
 * settings of a place are at fault nothing is given up: it waits for them to be mended.
 */
import type { DeliveryOutcome, Target } from '../../../pipeline/connectors/connector.ts';
import { withDeadline } from '../../../pipeline/deliveries/attempts/deadline.ts';
import { createOpenTargets, type TargetOpening } from '../../../pipeline/deliveries/attempts/open-targets.ts';
import { isExhausted, retryDelayMs } from '../../../pipeline/deliveries/attempts/retry-schedule.ts';
import { commitForCertain } from '../../../pipeline/deliveries/certain-transaction.ts';
import type { DeliveryDefinitions, TargetBinding } from '../../../pipeline/deliveries/delivery-definitions.ts';
import { deliveryErrors } from '../../../pipeline/deliveries/delivery-errors.ts';
import { isConfigurationFault } from '../../../pipeline/deliveries/held/configuration-codes.ts';
import type { WorkItem } from '../../../pipeline/deliveries/work-queue-port.ts';
import type { AcknowledgePlan, Plan } from '../../../pipeline/engine/plan.ts';
import { iso20022Errors } from '../../../pipeline/formats/iso20022/iso20022-errors.ts';
import { nachaErrors } from '../../../pipeline/formats/nacha/nacha-errors.ts';
import { HeadgateError, nextOf } from '../../../platform/base/errors.ts';
import { formatTraceparent, parseTraceparent } from '../../../platform/telemetry/trace-context.ts';
import { withSpan } from '../../../platform/telemetry/tracing.ts';
import { withWork } from '../../../platform/telemetry/work-context.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { jobErrors } from '../job-errors.ts';
import type { JobServices } from '../job-services.ts';
import { createWorkLoop, type LeaseView, type WorkLoop } from '../queue/work-loop.ts';
import { type OpenedAcknowledgement, openJobAcknowledgement } from '../views/file-acknowledgement.ts';
import {
  type AcknowledgedJob,
  type AcknowledgementEnd,
  type PendingAcknowledgement,
  readAcknowledgedJob,
  writeEnds,
} from './acknowledgement-rows.ts';
import { nameOf, openOutgoingAcknowledgement, targetOf } from './outgoing-acknowledgement.ts';
import { createPlaceFaults } from './place-faults.ts';

export interface AcknowledgementWriterOptions extends TargetOpening {
  readonly services: JobServices;
  readonly definitions: Pick<DeliveryDefinitions, 'loadBinding'>;
  readonly workerId: string;
  readonly leaseMs: number;
}

/** Of one process, and of one connection: the servers of partners allow few. */
const inHandMax = 32;
const atOnceMax = 4;
/** Until a full place is looked at again: as long as it has been busy with one already. One that hangs is not asked for all the time. */
const laterMs = { min: 500, max: 10_000 };
/** Services take an object whole: it is in memory meanwhile. */
const objectBytesMax = 256 * 1024 ** 2;

interface Work {
  readonly tenantId: string;
  readonly item: WorkItem;
  readonly job: AcknowledgedJob;
  readonly opened: OpenedAcknowledgement;
  readonly flow: { readonly plan: Plan; readonly flowName: string };
  readonly acknowledge: AcknowledgePlan;
  readonly binding: TargetBinding | HeadgateError;
  readonly leases: LeaseView;
}

export function createAcknowledgementWriter(options: AcknowledgementWriterOptions): WorkLoop {
  const { services, workerId, leaseMs } = options;
  const targets = createOpenTargets(options);
  const faults = createPlaceFaults(services.ports.clock);
  /** By place, when each began; the oldest first. */
  const underWay = new Map<string, Set<{ readonly sinceMs: number }>>();
  let stopping = new AbortController();

  async function write(tenantId: string, item: WorkItem, leases: LeaseView): Promise<void> {
    const work = await readWork(options, { tenantId, item, leases });
    if (work === null) return await withTenant(services.db, tenantId, (tx) => services.queue.finishWork(tx, [item]));
    const { job, flow } = work;
    const ids = { trace: parseTraceparent(job.traceParent), flow: flow.plan.flow.name, jobId: job.jobId };
    await withWork(ids, () => writeAll(work));
  }

  async function writeAll(work: Work): Promise<void> {
    const { tenantId, item } = work;
    const place = `${tenantId} ${work.acknowledge.connection}`;
    const writing = underWay.get(place) ?? new Set();
    const nowMs = services.ports.clock.monotonicMs();
    if (writing.size >= atOnceMax) {
      const [oldest] = writing;
      const delayMs = Math.max(laterMs.min, Math.min(laterMs.max, nowMs - oldest!.sinceMs));
      return await release(tenantId, item, delayMs);
    }
    const faultPlace = `${tenantId} ${work.job.flowVersionId} ${work.binding instanceof HeadgateError ? '' : work.binding.hash}`;
    const untilTryMs = faults.untilTryMs(faultPlace);
    if (untilTryMs > 0) return await release(tenantId, item, untilTryMs);
    const own = { sinceMs: nowMs };
    underWay.set(place, writing.add(own));
    try {
      const ends: AcknowledgementEnd[] = [];
      let waitMs = 0;
      for (const pending of work.job.pending) {
        const end = await tryOnce(work, pending);
        ends.push(end);
        if (!isAtFault(end)) {
          faults.mended(faultPlace);
          continue;
        }
        // What else the job has to say would meet the same.
        if (faults.failed(faultPlace)) reportFault(work, end.failure!.code);
        waitMs = faults.untilTryMs(faultPlace);
        break;
      }
      services.crashPoints.reach('acknowledgements.before-commit');
      await commitEnds(services, work, { ends, waitMs });
    } finally {
      writing.delete(own);
      if (writing.size === 0) underWay.delete(place);
    }
  }

  const release = (tenantId: string, item: WorkItem, delayMs: number): Promise<void> =>
    withTenant(services.db, tenantId, (tx) => services.queue.releaseWork(tx, [{ ...item, delayMs }]));

  function reportFault({ acknowledge, flow }: Work, code: string): void {
    const fields = { tenant: flow.plan.flow.tenant, connection: acknowledge.connection, code, next: nextOf(code) };
    services.logger.error('acknowledgements wait: the settings of their place have to be mended', fields);
  }

  async function tryOnce(work: Work, pending: PendingAcknowledgement): Promise<AcknowledgementEnd> {
    const { acknowledgementId, level } = pending;
    const attempts = pending.attempts + 1;
    const named: { name: string | null } = { name: null };
    const attributes = { tenant: work.flow.plan.flow.tenant, target: `acknowledge-${level}`, attempt: attempts };
    const outcome = await withSpan('write acknowledgement', { attributes }, async (span) => {
      const outcome = await send(work, pending, { traceparent: formatTraceparent(span.context), named }).catch(outcomeOf);
      span.set({ outcome: outcome.kind });
      return outcome;
    });
    const end = { acknowledgementId, level, attempts, name: named.name };
    if (outcome.kind === 'acked') return { ...end, state: 'sent', failure: null };
    const { code, message } = outcome;
    if (outcome.kind === 'refused' && outcome.retryable && isConfigurationFault(code))
      return { ...end, attempts: pending.attempts, state: 'pending', failure: { code, message } };
    const isGivenUp = (outcome.kind === 'refused' && !outcome.retryable) || isExhausted(work.acknowledge.retry, attempts);
    return { ...end, state: isGivenUp ? 'failed' : 'pending', failure: { code, message } };
  }

  async function send(
    { tenantId, item, job, opened, flow, acknowledge, binding, leases }: Work,
    pending: PendingAcknowledgement,
    { traceparent, named }: { readonly traceparent: string; readonly named: { name: string | null } },
  ): Promise<DeliveryOutcome> {
    const assertOurs = () => {
      if (!leases.isCertain(item))
        throw new HeadgateError(deliveryErrors.E_ATTEMPT_ABANDONED, 'the lease of the acknowledgement has run out');
    };
    const { store } = services;
    const context = {
      store,
      tenantId,
      flowName: flow.flowName,
      job,
      pending,
      opened,
      plan: acknowledge,
      attempt: item.attempts,
      traceparent,
    };
    const batch = await openOutgoingAcknowledgement({ ...context, assertOurs, oursForMs: leases.certainMs });
    const target = targetOf(acknowledge, pending.level, connectorOf(options, binding));
    try {
      named.name = nameOf(target, batch);
    } catch (error) {
      return { ...outcomeOf(error), retryable: false };
    }
    const { sizeBytes: bytes } = batch.body;
    if (target.type !== 'file' && target.type !== 'sftp' && bytes > objectBytesMax)
      return refusal(jobErrors.E_ACKNOWLEDGEMENT_SIZE, `the acknowledgement has ${bytes} bytes`, false);
    const deliver = (opened: Target) =>
      withDeadline(services.ports.sleep, opened.attemptTimeoutMs?.({ records: 1, bytes }) ?? target.timeoutMs, stopping.signal, (signal) =>
        opened.deliver(batch, signal),
      );
    return await targets.use({ tenantId, flowVersionId: job.flowVersionId, plan: flow.plan, target, binding }, deliver);
  }

  const loop = createWorkLoop({
    services,
    kind: 'acknowledge',
    workerId,
    leaseMs,
    inHandMax,
    async handle(tenantId, items, done, leases) {
      await Promise.all(items.map((item) => write(tenantId, item, leases).finally(() => done(item))));
    },
  });
  return {
    start() {
      stopping = new AbortController();
      loop.start();
    },
    async stop(timeoutMs) {
      stopping.abort();
      const isDone = await loop.stop(timeoutMs);
      await targets.closeAll();
      return isDone;
    },
  };
}

/** Not counted as a try, and never the last. */
const isAtFault = ({ state, failure }: AcknowledgementEnd): boolean => state === 'pending' && isConfigurationFault(failure?.code ?? null);

/** Null: nothing is left to be written. */
async function readWork(
  { services, definitions }: AcknowledgementWriterOptions,
  claim: Pick<Work, 'tenantId' | 'item' | 'leases'>,
): Promise<Work | null> {
  const read = await withTenant(
    services.db,
    claim.tenantId,
    async (tx) => {
      const job = await readAcknowledgedJob(tx, claim.item.referenceId);
      if (job === undefined || job.pending.length === 0) return null;
      const flow = await services.flows.load(tx, job.flowVersionId);
      const acknowledge = flow.plan.acknowledge!;
      const binding = await definitions.loadBinding(tx, acknowledge.connection).catch((error: unknown) => {
        if (!(error instanceof HeadgateError) || error.code.startsWith('E_DATABASE_')) throw error;
        return error;
      });
      return { job, flow, acknowledge, binding, opened: await openJobAcknowledgement(tx, services, job.jobId) };
    },
    { readOnly: true },
  );
  return read === null ? null : { ...claim, ...read };
}

/** By the connection's type: a flow names no connector for its acknowledgements. */
function connectorOf({ connectors }: AcknowledgementWriterOptions, binding: TargetBinding | HeadgateError): string {
  if (binding instanceof HeadgateError) return '';
  const isOfFiles = ({ targetSettings }: (typeof connectors)[number]) => targetSettings.some(({ name }) => name === 'readBack');
  return connectors.find((each) => isOfFiles(each) && each.connectionType === binding.connection.type)?.name ?? binding.connection.type;
}

function refusal(code: string, message: string, retryable: boolean) {
  return { kind: 'refused', retryable, code, message } as const;
}

/** That a file has no answer in this form stays so, however often it is tried. */
const lasting: ReadonlySet<string> = new Set([
  jobErrors.E_ACKNOWLEDGEMENT_FORMAT,
  nachaErrors.E_NACHA_ANSWER,
  nachaErrors.E_NACHA_DOCUMENT,
  nachaErrors.E_NACHA_LIMIT,
  iso20022Errors.E_ISO20022_DOCUMENT,
]);

/** What is thrown before a byte leaves: the sealed lists can't be read, the lease is over, or there is no such answer. */
function outcomeOf(error: unknown): ReturnType<typeof refusal> {
  if (!(error instanceof HeadgateError)) throw error;
  return refusal(error.code, error.message, !lasting.has(error.code));
}

/** `waitMs`: at least until the next try. Fails with E_FENCED when the work went to another. */
async function commitEnds(
  services: JobServices,
  { tenantId, item, job, flow, acknowledge }: Work,
  { ends, waitMs }: { readonly ends: readonly AcknowledgementEnd[]; readonly waitMs: number },
): Promise<void> {
  const open = ends.filter(({ state }) => state === 'pending');
  const delays = open.map(({ attempts }) => Math.max(waitMs, retryDelayMs(acknowledge.retry, Math.max(1, attempts), services.ports.rng)));
  await commitForCertain(services, tenantId, async (tx) => {
    await services.queue.endWork(tx, [{ ...item, delayMs: open.length === 0 ? null : Math.max(...delays) }]);
    await writeEnds(tx, services.ports.ids, job, ends);
  });
  const { tenant, name } = flow.plan.flow;
  for (const { level, state, failure } of ends) {
    const outcome = state === 'pending' ? 'retried' : state;
    services.metrics.add('headgate_acknowledgements_total', { tenant, flow: name, outcome });
    if (state === 'failed') services.logger.error('an acknowledgement was given up', { acknowledgement: level, code: failure!.code });
  }
}
