import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, testFlow, testRows } from '../../test/support/running-server.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import type { Db } from '../platform/postgres/database.ts';
import { createMetrics } from '../platform/telemetry/metrics.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { measureWork } from './work-gauges.ts';

let database: TestDatabase;
let server: RunningTestServer;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 3 });
  server = await startTestServer(database, { roles: 'api,scheduler' });
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

it('a served process tells the backlog, who leads, its statements, and how many events got their places', async () => {
  const bank = await server.tenant('bank');
  await bank.apply(...testFlow({ root: server.out }));
  expect((await server.upload(bank.key, { flow: 'payments', name: 'a.csv', body: testRows(3) })).status).toBe(201);
  const lines = [
    'headgate_backlog{kind="chunks"} 1',
    'headgate_backlog{kind="deliver"} 0',
    'headgate_leased{kind="chunks"} 0',
    'headgate_is_leader{role="event-sequencer"} 1',
    'headgate_is_leader{role="storage-sweep"} 1',
    'headgate_is_leader{role="key-pruner"} 1',
    'headgate_database_statements_total{statement="commit",outcome="ok"}',
  ];
  await vi.waitUntil(
    async () => {
      const { body } = await server.request('/metrics');
      const sequenced = Number(/^headgate_event_transactions_sequenced_total (\d+)$/m.exec(body)?.[1] ?? 0);
      return sequenced > 0 && lines.every((line) => body.includes(line));
    },
    { timeout: 60_000, interval: 200 },
  );
});

it('the database is asked once in five seconds, and while it is away the last values stay', async () => {
  const tenantId = await database.adminDb.query<{ id: string }>('/* tenant */ select tenant_id as id from headgate.tenants limit 1');
  await withTenant(database.db, tenantId.rows[0]!.id, async (tx) => {
    await tx.query(
      `/* make work late */ update headgate.work_items set due_at = headgate.clock() - interval '90 seconds' where tenant_id = $1`,
      [tx.tenantId],
    );
  });
  let [asked, isAway, nowMs] = [0, false, 0];
  const db = {
    query: (sql: string) => {
      asked++;
      return isAway ? Promise.reject(new HeadgateError('E_DATABASE_UNREACHABLE', 'away')) : database.db.query(sql);
    },
  } as unknown as Db;
  const metrics = createMetrics();
  measureWork(metrics, db, { clock: { monotonicMs: () => nowMs }, sleep: systemPorts.sleep });
  const oldest = async () => Number(/^headgate_backlog_oldest_seconds\{kind="chunks"\} (.+)$/m.exec((await metrics.render()).body)![1]);
  expect(Math.round((await oldest()) / 10)).toBe(9);
  nowMs = 4_999;
  await metrics.render();
  expect(asked).toBe(1);
  [isAway, nowMs] = [true, 5_000];
  expect(Math.round((await oldest()) / 10)).toBe(9);
  expect(asked).toBe(2);
});

it('a database that hangs holds up a scrape for two seconds at most, and is asked again when it has answered', async () => {
  let [asked, nowMs] = [0, 0];
  let answer = (_rows: object[]): void => {};
  const db = {
    query: () => {
      asked++;
      return new Promise((resolve) => {
        answer = (rows) => resolve({ rows, rowCount: rows.length });
      });
    },
  } as unknown as Db;
  /** Those that a scrape waits with: a test ends them. */
  const waits: { readonly ms: number; readonly end: () => void }[] = [];
  const sleep = { sleep: (ms: number) => new Promise<void>((end) => void waits.push({ ms, end })) };
  const metrics = createMetrics();
  measureWork(metrics, db, { clock: { monotonicMs: () => nowMs }, sleep });
  const scrape = async () => Number(/^headgate_backlog\{kind="chunks"\} (.+)$/m.exec((await metrics.render()).body)?.[1] ?? Number.NaN);
  const patientScrape = async () => {
    const scraped = scrape();
    await vi.waitUntil(() => waits.length > 0, 60_000);
    const [wait] = waits.splice(0);
    expect(wait!.ms).toBe(2_000);
    wait!.end();
    return await scraped;
  };
  const rowsOf = (ready: number) => [{ kind: 'chunks', ready, leased: 0, oldestSeconds: 0 }];
  const first = scrape();
  answer(rowsOf(1));
  expect(await first).toBe(1);

  waits.length = 0;
  nowMs = 5_000;
  expect(await patientScrape()).toBe(1);
  nowMs = 130_000;
  expect(await patientScrape()).toBe(1);
  expect(asked).toBe(2);

  const third = scrape();
  answer(rowsOf(7));
  expect(await third).toBe(7);
  const later = scrape();
  await vi.waitUntil(() => asked === 3, 60_000);
  answer(rowsOf(8));
  expect(await later).toBe(8);
});
