/** Waits for a job, by polling with growing pauses, and says what changes meanwhile. The job goes on, however the wait ends. */
import { HeadgateError } from '../platform/base/errors.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import type { ApiClient } from './api-client.ts';
import { cliErrors } from './cli-errors.ts';
import { printable } from './command.ts';
import { isHeldUp } from './held-deliveries.ts';
import { untilInterrupted } from './interruption.ts';
import { type JobAnswer, refusalsOf, windowsOf } from './job-answer.ts';
import { createParkedReasons } from './parked-deliveries.ts';
import { type Measure, Progress } from './progress.ts';

const closedStates = new Set(['completed', 'completed_with_failures', 'rejected', 'cancelled']);

interface Waiting {
  readonly jobId: string;
  readonly timeoutSeconds: number;
  /** Of each look at it; `parked`: what waits for breakers, in words. */
  readonly onProgress?: (job: JobAnswer, parked: readonly string[]) => void;
}

/** With progress on stderr, under the name `what`. Fails as `waitForJob` does. */
export async function waitShowing(api: ApiClient, { what, ...waiting }: Waiting & { readonly what: string }): Promise<JobAnswer> {
  const progress = new Progress(what);
  try {
    return await waitForJob(api, { ...waiting, onProgress: (job, parked) => progress.show(() => progressOf(job, parked), measureOf(job)) });
  } finally {
    progress.end();
  }
}

/**
 * Until the job is closed, held, or all that is left to be delivered of it is held. Fails with E_TIMEOUT, at a signal with
 * E_INTERRUPTED, and as the API's client does.
 */
export async function waitForJob(api: ApiClient, waiting: Waiting): Promise<JobAnswer> {
  const { jobId } = waiting;
  return await untilInterrupted(
    (signal) => pollJob(api, waiting, signal),
    () => ({ message: `job ${jobId} goes on; to watch it: headgate job watch ${jobId}` }),
  );
}

async function pollJob(api: ApiClient, { jobId, timeoutSeconds, onProgress }: Waiting, signal: AbortSignal): Promise<JobAnswer> {
  const deadlineMs = systemPorts.clock.monotonicMs() + timeoutSeconds * 1000;
  const parkedReasons = createParkedReasons(api);
  for (let pauseMs = 50; ; pauseMs = Math.min(1_000, pauseMs * 1.5)) {
    const job = await api.get<JobAnswer>(`/v1/jobs/${encodeURIComponent(jobId)}`);
    if (signal.aborted) return job;
    const parked = await parkedReasons(job);
    onProgress?.(job, parked);
    if (closedStates.has(job.state) || job.state === 'held' || isHeldUp(job)) return job;
    if (systemPorts.clock.monotonicMs() > deadlineMs) throw timeoutOf(job, await createParkedReasons(api)(job), timeoutSeconds);
    await systemPorts.sleep.sleep(pauseMs, signal);
    if (signal.aborted) return job;
  }
}

function timeoutOf(job: JobAnswer, parked: readonly string[], timeoutSeconds: number): HeadgateError {
  const { jobId, state } = job;
  const message = [`job ${jobId} is still ${state} after ${timeoutSeconds} s`, ...windowsOf(job), ...parked, ...refusalsOf(job)].join('; ');
  const show = state === 'delivering' ? `headgate batch list --job ${jobId}` : `headgate job get ${jobId}`;
  const next = `\`${show}\` shows what it waits for; \`headgate job watch ${jobId}\` goes on waiting, longer with --timeout.`;
  return new HeadgateError(cliErrors.E_TIMEOUT, printable(message), { next });
}

function progressOf(job: JobAnswer, parked: readonly string[]): string {
  const { routed, delivered } = deliveryOf(job);
  const sent = job.state === 'delivering' && routed > 0 ? [`${delivered} of ${routed} delivered`] : [];
  return [job.state, `${job.records.read} records read`, ...sent, ...windowsOf(job), ...parked, ...refusalsOf(job)].join(', ');
}

function measureOf(job: JobAnswer): Measure | undefined {
  const { state, chunks, records } = job;
  const { routed, delivered } = deliveryOf(job);
  if (state === 'delivering' && routed > 0) return { step: state, share: delivered / routed, count: delivered, unit: 'records' };
  if (state !== 'running') return undefined;
  return { step: state, share: chunks.total === 0 ? null : chunks.done / chunks.total, count: records.read, unit: 'records' };
}

/** Over all targets. */
function deliveryOf({ targets }: JobAnswer): { readonly routed: number; readonly delivered: number } {
  const all = Object.values(targets);
  return {
    routed: all.reduce((total, { routed }) => total + routed, 0),
    delivered: all.reduce((total, { delivered }) => total + delivered, 0),
  };
}
