/**
 * A deep probe of one target: opened as for an attempt, with its own connection, the secrets as they are now and the guards of
 * the tenant's policy, and closed again. It ends in time whatever the target and its driver do, sends no record, and changes no
 * state of deliveries; what follows from it is the caller's business.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { ProbeResult, Target } from '../../connectors/connector.ts';
import { connectorErrors } from '../../connectors/connector-errors.ts';
import { withDeadline } from '../attempts/deadline.ts';
import { openTarget, type TargetAddress, type TargetOpening } from '../attempts/open-targets.ts';

/** A target that takes longer to say that it is there is not well. */
export const probeTimeoutMs = 10_000;
/** For a driver that does not end with its signal. */
const graceMs = 2_000;

export interface ProbeLimits {
  readonly timeoutMs?: number;
  /** Ends it early. */
  readonly stopping?: AbortSignal;
}

/** Nothing of an earlier connection is used: credentials that were taken away are found out. */
export async function probeTarget(opening: TargetOpening, address: TargetAddress, limits: ProbeLimits = {}): Promise<ProbeResult> {
  const { clock, sleep } = opening.ports;
  const startMs = clock.monotonicMs();
  const ended = (code: string | null, message: string): ProbeResult => ({
    isReachable: code === null,
    code,
    message,
    durationMs: Math.round(clock.monotonicMs() - startMs),
  });
  let target: Target;
  try {
    if (address.binding instanceof HeadgateError) throw address.binding;
    target = openTarget(opening, address, address.binding);
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    return ended(error.code, error.message);
  }
  const { timeoutMs = probeTimeoutMs, stopping = new AbortController().signal } = limits;
  const isAnswered = new AbortController();
  const late = sleep.sleep(timeoutMs + graceMs, isAnswered.signal).then(() => null);
  try {
    const probing = withDeadline(sleep, timeoutMs, stopping, (signal) => target.probe(signal));
    const result = await Promise.race([probing, late]);
    if (result === null) probing.catch(() => {});
    return result === null
      ? ended(connectorErrors.E_TARGET_TIMEOUT, 'the probe of the target did not end in time')
      : ended(result.code, result.message);
  } finally {
    isAnswered.abort();
    // A driver that fails to close has nothing left that could be lost.
    void target.close().catch(() => {});
  }
}
