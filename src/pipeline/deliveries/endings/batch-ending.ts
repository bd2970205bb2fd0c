/**
 * All that the end of an attempt, or of a batch without one, changes, as data; and one transaction that writes it for many
 * batches of a tenant: states, attempts, children, dead letters, counts, events, and the work that follows. It is fenced: if
 * any of the work is no longer ours, nothing is written.
 */
import type { Ids } from '../../../platform/base/ports.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { type ExpectedAnswer, expectAnswers } from '../answers/expected-answers.ts';
import { type AttemptEnding, type AttemptResolution, endAttempts, resolveAttempts } from '../attempts/attempt-store.ts';
import type { NewBatch } from '../batch.ts';
import { type BatchChange, moveBatches } from '../batch-changes.ts';
import { type BatchOrigin, deliverWork, insertBatches } from '../cutting/batch-insert.ts';
import { blockKeys, type NewBlockedKey } from '../held/blocked-key-store.ts';
import type { ClaimedWork, NewWork, WorkQueue } from '../work-queue-port.ts';
import { insertDeadLetters, type NewDeadLetter } from './dead-letter-store.ts';
import type { LetterPages } from './given-up-letters.ts';
import { addCounts, type CountDelta } from './target-counts.ts';

export interface BatchEnding {
  readonly work: ClaimedWork;
  /** Null: the work is done. Else it comes back after the delay. */
  readonly againAfterMs: number | null;
  readonly origin: BatchOrigin;
  readonly attempt: AttemptEnding | null;
  readonly resolution: AttemptResolution | null;
  readonly changes: readonly BatchChange[];
  readonly children: readonly NewBatch[];
  /** Children that go on being delivered, and when. */
  readonly childWork: readonly { readonly batchId: string; readonly delayMs: number }[];
  readonly deadLetters: readonly NewDeadLetter[];
  /** More of them, where they are too many for memory. */
  readonly letterPages: LetterPages | null;
  /** Of these dead letters, where their target keeps the order of keys. */
  readonly blockedKeys: readonly NewBlockedKey[];
  readonly counts: readonly CountDelta[];
  /** Of what was acknowledged, where its target is to answer. */
  readonly expected: readonly ExpectedAnswer[];
  /** Breakers whose work has to be there, because it lets the batch go on. */
  readonly breakerWork: readonly string[];
}

export interface EndingServices {
  readonly queue: WorkQueue;
  readonly ports: { readonly ids: Ids };
  /** Of one target. */
  readonly blockedKeysMax?: number | undefined;
}

/** Fails with E_FENCED when any of the work is not ours any more. Returns the jobs that were sent to be closed. */
export async function writeEndings(tx: TenantTx, endings: readonly BatchEnding[], services: EndingServices): Promise<readonly string[]> {
  const { queue, ports } = services;
  // First, because it tells whether the rest may be written at all.
  await queue.endWork(
    tx,
    endings.map(({ work, againAfterMs }) => ({ ...work, delayMs: againAfterMs })),
  );
  await endAttempts(
    tx,
    endings.flatMap(({ attempt }) => attempt ?? []),
  );
  await resolveAttempts(
    tx,
    endings.flatMap(({ resolution }) => resolution ?? []),
  );
  for (const { origin, children } of endings) if (children.length > 0) await insertBatches(tx, origin, children);
  await moveBatches(
    tx,
    ports.ids,
    endings.flatMap(({ changes }) => changes),
  );
  await insertDeadLetters(
    tx,
    endings.flatMap(({ deadLetters }) => deadLetters),
  );
  for (const { letterPages } of endings)
    if (letterPages !== null) for await (const page of letterPages.pages()) await insertDeadLetters(tx, page);
  await blockKeys(
    tx,
    endings.flatMap(({ blockedKeys }) => blockedKeys),
    services.blockedKeysMax,
  );
  await expectAnswers(
    tx,
    { queue, ids: ports.ids },
    endings.flatMap(({ expected }) => expected),
  );
  const endedJobs = await addCounts(
    tx,
    endings.flatMap(({ counts }) => counts),
  );
  const breakers = new Set(endings.flatMap(({ breakerWork }) => breakerWork));
  await queue.keepWork(
    tx,
    [...breakers].map((referenceId) => ({ kind: 'breaker', referenceId })),
  );
  const work: NewWork[] = endings.flatMap(childWorkOf);
  await queue.addWork(tx, [...work, ...endedJobs.map((jobId) => ({ kind: 'close', referenceId: jobId }) as const)]);
  return endedJobs;
}

function childWorkOf({ origin, children, childWork }: BatchEnding): NewWork[] {
  return childWork.map(({ batchId, delayMs }) => ({
    ...deliverWork(origin.flowId, children.find((child) => child.batchId === batchId)!),
    delayMs,
  }));
}
