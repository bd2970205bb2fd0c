/**
 * Writes each batch into a table in one transaction. With the effects table the delivery keys are written in the same
 * transaction, so a batch sent again adds nothing; without it a resend may, and is labelled for whoever reads the log. A bad
 * row is found by halving and refused alone.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { createAddressGuard } from '../address-guard.ts';
import type { DeliveryOutcome, OpenOptions, OutgoingBatch, RecordResult, Target } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { createKeyOrder } from '../key-order.ts';
import { isRowFault, refusedBy, sqlStateOf } from './postgres-failure.ts';
import { createPostgresSessions, type PostgresSession } from './postgres-sessions.ts';
import { type PostgresSettings, readPostgresSettings } from './postgres-settings.ts';
import { type PostgresStatements, postgresStatements } from './postgres-sql.ts';

interface Row {
  readonly index: number;
  readonly json: string;
}

/** Fails with E_TARGET on settings that can't work. */
export function openPostgresTarget(options: OpenOptions): Target {
  const settings = readPostgresSettings(options);
  const statements = postgresStatements(settings);
  const { timeoutMs, concurrency } = options.target;
  const sessions = createPostgresSessions({
    settings,
    describe: statements.describe,
    guard: createAddressGuard(options.egress, options.ports.resolveHost),
    secrets: options.secrets,
    idleMax: concurrency,
    timeoutMs,
  });
  return {
    unknownResolution: 'query',
    async deliver(batch, signal) {
      let isCommitting = false;
      try {
        return await sessions.use(signal, async (session) => {
          const refused = await writeBatch({ settings, statements, session, batch, timeoutMs });
          batch.assertOurs();
          isCommitting = true;
          await session.query('/* commit delivery */ commit');
          const evidence = session.hasEffects ? 'committed together with its delivery keys' : 'committed';
          return refused.length === 0 ? { kind: 'acked', evidence } : { kind: 'acked', perRecord: refused, evidence };
        });
      } catch (error) {
        // An ERROR at COMMIT is the server's verdict; anything that ended the session leaves the outcome open.
        if (!isCommitting || sqlStateOf(error) !== undefined) return refusedBy(error, signal);
        return lostOutcome(signal);
      }
    },
    async resolve(batch, signal) {
      try {
        const keys = await batch.deliveryKeys();
        return await sessions.use(signal, async (session) => {
          if (!session.hasEffects) return { kind: 'unresolved', code: connectorErrors.E_TARGET_REPLY_LOST };
          const { rows } = await session.query<{ count: number }>(statements.countEffects, [keys]);
          const { count } = rows[0]!;
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
      const startMs = options.ports.clock.monotonicMs();
      const durationMs = () => options.ports.clock.monotonicMs() - startMs;
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

interface Writing {
  readonly settings: PostgresSettings;
  readonly statements: PostgresStatements;
  readonly session: PostgresSession;
  readonly batch: OutgoingBatch;
  readonly timeoutMs: number;
}

/** Everything but COMMIT. Returns the refused records. */
async function writeBatch({ settings, statements, session, batch, timeoutMs }: Writing): Promise<RecordResult[]> {
  const rows = rowsOf(batch);
  // The server ends a session whose process is stopped before the batch can be another's: a late COMMIT finds nothing.
  const idleMs = Math.max(1, Math.floor(Math.min(timeoutMs, batch.oursForMs)));
  await session.query(`/* begin delivery */ begin; set local idle_in_transaction_session_timeout = ${idleMs}`);
  if (!session.hasEffects) return await writeInOrder({ settings, statements, session, batch }, rows);
  const keys = await batch.deliveryKeys();
  const { rows: claimed } = await session.query<{ delivery_key: string }>(statements.claimEffects, [keys, batch.batchId]);
  const fresh = new Set(claimed.map((row) => row.delivery_key));
  const missing = rows.filter(({ index }) => fresh.has(keys[index]!));
  const refused = await writeInOrder({ settings, statements, session, batch }, missing);
  if (refused.length > 0) await session.query(statements.releaseEffects, [refused.map(({ index }) => keys[index]!)]);
  return refused;
}

/** Where the order of keys is kept, rows behind a refused one of their key are taken out, and the rest is written again. */
async function writeInOrder(
  { settings, statements, session, batch }: Omit<Writing, 'timeoutMs'>,
  rows: readonly Row[],
): Promise<RecordResult[]> {
  const write = (some: readonly Row[]) => writeRows(session, statements, wavesOf(some, settings.keys));
  if (batch.orderKeys === null) return await write(rows);
  await session.query('/* mark order */ savepoint delivery_order');
  let left = rows;
  const heldBack: RecordResult[] = [];
  for (;;) {
    const refused = await write(left);
    if (refused.length === 0) return heldBack;
    const order = await createKeyOrder(batch);
    for (const { index } of refused) order.refuse(index);
    const isRefused = new Set(refused.map(({ index }) => index));
    const behind = left.filter(({ index }) => !isRefused.has(index) && order.isHeldBack(index));
    if (behind.length === 0) return [...refused, ...heldBack].sort((a, b) => a.index - b.index);
    heldBack.push(...behind.map(({ index }) => ({ index, status: 'retry' as const, code: connectorErrors.E_TARGET_ORDER })));
    left = left.filter((row) => !behind.includes(row));
    await session.query('/* undo order */ rollback to savepoint delivery_order');
  }
}

function rowsOf(batch: OutgoingBatch): Row[] {
  const rows: Row[] = [];
  for (const line of batch.body.lines()) {
    rows.push({ index: rows.length, json: Buffer.from(line.buffer, line.byteOffset, line.byteLength - 1).toString('utf8') });
  }
  return rows;
}

/** One statement can't change a row twice: a key that comes again starts the next one, so the last record of a key wins. */
function wavesOf(rows: readonly Row[], keys: readonly string[]): Row[][] {
  if (keys.length === 0) return rows.length === 0 ? [] : [[...rows]];
  const waves: Row[][] = [];
  let seen = new Set<string>();
  for (const row of rows) {
    const values = JSON.parse(row.json) as Record<string, unknown>;
    const key = JSON.stringify(keys.map((name) => values[name] ?? null));
    if (waves.length === 0 || seen.has(key)) {
      waves.push([]);
      seen = new Set();
    }
    seen.add(key);
    waves.at(-1)!.push(row);
  }
  return waves;
}

async function writeRows(
  session: PostgresSession,
  statements: PostgresStatements,
  waves: readonly (readonly Row[])[],
): Promise<RecordResult[]> {
  const refused: RecordResult[] = [];
  for (const wave of waves) await writeHalving(session, statements, wave, refused);
  return refused.sort((a, b) => a.index - b.index);
}

async function writeHalving(
  session: PostgresSession,
  statements: PostgresStatements,
  rows: readonly Row[],
  refused: RecordResult[],
): Promise<void> {
  await session.query('/* mark */ savepoint delivery');
  try {
    await session.query(statements.writeRows, [`[${rows.map(({ json }) => json).join(',')}]`]);
    await session.query('/* keep */ release savepoint delivery');
    return;
  } catch (error) {
    if (error instanceof HeadgateError || !isRowFault(error)) throw error;
    await session.query('/* undo */ rollback to savepoint delivery');
    if (rows.length === 1) {
      refused.push({ index: rows[0]!.index, status: 'refused', code: connectorErrors.E_TARGET_RECORD });
      return;
    }
  }
  const middle = rows.length >>> 1;
  await writeHalving(session, statements, rows.slice(0, middle), refused);
  await writeHalving(session, statements, rows.slice(middle), refused);
}
