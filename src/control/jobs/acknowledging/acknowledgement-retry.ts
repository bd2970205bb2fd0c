/** A person's word that acknowledgements which were given up are written after all: the place was mended, or a name made free. */
import { commitForCertain } from '../../../pipeline/deliveries/certain-transaction.ts';
import { checkReason } from '../../../platform/access/decision-reason.ts';
import { answerOnce, type KeyedRequest } from '../../../platform/access/idempotency-keys.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { recordEvents } from '../../../platform/events/event-log.ts';
import { jobErrors } from '../job-errors.ts';
import type { JobServices } from '../job-services.ts';
import type { AcknowledgementLevel } from './acknowledgement-rows.ts';

export interface AcknowledgementRetry {
  readonly fileId: string;
  readonly reason: string;
  /** `key:<id>` or a person, as in events. */
  readonly actor: string;
  readonly keyed?: KeyedRequest;
}

export interface RetriedAcknowledgements {
  readonly fileId: string;
  readonly levels: readonly AcknowledgementLevel[];
}

const retryRows = `/* retry acknowledgements */
  update headgate.acknowledgements a set state = 'pending', attempts = 0, changed_at = (select headgate.clock())
  from headgate.jobs j where a.tenant_id = $1 and j.tenant_id = $1 and j.file_id = $2 and a.job_id = j.job_id and a.state = 'failed'
  returning a.job_id as "jobId", a.acknowledgement_id as "acknowledgementId", a.level, j.trace_id as "traceId"`;

/** They have all their tries again. Fails with E_REASON_REQUIRED, E_KEY_REUSED, and with E_ACKNOWLEDGEMENT_STATE where none was given up. */
export async function retryAcknowledgements(
  services: JobServices,
  tenantId: string,
  { fileId, reason, actor, keyed }: AcknowledgementRetry,
): Promise<RetriedAcknowledgements> {
  checkReason(reason);
  let retried: RetriedAcknowledgements | undefined;
  await commitForCertain(services, tenantId, async (tx) => {
    retried = await answerOnce(tx, keyed, async () => {
      const { rows } = await tx.query<{
        jobId: string;
        acknowledgementId: string;
        level: AcknowledgementLevel;
        traceId: string | null;
      }>(retryRows, [tenantId, fileId]);
      if (rows.length === 0) throw new HeadgateError(jobErrors.E_ACKNOWLEDGEMENT_STATE, 'no acknowledgement of this file was given up');
      await services.queue.addWork(
        tx,
        [...new Set(rows.map(({ jobId }) => jobId))].map((referenceId) => ({ kind: 'acknowledge', referenceId })),
      );
      await recordEvents(
        tx,
        services.ports.ids,
        rows.map(({ acknowledgementId, jobId, level, traceId }) => ({
          type: 'acknowledgement.retried',
          objectId: acknowledgementId,
          from: 'failed',
          to: 'pending',
          actor,
          traceId,
          detail: { jobId, level, reason: reason.trim() },
        })),
      );
      return { fileId, levels: rows.map(({ level }) => level).toSorted() };
    });
  });
  services.signals.acknowledge.notify();
  return retried!;
}
