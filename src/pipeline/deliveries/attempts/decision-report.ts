/** What an attempt came to, told once: by metrics, and by a line of the log where the batch was not taken. */
import { nextOf } from '../../../platform/base/errors.ts';
import type { DeliveryOutcome } from '../../connectors/connector.ts';
import type { ClaimedBatch } from '../claimed-batch.ts';
import type { DeliveryServices } from '../delivery-services.ts';
import type { Decision } from './outcome-decision.ts';

export function reportDecision(
  { metrics, logger }: Pick<DeliveryServices, 'metrics' | 'logger'>,
  { batch, flow }: ClaimedBatch,
  outcome: DeliveryOutcome,
  decision: Decision,
): void {
  metrics.add('headgate_attempts_total', { target: batch.targetId, outcome: outcome.kind }, 1);
  const labels = { tenant: flow.plan.flow.tenant, target: batch.targetId, outcome: decision.kind };
  metrics.add('headgate_deliveries_total', labels, batch.records);
  if (decision.kind === 'acked') return;
  const said = 'code' in decision ? { code: decision.code, reason: decision.message } : {};
  const fields = { attempt: batch.attempts + 1, outcome: decision.kind, ...said };
  if (decision.kind === 'held') logger.error('a batch is held: its settings have to be mended', { ...fields, next: nextOf(decision.code) });
  else logger.warn('a batch was not taken as a whole', fields);
}
