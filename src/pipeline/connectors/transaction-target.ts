/**
 * Targets that are databases: each batch is one transaction. With the effects table the delivery keys are written in the same
 * transaction, so a batch sent again adds nothing; without it a resend may, and is labelled for whoever reads the log. A bad
 * row is found by halving and refused alone. What the statements are is the connector's.
 */
import type { Clock } from '../../platform/base/ports.ts';
import type { DeliveryOutcome, OutgoingBatch, RecordResult, Target } from './connector.ts';
import { connectorErrors } from './connector-errors.ts';
import { createKeyOrder } from './key-order.ts';
import type { SessionPool } from './session-pool.ts';

/** A record as it was cut. */
export interface TransactionRow {
  readonly index: number;
  readonly json: string;
  /** Of `json` in UTF-8. */
  readonly bytes: number;
}

/** A session of the database and what it can do for one batch. Its methods fail with the driver's errors. */
export interface TransactionSession {
  /** The effects table is there. */
  readonly hasEffects: boolean;
  /** The server ends the session by itself when nothing comes for `idleMs`, so that a late COMMIT finds nothing. */
  begin(idleMs: number): Promise<void>;
  /** Writes delivery keys; returns those that were not there. */
  claimEffects(keys: readonly string[], batchId: string): Promise<ReadonlySet<string>>;
  releaseEffects(keys: readonly string[]): Promise<void>;
  countEffects(keys: readonly string[]): Promise<number>;
  /** Parts that are written by one statement each, one after the other. */
  partsOf(rows: readonly TransactionRow[]): readonly (readonly TransactionRow[])[];
  /** False: one of the rows is at fault, and nothing of them is written. */
  writeRows(rows: readonly TransactionRow[]): Promise<boolean>;
  markOrder(): Promise<void>;
  /** Undoes what was written since `markOrder`. */
  undoOrder(): Promise<void>;
  commit(): Promise<void>;
}

export interface TransactionTargetOptions<Session extends TransactionSession> {
  readonly sessions: SessionPool<Session>;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Of an attempt whose transaction is certainly rolled back. */
  refusedBy(error: unknown, signal: AbortSignal): DeliveryOutcome;
  /** The error is the server's own word that COMMIT did nothing. */
  isRolledBack(error: unknown): boolean;
}

export function createTransactionTarget<Session extends TransactionSession>(options: TransactionTargetOptions<Session>): Target {
  const { sessions, timeoutMs, clock, refusedBy } = options;
  return {
    unknownResolution: 'query',
    async deliver(batch, signal) {
      let isCommitting = false;
      try {
        return await sessions.use(signal, async (session) => {
          const refused = await writeBatch(session, batch, timeoutMs);
          batch.assertOurs();
          isCommitting = true;
          await session.commit();
          const evidence = session.hasEffects ? 'committed together with its delivery keys' : 'committed';
          return refused.length === 0 ? { kind: 'acked', evidence } : { kind: 'acked', perRecord: refused, evidence };
        });
      } catch (error) {
        // Anything that ended the session at COMMIT leaves the outcome open.
        if (!isCommitting || options.isRolledBack(error)) return refusedBy(error, signal);
        return lostOutcome(signal);
      }
    },
    async resolve(batch, signal) {
      try {
        const keys = await batch.deliveryKeys();
        return await sessions.use(signal, async (session) => {
          if (!session.hasEffects) return { kind: 'unresolved', code: connectorErrors.E_TARGET_REPLY_LOST };
          const count = await session.countEffects(keys);
          if (count === keys.length) return { kind: 'acked', evidence: `the effects table holds all ${count} delivery keys` };
          return {
            kind: 'resendable',
            evidence: `the effects table holds ${count} of ${keys.length} delivery keys; those are not written again`,
          };
        });
      } catch (error) {
        const outcome = refusedBy(error, signal);
        return { kind: 'unresolved', code: outcome.kind === 'acked' ? '' : outcome.code };
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

function lostOutcome(signal: AbortSignal): DeliveryOutcome {
  const code = signal.aborted ? connectorErrors.E_TARGET_TIMEOUT : connectorErrors.E_TARGET_REPLY_LOST;
  return { kind: 'unknown', code, message: 'the connection ended before COMMIT was answered' };
}

/** Everything but COMMIT. Returns the refused records. */
async function writeBatch(session: TransactionSession, batch: OutgoingBatch, timeoutMs: number): Promise<RecordResult[]> {
  const rows = rowsOf(batch);
  const keys = session.hasEffects ? await batch.deliveryKeys() : null;
  await session.begin(Math.max(1, Math.floor(Math.min(timeoutMs, batch.oursForMs))));
  if (keys === null) return await writeInOrder(session, batch, rows);
  const fresh = await session.claimEffects(keys, batch.batchId);
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
  if (await session.writeRows(rows)) return;
  if (rows.length === 1) {
    refused.push({ index: rows[0]!.index, status: 'refused', code: connectorErrors.E_TARGET_RECORD });
    return;
  }
  const middle = rows.length >>> 1;
  await writeHalving(session, rows.slice(0, middle), refused);
  await writeHalving(session, rows.slice(middle), refused);
}
