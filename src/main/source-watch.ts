/**
 * What the poller of sources tells: metrics by tenant, flow and source, and one log line when the condition of a source
 * changes (it fails, it waits for room, it has files that cannot be read or taken, and the end of each), however often it is polled.
 * Names of files and their content enter neither.
 */
import { arrivalErrors } from '../pipeline/arrivals/arrival-errors.ts';
import type { ArrivalVerdict } from '../pipeline/arrivals/file-acceptance.ts';
import type { SourceLease } from '../pipeline/arrivals/source-lease.ts';
import type { SourcePollerOptions } from '../pipeline/arrivals/source-poller.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import type { Clock } from '../platform/base/ports.ts';
import type { Logger } from '../platform/telemetry/logger.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import { currentWork } from '../platform/telemetry/work-context.ts';

type Heard = 'onFound' | 'onRefused' | 'onUnreadable' | 'onPassedOver' | 'onMisplaced' | 'onPolled' | 'onError';

export type SourceWatch = Required<Pick<SourcePollerOptions, Heard>> & {
  /** Of committed verdicts, from any way in. */
  countRefused(tenant: string, verdicts: readonly Pick<ArrivalVerdict, 'state' | 'code'>[]): void;
};

interface Names {
  readonly tenant: string;
  readonly flow: string;
  readonly source: string;
}

type Trouble = 'failing' | 'waiting' | 'unreadable' | 'passedOver';

interface Watched {
  names: Names;
  /** By kind: the code that the last line told. */
  readonly told: Map<Trouble, string>;
  /** Codes of the poll that runs. */
  readonly seen: Map<Trouble, string>;
}

const messages: Readonly<Record<Trouble, readonly [begins: string, ends: string]>> = {
  failing: ['a source cannot be polled; it is tried again', 'a source can be polled again'],
  waiting: ['a source waits: a limit is full', 'a source takes files again'],
  unreadable: ['files of a source cannot be read; they are tried again', 'all files of a source can be read again'],
  passedOver: [
    'files of a source are left where they are: their names cannot be kept',
    'no file of a source is left for its name any more',
  ],
};
/** Sources without a poll by this process for long are forgotten, oldest first; forgetting costs a repeated line. */
const watchedMax = 10_000;

export function createSourceWatch({
  metrics,
  logger,
  clock,
}: {
  readonly metrics: Pick<Metrics, 'add' | 'set'>;
  readonly logger: Logger;
  readonly clock: Clock;
}): SourceWatch {
  const watched = new Map<string, Watched>();

  function watch(lease: SourceLease, found?: Names): Watched {
    const key = `${lease.flowId}/${lease.sourceId}`;
    const known = watched.get(key) ?? {
      // Only where a poll fails before its flow was read.
      names: { tenant: currentWork().tenant ?? lease.tenantId, flow: lease.flowId, source: lease.sourceId },
      told: new Map<Trouble, string>(),
      seen: new Map<Trouble, string>(),
    };
    if (found !== undefined) known.names = found;
    watched.delete(key);
    watched.set(key, known);
    if (watched.size > watchedMax) watched.delete(watched.keys().next().value!);
    return known;
  }

  function tellChanges({ names, told, seen }: Watched, kinds: readonly Trouble[], error?: unknown): void {
    for (const kind of kinds) {
      const [was, is] = [told.get(kind), seen.get(kind)];
      if (was === is) continue;
      if (is === undefined) {
        told.delete(kind);
        logger.info(messages[kind][1], { ...names, code: was });
      } else {
        told.set(kind, is);
        logger[kind === 'failing' ? 'error' : 'warn'](messages[kind][0], { ...names, code: is, error });
      }
    }
  }

  return {
    onFound(lease, flow) {
      const { seen, names } = watch(lease, { tenant: flow.plan.flow.tenant, flow: flow.flowName, source: lease.sourceId });
      seen.clear();
      metrics.set('headgate_source_poll_lag_seconds', names, lease.lateMs / 1_000);
    },
    onRefused(lease, refusal) {
      const { seen, names } = watch(lease);
      seen.set('waiting', refusal.code);
      metrics.add('headgate_admission_refused_total', { tenant: names.tenant, limit: refusal.limit });
    },
    onUnreadable(lease, error) {
      const { seen, names } = watch(lease);
      seen.set('unreadable', error.code);
      metrics.add('headgate_source_unreadable_total', { ...names, code: error.code });
    },
    onPassedOver(lease, files) {
      const source = watch(lease);
      // Told at once: polls that do not list know nothing of it.
      if (files > 0) source.seen.set('passedOver', arrivalErrors.E_NAME);
      else source.seen.delete('passedOver');
      tellChanges(source, ['passedOver']);
      if (files > 0) metrics.add('headgate_source_unreadable_total', { ...source.names, code: arrivalErrors.E_NAME }, files);
    },
    onMisplaced(lease, arrivalId) {
      const { names } = watch(lease);
      const code = arrivalErrors.E_SOURCE_REPLACED;
      metrics.add('headgate_source_unreadable_total', { ...names, code });
      logger.warn('a file of a source lies among taken ones and was not taken', { ...names, arrivalId, code });
    },
    onPolled(lease, { verdicts, isFound }) {
      const source = watch(lease);
      const { names, seen } = source;
      if (!isFound) return;
      seen.delete('failing');
      tellChanges(source, ['failing', 'waiting', 'unreadable']);
      metrics.add('headgate_source_polls_total', { ...names, outcome: 'ok' });
      metrics.set('headgate_source_last_poll_timestamp_seconds', names, clock.nowMs() / 1_000);
      if (Object.values(verdicts).some((count) => count > 0)) logger.info('a source gave files', { ...names, ...verdicts });
    },
    onError(error, lease) {
      if (lease === undefined) return logger.error('the source poller failed; it goes on', { error });
      const source = watch(lease);
      source.seen.set('failing', error instanceof HeadgateError ? error.code : 'E_INTERNAL');
      metrics.add('headgate_source_polls_total', { ...source.names, outcome: 'failed' });
      tellChanges(source, ['failing'], error);
    },
    countRefused(tenant, verdicts) {
      for (const { state, code } of verdicts)
        if (state !== 'accepted' && code !== null) metrics.add('headgate_files_refused_total', { tenant, outcome: state, code });
    },
  };
}
