/** The loop that marks answers as overdue when their time is over: with an event, a metric and a line of the log for each. */
import { markOverdue, type OverdueAnswer } from '../../../pipeline/deliveries/answers/expected-answers.ts';
import { commitForCertain } from '../../../pipeline/deliveries/certain-transaction.ts';
import { findOwnTenant } from '../../../platform/access/tenants.ts';
import type { JobServices } from '../job-services.ts';
import { createWorkLoop, type WorkLoop } from '../queue/work-loop.ts';

export interface OverdueWatchOptions {
  readonly services: JobServices;
  readonly workerId: string;
  readonly leaseMs: number;
}

const inHandMax = 500;

export function createOverdueWatch({ services, workerId, leaseMs }: OverdueWatchOptions): WorkLoop {
  return createWorkLoop({
    services,
    kind: 'answer',
    workerId,
    leaseMs,
    inHandMax,
    async handle(tenantId, items) {
      let overdue: readonly OverdueAnswer[] = [];
      let tenant = '';
      await commitForCertain(services, tenantId, async (tx) => {
        overdue = await markOverdue(tx, { queue: services.queue, ids: services.ports.ids }, items);
        tenant = (await findOwnTenant(tx)).name;
      });
      for (const { batchId, flow, targetId } of overdue) {
        services.metrics.add('headgate_answers_overdue_total', { tenant, flow, target: targetId });
        services.logger.warn('an answer is overdue', { tenant, batchId, flow, target: targetId });
      }
    },
  });
}
