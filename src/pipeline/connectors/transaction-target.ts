/**
 * Targets that are databases: each batch is one transaction. With the effects table the delivery keys are written in the same
 * transaction, so a batch sent again adds nothing; without it a resend may, and is labelled for whoever reads the log. A bad
 * row is found by halving and refused alone. What the statements are is the connector's.
 */
import type { Clock } from '../../platform/base/ports.ts';
import type { DeliveryOutcome, Target } from './connector.ts';
import { connectorErrors } from './connector-errors.ts';
import type { SessionPool } from './session-pool.ts';
import { type TransactionSession, writeBatch } from './transaction-writes.ts';

export interface TransactionTargetOptions<Session extends TransactionSession> {
  readonly sessions: SessionPool<Session>;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Of an attempt whose transaction is certainly rolled back. */
  refusedBy(error: unknown, signal: AbortSignal): DeliveryOutcome;
  /** The error is the server's own word that COMMIT did nothing. */
  isRolledBack(error: unknown): boolean;
  /** One of the rows is at fault; at COMMIT, because the database looked at it only then. */
  isRowFault(error: unknown): boolean;
}

/** More of them are not remembered: a table made while so many COMMITs are unanswered. */
const withoutKeysMax = 10_000;

export function createTransactionTarget<Session extends TransactionSession>(options: TransactionTargetOptions<Session>): Target {
  const { sessions, timeoutMs, clock, refusedBy } = options;
  /** Batches whose COMMIT was not answered and that wrote no delivery keys: an effects table that came later says nothing of them. */
  const withoutKeys = new Set<string>();
  return {
    unknownResolution: 'query',
    async deliver(batch, signal) {
      let isCommitting = false;
      let hasKeys = false;
      try {
        return await sessions.use(signal, async (session) => {
          const commit = async (wasAtFault: boolean) => {
            const refused = await writeBatch(session, batch, { timeoutMs, wasAtFault });
            await session.assertTable?.();
            batch.assertOurs();
            hasKeys = session.hasEffects;
            isCommitting = true;
            await session.commit();
            return refused;
          };
          const refused = await commit(false).catch((error: unknown) => {
            if (!isCommitting || !options.isRolledBack(error) || !options.isRowFault(error)) throw error;
            isCommitting = false;
            return commit(true);
          });
          const evidence = session.hasEffects ? 'committed together with its delivery keys' : 'committed';
          return refused.length === 0 ? { kind: 'acked', evidence } : { kind: 'acked', perRecord: refused, evidence };
        });
      } catch (error) {
        // Anything that ended the session at COMMIT leaves the outcome open.
        if (!isCommitting || options.isRolledBack(error)) return refusedBy(error, signal);
        if (!hasKeys && withoutKeys.size < withoutKeysMax) withoutKeys.add(batch.batchId);
        return lostOutcome(signal);
      }
    },
    async resolve(batch, signal) {
      try {
        const keys = await batch.deliveryKeys();
        return await sessions.use(signal, async (session) => {
          if (!session.hasEffects || withoutKeys.delete(batch.batchId))
            return { kind: 'unresolved', code: connectorErrors.E_TARGET_REPLY_LOST };
          const count = await session.countEffects(keys);
          if (count === keys.length) return { kind: 'acked', evidence: `the effects table holds all ${count} delivery keys` };
          // An attempt, perhaps of another process, may have been committed without keys before.
          if (count === 0 && !(await session.hadEffectsAt(madeAt(batch.batchId))))
            return { kind: 'unresolved', code: connectorErrors.E_TARGET_REPLY_LOST };
          return {
            kind: 'resendable',
            ...(count === 0 && { absent: 'batch' as const }),
            evidence: `the effects table holds ${count} of ${keys.length} delivery keys; those are not written again`,
          };
        });
      } catch (error) {
        const outcome = refusedBy(error, signal);
        return { kind: 'unresolved', code: outcome.kind === 'acked' ? '' : outcome.code, isForNow: true };
      }
    },
    async probe(signal) {
      const startMs = clock.monotonicMs();
      const durationMs = () => clock.monotonicMs() - startMs;
      try {
        const message = await sessions.use(signal, async ({ hasEffects }) =>
          hasEffects
            ? 'the table and the effects table are there'
            : 'the table is there; without the effects table a resend may write rows twice',
        );
        return { isReachable: true, code: null, message, durationMs: durationMs() };
      } catch (error) {
        const outcome = refusedBy(error, signal);
        if (outcome.kind === 'acked') throw error;
        return { isReachable: false, code: outcome.code, message: outcome.message, durationMs: durationMs() };
      }
    },
    close: () => sessions.close(),
  };
}

/** No attempt at a batch began before: its id is a UUIDv7, which begins with the milliseconds at which it was cut. */
function madeAt(batchId: string): Date {
  return new Date(Number.parseInt(batchId.replaceAll('-', '').slice(0, 12), 16));
}

function lostOutcome(signal: AbortSignal): DeliveryOutcome {
  const code = signal.aborted ? connectorErrors.E_TARGET_TIMEOUT : connectorErrors.E_TARGET_REPLY_LOST;
  return { kind: 'unknown', code, message: 'the connection ended before COMMIT was answered' };
}
