/**
 * The dead letters of a batch that is given up as a whole. Those of a few records are made at once; those of many, as a file may
 * hold, are made while they are written, a page at a time, so that none but the last page is in memory. All records are read
 * before anything is written, because a batch whose records can't be told ends otherwise.
 */
import type { Ids } from '../../../platform/base/ports.ts';
import type { Plan } from '../../engine/plan.ts';
import type { LoadedBatch } from '../batch-load.ts';
import { blockedKeysMax, everyKey, type NewBlockedKey } from '../held/blocked-key-store.ts';
import { type BatchRecord, openGivenUpRecords, type RecordSource, recordsOfPageMax } from './batch-records.ts';
import type { NewDeadLetter } from './dead-letter-store.ts';

export interface LetterPages {
  readonly count: number;
  /** From the first on, each time it is called; asks nothing of the database. */
  pages(): AsyncIterable<readonly NewDeadLetter[]>;
}

export interface GivenUpLetters {
  readonly deadLetters: readonly NewDeadLetter[];
  /** In place of `deadLetters`, where they are many. */
  readonly letterPages: LetterPages | null;
  /** Keys whose later records are held back, where the target keeps the order of keys. */
  readonly blockedKeys: readonly NewBlockedKey[];
}

/** What is the same for all records of the batch. Whether they may be there, where more is known than what became of its attempts. */
export type LetterReason = Pick<NewDeadLetter, 'cause' | 'code' | 'message'> & Partial<Pick<NewDeadLetter, 'mayBeThere'>>;

/** Fails with what the sealed bytes can't be read for. */
export async function letterGivenUp(
  services: RecordSource & { readonly ports: { readonly ids: Ids }; readonly blockedKeysMax?: number | undefined },
  batch: LoadedBatch,
  plan: Plan,
  reason: LetterReason,
): Promise<GivenUpLetters> {
  const { ids } = services.ports;
  const records = await openGivenUpRecords(services, batch, plan);
  const keys = new FirstOfKeys(batch, services.blockedKeysMax ?? blockedKeysMax);
  const isFew = batch.records <= recordsOfPageMax;
  const few: NewDeadLetter[] = [];
  let count = 0;
  for await (const page of records())
    for (const record of page) {
      const deadLetterId = keys.isToBlock(record) || isFew ? ids.next() : '';
      keys.add(record, count++, deadLetterId);
      if (isFew) few.push(letterOf(batch, reason, record, deadLetterId));
    }
  const letterPages: LetterPages = {
    count,
    async *pages() {
      let position = 0;
      for await (const page of records())
        yield page.map((record) => letterOf(batch, reason, record, keys.letterAt(position++) ?? ids.next()));
    },
  };
  return { deadLetters: few, letterPages: isFew ? null : letterPages, blockedKeys: keys.all() };
}

function letterOf(
  { flowId, targetId, batchId, unknownAttempts }: LoadedBatch,
  reason: LetterReason,
  { member, record, deliveryKey, amounts }: BatchRecord,
  deadLetterId: string,
): NewDeadLetter {
  const { jobId } = member;
  return {
    deadLetterId,
    jobId,
    flowId,
    targetId,
    batchId,
    recordNumber: record,
    deliveryKey,
    amounts,
    mayBeThere: unknownAttempts > 0,
    ...reason,
  };
}

/** The first record of each key; beyond as many keys as one target may have blocked, of the lane, which stands for all others. */
class FirstOfKeys {
  readonly #batch: LoadedBatch;

  readonly #keysMax: number;

  readonly #keys = new Map<string, NewBlockedKey>();

  readonly #letters = new Map<number, string>();

  constructor(batch: LoadedBatch, keysMax: number) {
    this.#batch = batch;
    this.#keysMax = keysMax;
  }

  isToBlock(record: BatchRecord): boolean {
    return this.#nameOf(record) !== null;
  }

  add(record: BatchRecord, position: number, deadLetterId: string): void {
    const keyHash = this.#nameOf(record);
    if (keyHash === null) return;
    const { flowId, targetId, lane, laneScheme } = this.#batch;
    this.#keys.set(keyHash, { flowId, targetId, lane, laneScheme, keyHash, jobId: record.member.jobId, deadLetterId });
    this.#letters.set(position, deadLetterId);
  }

  letterAt(position: number): string | undefined {
    return this.#letters.get(position);
  }

  all(): readonly NewBlockedKey[] {
    return [...this.#keys.values()];
  }

  /** Null: it blocks nothing that is not blocked. */
  #nameOf({ orderKey }: BatchRecord): string | null {
    if (orderKey === null || this.#keys.has(orderKey)) return null;
    const name = this.#keys.size < this.#keysMax ? orderKey : everyKey;
    return this.#keys.has(name) ? null : name;
  }
}
