/**
 * The loop that polls sources of all tenants: leases what is due, polls a few at once, and gives each back with the time of its
 * next poll. A source that fails is tried again later and never stops the others. Servers may be slow to answer or dead, so
 * their polls have room of their own, a part of it for each tenant, and take none of the folders'. `stop` ends polls between
 * batches.
 */
import { tenantNameOf } from '../../platform/access/tenant-names.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Waiter } from '../../platform/base/notifier.ts';
import { createPollingLoop } from '../../platform/base/polling-loop.ts';
import { storageErrors } from '../../platform/storage/storage-errors.ts';
import { withWork } from '../../platform/telemetry/work-context.ts';
import { withTenant } from '../../platform/tenancy/tenant-scope.ts';
import { arrivalErrors } from './arrival-errors.ts';
import { againInMs } from './source-failures.ts';
import { endLease, leaseDueSources, type SourceLease } from './source-lease.ts';
import { type PollResult, pollSource, type SourcePollParts } from './source-poll.ts';

export interface SourcePollerOptions extends Omit<SourcePollParts, 'leaseMs' | 'beginRemote'> {
  readonly workerId: string;
  /** What the disk lacks for so many more bytes; undefined: nothing. Then no source is polled, and files stay where they are. */
  readonly lackOfSpace: (bytes: number) => string | undefined;
  readonly waiter?: Waiter;
  /** Called once per failure: of a poll (with its source) or of the loop itself. */
  readonly onError: (error: unknown, lease?: SourceLease) => void;
  /** After each poll that did not fail. */
  readonly onPolled?: (lease: SourceLease, result: PollResult) => void;
  readonly concurrency?: number;
  readonly leaseMs?: number;
}

export interface SourcePoller {
  start(): void;
  /** True when nothing is in hand any more. */
  stop(timeoutMs?: number): Promise<boolean>;
}

/** Polls of servers at once, of all tenants and of one. */
const remoteMax = 32;
const remotePerTenantMax = 4;
/** Sources whose failures are counted; forgetting one costs a try that comes early. */
const failingMax = 10_000;

interface NextPoll {
  readonly dueInMs: number;
  /** Nothing makes it due earlier. */
  readonly isHeld: boolean;
}

export function createSourcePoller(options: SourcePollerOptions): SourcePoller {
  const { db, ports, workerId, onError, onPolled, concurrency = 4, leaseMs = 30_000 } = options;
  const running = new Set<Promise<void>>();
  /** Of servers, with the tenant of each. */
  const remote = new Map<Promise<void>, string>();
  /** Resolves when the next poll leaves the folders' room for that of servers, and at a stop. */
  let left = Promise.withResolvers<void>();
  /** Failures in a row by source. */
  const failing = new Map<string, number>();
  let stopping = new AbortController();

  function countFailure(lease: SourceLease): number {
    const key = keyOf(lease);
    const failures = (failing.get(key) ?? 0) + 1;
    failing.delete(key);
    failing.set(key, failures);
    if (failing.size > failingMax) failing.delete(failing.keys().next().value!);
    return failures;
  }

  /** Takes the poll out of those of folders, if there is room for it elsewhere. */
  function beginRemote(tenantId: string, done: Promise<void>): boolean {
    const ofTenant = [...remote.values()].filter((other) => other === tenantId).length;
    if (remote.size >= remoteMax || ofTenant >= remotePerTenantMax) return false;
    running.delete(done);
    remote.set(done, tenantId);
    left.resolve();
    left = Promise.withResolvers<void>();
    return true;
  }

  async function pollOnce(lease: SourceLease, begin: () => boolean): Promise<NextPoll> {
    const lack = options.lackOfSpace(0);
    if (lack !== undefined) throw new HeadgateError(storageErrors.E_STORAGE_FULL, `the disk ${lack}; files stay where they are`);
    const result = await pollSource({ ...options, leaseMs, beginRemote: begin }, lease, stopping.signal);
    if (result.isFound) failing.delete(keyOf(lease));
    onPolled?.(lease, result);
    return { dueInMs: result.dueInMs, isHeld: !result.isFound };
  }

  async function poll(lease: SourceLease, begin: () => boolean): Promise<void> {
    // What was leased in the moment of the stop is given back as it is.
    let next: NextPoll = { dueInMs: 0, isHeld: false };
    try {
      if (!stopping.signal.aborted) next = await pollOnce(lease, begin);
    } catch (error) {
      if (error instanceof HeadgateError && error.code === arrivalErrors.E_SOURCE_FENCED) return;
      next = { dueInMs: againInMs(error, countFailure(lease)), isHeld: true };
      onError(error, lease);
    }
    try {
      await withTenant(db, lease.tenantId, (tx) => endLease(tx, lease, next.dueInMs, next.isHeld));
    } catch (error) {
      // The lease ends by itself.
      onError(error, lease);
    }
  }

  const loop = createPollingLoop({
    ports,
    onError,
    waiter: options.waiter,
    idleMinMs: 20,
    idleMaxMs: 250,
    async work() {
      if (running.size >= concurrency) await Promise.race([...running, left.promise]);
      if (stopping.signal.aborted) return false;
      const leases = await leaseDueSources(db, { workerId, limit: concurrency - running.size, leaseMs });
      for (const lease of leases) {
        const begin = () => beginRemote(lease.tenantId, done);
        const polled = tenantNameOf(db, lease.tenantId).then((tenant) => withWork({ tenant }, () => poll(lease, begin)));
        const done: Promise<void> = polled.finally(() => {
          running.delete(done);
          remote.delete(done);
        });
        running.add(done);
      }
      return leases.length > 0;
    },
  });

  return {
    start() {
      stopping = new AbortController();
      left = Promise.withResolvers();
      loop.start();
    },
    async stop(timeoutMs = 5_000) {
      stopping.abort();
      left.resolve();
      const timeout = new AbortController();
      // The last round of the loop may begin some yet.
      const drained = loop.stop(timeoutMs).then(async (isStopped) => {
        await Promise.all([...running, ...remote.keys()]);
        return isStopped;
      });
      const isDrained = await Promise.race([drained, ports.sleep.sleep(timeoutMs, timeout.signal).then(() => false)]);
      timeout.abort();
      return isDrained;
    },
  };
}

function keyOf({ tenantId, flowId, sourceId }: SourceLease): string {
  return `${tenantId}/${flowId}/${sourceId}`;
}
