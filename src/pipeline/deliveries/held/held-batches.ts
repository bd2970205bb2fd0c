/**
 * A person's decision about a held batch, whose outcome nobody knows where the flow says `onUnknown: hold`, whose sealed
 * bytes can't be read, or whose settings are at fault: it was delivered, it is to be sent again, or it is given up. The reason becomes the evidence of its attempts (no unknown ends without one).
 */

import { checkReason } from '../../../platform/access/decision-reason.ts';
import { answerOnce, type KeyedRequest } from '../../../platform/access/idempotency-keys.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Ports } from '../../../platform/base/ports.ts';
import { type TenantTx, withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import type { Plan } from '../../engine/plan.ts';
import { type ExpectedAnswer, expectAnswers, expectedAnswerOf } from '../answers/expected-answers.ts';
import { resolveAttempts } from '../attempts/attempt-store.ts';
import { moveBatches } from '../batch-changes.ts';
import { type LoadedBatch, loadBatches } from '../batch-load.ts';
import type { BatchState } from '../batch-state.ts';
import { commitForCertain } from '../certain-transaction.ts';
import { deliverWork } from '../cutting/batch-insert.ts';
import { deliveryErrors } from '../delivery-errors.ts';
import type { RecordSource } from '../endings/batch-records.ts';
import { insertDeadLetters } from '../endings/dead-letter-store.ts';
import { type GivenUpLetters, type LetterReason, letterGivenUp } from '../endings/given-up-letters.ts';
import { addCounts, countBatch } from '../endings/target-counts.ts';
import { unreadableCodes } from '../endings/unreadable-codes.ts';
import type { WorkQueue } from '../work-queue-port.ts';
import { configurationCodes } from './configuration-codes.ts';
import { makeReady } from './held-again.ts';
import { awaitsDecision, mayHaveArrived } from './held-batch-query.ts';

export const heldDecisions = ['delivered', 'resend', 'discard'] as const;

export interface HeldDecision {
  readonly batchId: string;
  readonly decision: (typeof heldDecisions)[number];
  /** In words. */
  readonly reason: string;
  readonly actor: string;
  /** Asked again under its key, the decision that was made is answered again. */
  readonly keyed?: KeyedRequest;
}

export interface DecidedBatch {
  readonly batchId: string;
  readonly decision: HeldDecision['decision'];
  readonly state: 'acked' | 'ready' | 'dead';
}

const stateAfter = { delivered: 'acked', resend: 'ready', discard: 'dead' } as const;

export interface HeldServices extends RecordSource {
  readonly queue: WorkQueue;
  readonly ports: Pick<Ports, 'ids' | 'clock' | 'rng' | 'sleep'>;
  loadPlan(tx: TenantTx, flowVersionId: string): Promise<Plan>;
}

const lockHeld = `/* lock held batch */
  select b.state, b.attempts, b.unknown_attempts as "unknownAttempts", (${awaitsDecision}) as "awaitsDecision", ${mayHaveArrived} as "mayHaveArrived" from headgate.batches b where b.tenant_id = $1 and b.batch_id = $2 for update`;

const standing: Readonly<Record<BatchState, string>> = {
  ready: 'it waits for its next attempt',
  sending: 'an attempt is under way',
  unknown: 'its outcome is being found out',
  held: 'nothing of it is to be decided',
  parked: 'it waits for its target, whose breaker is open',
  acked: 'its records were delivered',
  refused: 'its target refused its records, which are dead letters',
  split: 'its records are in batches of their own',
  dead: 'its records were given up and are dead letters',
  cancelled: 'its jobs were cancelled',
};

interface DecidableBatch {
  readonly state: BatchState;
  readonly awaitsDecision: boolean;
  readonly mayHaveArrived: boolean;
}

/**
 * Fails with E_BATCH_STATE, saying how the batch stands and what could be decided: a person knows better than we do where nobody
 * knows what became of an attempt, and not where every attempt was refused before anything was taken.
 */
export function assertDecidable({ state, awaitsDecision: isWaiting, ...batch }: DecidableBatch, decision: HeldDecision['decision']): void {
  if (!isWaiting) {
    const allowed = `${heldDecisions.join(', ')} are for batches in state held`;
    throw new HeadgateError(deliveryErrors.E_BATCH_STATE, `the batch is ${state} (${standing[state]}); ${allowed}`);
  }
  if (decision !== 'delivered' || batch.mayHaveArrived) return;
  throw new HeadgateError(deliveryErrors.E_BATCH_STATE, 'nothing of the batch can have arrived: no attempt of it has an unknown outcome', {
    next: 'To send it once the cause is mended: --as resend; to settle its records in another way: --as discard, then `headgate dead-letter discard` with the reason.',
  });
}

/** A batch can be tried again between the look and the lock: what is decided is then looked at anew. */
const looksMax = 5;

/**
 * One transaction. Fails with E_REASON_REQUIRED, E_KEY_REUSED, E_BATCH_UNKNOWN, and with E_BATCH_STATE when the batch does not
 * wait for a decision any more.
 */
export async function decideHeldBatch(services: HeldServices, tenantId: string, request: HeldDecision): Promise<DecidedBatch> {
  const decision = { ...request, reason: checkReason(request.reason) };
  for (let looks = 1; ; looks++) {
    const decided = await decideAsSeen(services, tenantId, decision);
    if (decided !== null) return decided;
    if (looks === looksMax)
      throw new HeadgateError(deliveryErrors.E_BATCH_STATE, 'the batch is being tried again just now; look at it anew');
  }
}

/** Null: the batch is not as it was seen any more, and nothing was decided. */
async function decideAsSeen(services: HeldServices, tenantId: string, decision: HeldDecision): Promise<DecidedBatch | null> {
  const { db } = services;
  const seen = await withTenant(
    db,
    tenantId,
    async (tx) => {
      const [batch] = await loadBatches(tx, [decision.batchId]);
      if (batch === undefined) throw new HeadgateError(deliveryErrors.E_BATCH_UNKNOWN, 'there is no delivery batch of this id');
      return { batch, plan: await services.loadPlan(tx, batch.flowVersionId) };
    },
    { readOnly: true },
  );
  // Of a batch that was decided, the bytes may be gone.
  const hasLetters = decision.decision === 'discard' && seen.batch.state === 'held';
  const letters = hasLetters ? await letterGivenUp(services, seen.batch, seen.plan, reasonOf(seen.batch, decision)) : null;
  let decided: DecidedBatch | undefined;
  const changed = new Error('the batch is not as it was seen');
  const deciding = commitForCertain(services, tenantId, async (tx) => {
    decided = await answerOnce(tx, decision.keyed, async () => {
      // Its lane goes on at once. Work is locked before the batch it is about, as its worker locks them.
      await services.queue.addWork(tx, [deliverWork(seen.batch.flowId, seen.batch)]);
      const [locked] = (await tx.query<LockedBatch>(lockHeld, [tx.tenantId, decision.batchId])).rows;
      if (!isAsSeen(locked!, seen.batch)) throw changed;
      assertDecidable(locked!, decision.decision);
      const expected = decision.decision === 'delivered' ? expectedAnswerOf(seen.batch, seen.plan) : null;
      await writeDecision(tx, services, seen.batch, decision, { letters, expected });
      return { batchId: decision.batchId, decision: decision.decision, state: stateAfter[decision.decision] };
    });
  });
  try {
    await deciding;
  } catch (error) {
    if (error === changed) return null;
    throw error;
  }
  return decided!;
}

type LockedBatch = DecidableBatch & Pick<LoadedBatch, 'attempts' | 'unknownAttempts'>;

/** Dead letters were made of what was seen, and say whether their records may be there. */
function isAsSeen(locked: LockedBatch, seen: LoadedBatch): boolean {
  return locked.state === seen.state && locked.attempts === seen.attempts && locked.unknownAttempts === seen.unknownAttempts;
}

async function writeDecision(
  tx: TenantTx,
  { queue, ports }: HeldServices,
  batch: LoadedBatch,
  { decision, reason, actor }: HeldDecision,
  { letters, expected }: { readonly letters: GivenUpLetters | null; readonly expected: ExpectedAnswer | null },
): Promise<void> {
  const evidence = `${actor} decided: ${reason}`;
  const detail = { reason };
  const change = { batchId: batch.batchId, from: 'held', actor, traceParent: batch.traceParent, evidence, detail } as const;
  if (decision === 'resend') {
    await makeReady(tx, ports.ids, [batch], { actor, evidence, detail, isAbsent: true });
    return;
  }
  const isDelivered = decision === 'delivered';
  await moveBatches(tx, ports.ids, [{ ...change, event: isDelivered ? 'acknowledge' : 'exhaust' }]);
  await resolveAttempts(tx, [{ batchId: batch.batchId, resolvedAs: isDelivered ? 'acked' : 'dead', evidence }]);
  await insertDeadLetters(tx, letters?.deadLetters ?? []);
  if (letters?.letterPages) for await (const page of letters.letterPages.pages()) await insertDeadLetters(tx, page);
  await expectAnswers(tx, { queue, ids: ports.ids }, expected === null ? [] : [expected]);
  const ended = await addCounts(tx, countBatch(batch, isDelivered ? 'delivered' : 'dead'));
  await queue.addWork(
    tx,
    ended.map((jobId) => ({ kind: 'close', referenceId: jobId })),
  );
}

function reasonOf(batch: LoadedBatch, { reason }: HeldDecision): LetterReason {
  const code = [...unreadableCodes, ...configurationCodes].find((one) => one === batch.reasonCode) ?? deliveryErrors.E_OUTCOME_UNKNOWN;
  return { cause: 'operator', code, message: reason };
}
