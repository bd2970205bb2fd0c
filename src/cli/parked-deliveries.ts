/** Why records of a job are parked, for commands that wait: asked of their targets, and again when the number has changed. */
import type { ApiClient } from './api-client.ts';
import type { JobAnswer } from './job-answer.ts';

interface BreakerAnswer {
  readonly state: 'closed' | 'open' | 'half_open';
  readonly mode: 'auto' | 'open' | 'closed';
  readonly reasonCode: string | null;
  readonly nextProbeAt: string | null;
}

export type ParkedReasons = (job: JobAnswer) => Promise<string[]>;

/** A sentence for each target that has parked records of the job. */
export function createParkedReasons(api: ApiClient): ParkedReasons {
  const known = new Map<string, { readonly parked: number; readonly why: string }>();
  return async ({ flow, targets }) => {
    const reasons: string[] = [];
    for (const [target, { parked, lastRefusal }] of Object.entries(targets)) {
      if (parked === 0) continue;
      if (known.get(target)?.parked !== parked)
        known.set(target, { parked, why: await whyOf(api, { flow, target, isToldWhy: lastRefusal !== null }) });
      reasons.push(`${parked} parked at ${target}${known.get(target)!.why}`);
    }
    return reasons;
  };
}

/** `isToldWhy`: what the target said last is said anyway. */
async function whyOf(
  api: ApiClient,
  { flow, target, isToldWhy }: { readonly flow: string; readonly target: string; readonly isToldWhy: boolean },
): Promise<string> {
  const path = `/v1/targets/${encodeURIComponent(flow)}/${encodeURIComponent(target)}`;
  // A key that may not see targets still sees what is parked.
  const breaker = await api.get<BreakerAnswer>(path).catch(() => null);
  if (breaker === null) return '';
  const { state, mode, reasonCode, nextProbeAt } = breaker;
  if (mode === 'open') return ', whose breaker a person keeps open';
  const code = reasonCode === null || isToldWhy ? '' : `, since it said ${reasonCode}`;
  const words = {
    open: `, whose breaker is open${code}${nextProbeAt === null ? '' : `, and tries it at ${nextProbeAt}`}`,
    half_open: `, whose breaker tries it with a few batches${code}`,
    closed: ', whose breaker has closed: they go on',
  };
  return words[state];
}
