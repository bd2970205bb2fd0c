/**
 * What a batch writes in its transaction, before COMMIT. A batch that was not sent before and whose rows are all good takes no savepoint
 * and asks for nothing. Otherwise the transaction begins again: what is there already is left out, and a row at fault is found by
 * halving and refused alone.
 */
import type { OutgoingBatch, RecordResult } from './connector.ts';
import { connectorErrors } from './connector-errors.ts';
import { createKeyOrder } from './key-order.ts';

/** A record as it was cut. */
export interface TransactionRow {
  readonly index: number;
  readonly json: string;
  /** Of `json` in UTF-8. */
  readonly bytes: number;
}

export interface BatchEffects {
  readonly keys: readonly string[];
  readonly batchId: string;
}

export interface BeginOptions {
  /** What the database would look at only when it commits, it looks at with each statement. */
  readonly checksAtOnce: boolean;
}

/** A session of the database and what it can do for one batch. Its methods fail with the driver's errors. */
export interface TransactionSession {
  /** The effects table is there. */
  readonly hasEffects: boolean;
  /** The server ends the session by itself when nothing comes for `idleMs`, so that a late COMMIT finds nothing. */
  begin(idleMs: number, options: BeginOptions): Promise<void>;
  /** Of everything since `begin`. */
  rollback(): Promise<void>;
  /** All rows with their delivery keys. False: a row is at fault or a key is there, and the transaction is to be rolled back. */
  writeNew(rows: readonly TransactionRow[], effects: BatchEffects | null): Promise<boolean>;
  /** Writes delivery keys; returns those that were not there. */
  claimEffects(effects: BatchEffects): Promise<ReadonlySet<string>>;
  releaseEffects(keys: readonly string[]): Promise<void>;
  countEffects(keys: readonly string[]): Promise<number>;
  /** Whether the effects table was there already at a time by Headgate's clock. */
  hadEffectsAt(at: Date): Promise<boolean>;
  /** Parts that are written by one statement each, one after the other. */
  partsOf(rows: readonly TransactionRow[]): readonly (readonly TransactionRow[])[];
  /** Null: written. Else one of the rows is at fault, why without content, and nothing holds since the last mark until that is undone. */
  writeRows(rows: readonly TransactionRow[]): Promise<string | null>;
  mark(): Promise<void>;
  undo(): Promise<void>;
  markOrder(): Promise<void>;
  /** Undoes what was written since `markOrder`. */
  undoOrder(): Promise<void>;
  /**
   * After the writes, which keep others from changing the table: fails where it is not as it was when the session was made, or where
   * there is an effects table by now in which the batch has no keys.
   */
  assertTable?(): Promise<void>;
  commit(): Promise<void>;
}

/** Everything but COMMIT. Returns the refused records. `wasAtFault`: a COMMIT of the batch failed over one of its rows. */
export async function writeBatch(
  session: TransactionSession,
  batch: OutgoingBatch,
  { timeoutMs, wasAtFault }: { readonly timeoutMs: number; readonly wasAtFault: boolean },
): Promise<RecordResult[]> {
  const rows = rowsOf(batch);
  const effects = session.hasEffects ? { keys: await batch.deliveryKeys(), batchId: batch.batchId } : null;
  const begin = (checksAtOnce: boolean) => session.begin(Math.max(1, Math.floor(Math.min(timeoutMs, batch.oursForMs))), { checksAtOnce });
  if (!wasAtFault && (effects === null || !batch.possibleDuplicate)) {
    await begin(false);
    if (await session.writeNew(rows, effects)) return [];
    await session.rollback();
  }
  await begin(wasAtFault);
  if (effects === null) return await writeInOrder(session, batch, rows);
  const { keys } = effects;
  const fresh = await session.claimEffects(effects);
  const missing = rows.filter(({ index }) => fresh.has(keys[index]!));
  const refused = await writeInOrder(session, batch, missing);
  if (refused.length > 0) await session.releaseEffects(refused.map(({ index }) => keys[index]!));
  return refused;
}

/** Where the order of keys is kept, rows behind a refused one of their key are taken out, and the rest is written again. */
async function writeInOrder(session: TransactionSession, batch: OutgoingBatch, rows: readonly TransactionRow[]): Promise<RecordResult[]> {
  if (batch.orderKeys === null) return await writeAll(session, rows);
  await session.markOrder();
  let left = rows;
  const heldBack: RecordResult[] = [];
  for (;;) {
    const refused = await writeAll(session, left);
    if (refused.length === 0) return heldBack;
    const order = await createKeyOrder(batch);
    for (const { index } of refused) order.refuse(index);
    const isRefused = new Set(refused.map(({ index }) => index));
    const behind = left.filter(({ index }) => !isRefused.has(index) && order.isHeldBack(index));
    if (behind.length === 0) return [...refused, ...heldBack].sort((a, b) => a.index - b.index);
    heldBack.push(...behind.map(({ index }) => ({ index, status: 'retry' as const, code: connectorErrors.E_TARGET_ORDER })));
    left = left.filter((row) => !behind.includes(row));
    await session.undoOrder();
  }
}

function rowsOf(batch: OutgoingBatch): TransactionRow[] {
  const rows: TransactionRow[] = [];
  for (const line of batch.body.lines()) {
    const bytes = line.byteLength - 1;
    rows.push({ index: rows.length, json: Buffer.from(line.buffer, line.byteOffset, bytes).toString('utf8'), bytes });
  }
  return rows;
}

async function writeAll(session: TransactionSession, rows: readonly TransactionRow[]): Promise<RecordResult[]> {
  const refused: RecordResult[] = [];
  for (const part of session.partsOf(rows)) await writeHalving(session, part, refused);
  return refused.sort((a, b) => a.index - b.index);
}

async function writeHalving(session: TransactionSession, rows: readonly TransactionRow[], refused: RecordResult[]): Promise<void> {
  await session.mark();
  const fault = await session.writeRows(rows);
  if (fault === null) return;
  await session.undo();
  if (rows.length === 1) {
    refused.push({ index: rows[0]!.index, status: 'refused', code: connectorErrors.E_TARGET_RECORD, message: fault });
    return;
  }
  const middle = rows.length >>> 1;
  await writeHalving(session, rows.slice(0, middle), refused);
  await writeHalving(session, rows.slice(middle), refused);
}
