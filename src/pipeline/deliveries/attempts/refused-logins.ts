/**
 * Logins that targets refused in a row, in this process. A wrong password would else be tried by every batch that is ready until the
 * first of them has had its tries, and lock the account. Batches that were not tried yet go one a second from the first refusal on, so
 * that one whose password is being exchanged goes on by itself; when that lasts they are held without a try.
 */
import type { Clock } from '../../../platform/base/ports.ts';
import type { DeliveryOutcome } from '../../connectors/connector.ts';
import { connectorErrors } from '../../connectors/connector-errors.ts';
import type { ClaimedBatch } from '../claimed-batch.ts';
import { deliveryErrors } from '../delivery-errors.ts';

/** As many as a batch alone is tried. */
const refusedMin = 5;
const lastsMs = 10_000;
const trialEveryMs = 1_000;
/** Less than a held batch waits for its next look. */
const recentMs = 10 * 60_000;
/** Beyond, the oldest are forgotten. */
const targetsMax = 1_000;
/** Nobody answered, or nobody was asked: the login is as it was. */
const silentCodes: readonly string[] = [
  deliveryErrors.E_ATTEMPT_ABANDONED,
  connectorErrors.E_TARGET_UNREACHABLE,
  connectorErrors.E_TARGET_TIMEOUT,
  connectorErrors.E_TARGET_REPLY_LOST,
];

export interface RefusedLogins {
  told(claimed: ClaimedBatch, outcome: DeliveryOutcome): void;
  /** What to do with a batch that was never tried. */
  adviceFor(claimed: ClaimedBatch): 'send' | 'wait' | 'hold';
  /** Somebody has found out lately that it is refused. */
  isRecent(claimed: ClaimedBatch): boolean;
}

interface Refused {
  count: number;
  readonly firstMs: number;
  lastMs: number;
  /** Of one that was never tried. */
  trialMs: number;
}

export function createRefusedLogins(clock: Pick<Clock, 'monotonicMs'>): RefusedLogins {
  const inARow = new Map<string, Refused>();
  /** With another connection or policy it is another login. */
  const keyOf = ({ batch, target, binding }: ClaimedBatch) =>
    `${batch.tenantId} ${batch.flowVersionId} ${target.id} ${binding instanceof Error ? '' : binding.hash}`;
  return {
    told(claimed, outcome) {
      const key = keyOf(claimed);
      if (outcome.kind !== 'acked' && silentCodes.includes(outcome.code)) return;
      if (outcome.kind !== 'refused' || outcome.code !== connectorErrors.E_TARGET_FORBIDDEN) return void inARow.delete(key);
      const nowMs = clock.monotonicMs();
      const known = inARow.get(key) ?? { count: 0, firstMs: nowMs, lastMs: nowMs, trialMs: nowMs };
      inARow.delete(key);
      inARow.set(key, Object.assign(known, { count: known.count + 1, lastMs: nowMs }));
      if (inARow.size > targetsMax) inARow.delete(inARow.keys().next().value!);
    },
    adviceFor(claimed) {
      const known = inARow.get(keyOf(claimed));
      const nowMs = clock.monotonicMs();
      if (known === undefined || nowMs - known.lastMs >= recentMs) return 'send';
      if (nowMs - known.lastMs < lastsMs && known.count >= refusedMin && nowMs - known.firstMs >= lastsMs) return 'hold';
      if (nowMs - known.trialMs < trialEveryMs) return 'wait';
      known.trialMs = nowMs;
      return 'send';
    },
    isRecent(claimed) {
      const known = inARow.get(keyOf(claimed));
      return known !== undefined && clock.monotonicMs() - known.lastMs < recentMs;
    },
  };
}
