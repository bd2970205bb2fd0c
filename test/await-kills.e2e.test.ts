/**
 * Three records and two targets, and a process that ends once at every call to the world on their way: before the call and
 * after it. Another process takes over, the sender sends again until it is answered, and in the end everything is there once.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { applyDocument } from '../src/control/flows/applying/apply-document.ts';
import { createEngineThreads, type EngineThreads } from '../src/control/jobs/groups/thread-pool.ts';
import { ensureTenant } from '../src/platform/access/tenants.ts';
import { systemPorts } from '../src/platform/base/system-ports.ts';
import { withTenant } from '../src/platform/tenancy/tenant-scope.ts';
import { createMortality, type Death, type Mortality } from './support/mortal-ports.ts';
import { type LivingProduct, leaseMs, type ProductPlace, type Reception, startProduct } from './support/mortal-product.ts';
import { createTestDatabase, type TestDatabase } from './support/postgres.ts';
import { temporaryStore } from './support/temporary-store.ts';

const body = Buffer.from('id,amount\nP1,1.50\nP2,2.25\nP3,9000.00\n');
const lines = { archive: ['P1', 'P2', 'P3'], feed: ['P3'] };

const documents = (tenant: string) => [
  `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: ${tenant}, name: out }
spec: { type: folder, root: /nowhere }
`,
  `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: ${tenant}, name: service }
spec: { type: http, baseUrl: "https://service.example" }
`,
  `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: ${tenant}, service: payments, name: payments, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema:
    record:
      key: [id]
      fields:
        id: { type: string, required: true, unique: file }
        amount: { type: decimal, scale: 2, required: true, sum: true }
  routes:
    rules: [{ id: large, when: "record.amount > decimal('5000')", to: [archive, feed] }]
    default: { to: [archive] }
  targets:
    archive: { type: file, connection: out }
    feed: { type: http, connection: service, order: file }
  targetDefaults: { timeout: 60s, retry: { max: 20, initial: 10ms, cap: 20ms } }
`,
];

/** Calls that a process makes again and again while it has nothing to do: how often says nothing. */
const polls = new Set([
  'sweep expired work',
  'lead event sequencer',
  'sequence events',
  'claim chunks',
  'claim check',
  'claim deliver',
  'claim close',
  'claim breaker',
  'claim acknowledge',
  'claim collect',
]);
const pollsMax = 2;
/** Of one run; a fraction of a second where nothing else is busy. */
const endMsMax = 60_000;
/** Of all runs; under a minute where nothing else is busy. */
const runsMsMax = 900_000;

let database: TestDatabase;
let threads: EngineThreads;
let storage: ReturnType<typeof temporaryStore>;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
});
afterAll(async () => {
  await threads?.stop();
  await database.drop();
});

let tenants = 0;

interface Run {
  readonly mortality: Mortality;
  readonly received: Map<string, Reception[]>;
  readonly tenantId: string;
}

/** The whole way of one file, with one death if it comes to it. */
async function runOnce(death?: Death): Promise<Run> {
  const tenant = `mortal-${process.pid}-${++tenants}`;
  const tenantId = await ensureTenant(database.db, systemPorts.ids, { name: tenant, cell: 'local', region: 'test' });
  await withTenant(database.db, tenantId, async (tx) => {
    for (const text of documents(tenant)) await applyDocument(tx, systemPorts.ids, text, { tenant, actor: 'test' });
  });
  const received = new Map<string, Reception[]>();
  const place: ProductPlace = { database, store: storage.store, threads, received };
  const mortality = createMortality(death);
  const time = startTime();
  let product: LivingProduct = startProduct(place, mortality);
  const request = { tenantId, name: 'a.csv', key: 'key-of-the-sender', body };
  try {
    const first = await Promise.race([product.upload(request), mortality.died]);
    if (!mortality.isDead) await Promise.race([untilClosed(tenantId), mortality.died]);
    if (mortality.isDead) {
      await product.end();
      await passTime(leaseMs / 1000);
      product = startProduct(place, createMortality());
      if (first === undefined) expect((await product.upload(request)).kind).toBe('accepted');
      await untilClosed(tenantId);
    }
    await untilNumbered(tenantId);
    return { mortality, received, tenantId };
  } finally {
    await product.end();
    await time.stop();
  }
}

const passTime = (seconds: number) =>
  database.adminDb.query("/* pass time */ update headgate.clock_offset set by = by + $1 * interval '1 second'", [seconds]);

/** Makes the database's time pass fast, so that retries and leases cost no time. */
function startTime(): { stop(): Promise<void> } {
  let isStopped = false;
  const running = (async () => {
    while (!isStopped) {
      await passTime(1);
      await systemPorts.sleep.sleep(20);
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await running;
    },
  };
}

async function until(what: string, sql: string, tenantId: string): Promise<void> {
  const deadlineMs = performance.now() + endMsMax;
  while ((await database.adminDb.query(sql, [tenantId])).rowCount === 0) {
    if (performance.now() > deadlineMs) throw new Error(`not ${what} after ${endMsMax} ms`);
    await systemPorts.sleep.sleep(5);
  }
}

const untilClosed = (tenantId: string) =>
  until('closed', "/* closed jobs */ select from headgate.jobs where tenant_id = $1 and state = 'completed'", tenantId);
const untilNumbered = (tenantId: string) =>
  until(
    'numbered',
    '/* numbered events */ select where not exists (select from headgate.event_transactions where tenant_id = $1 and first_seq is null)',
    tenantId,
  );

/** What must be true of the one file, whatever happened. */
async function check({ received, tenantId }: Run): Promise<void> {
  for (const [target, ids] of Object.entries(lines)) {
    const receptions = received.get(target) ?? [];
    expect(new Set(receptions.map(({ line }) => JSON.parse(line).id)), target).toEqual(new Set(ids));
    for (const id of ids) {
      const own = receptions.filter(({ line }) => JSON.parse(line).id === id);
      expect(own.filter(({ isLabelled }) => !isLabelled).length, `${id} at ${target} without a label`).toBeLessThanOrEqual(1);
      expect(new Set(own.map(({ key, line }) => key + line)).size, `keys of ${id} at ${target}`).toBe(1);
    }
  }
  // The one that can be asked never gets anything twice.
  expect(received.get('archive')).toHaveLength(lines.archive.length);
  const rows = async <Row>(sql: string) => (await database.adminDb.query<Row>(sql, [tenantId])).rows;
  expect(
    await rows(
      '/* files */ select (select count(*)::int from headgate.files where tenant_id = $1) as files, (select count(*)::int from headgate.jobs where tenant_id = $1) as jobs, (select count(*)::int from headgate.receipts where tenant_id = $1) as receipts',
    ),
  ).toEqual([{ files: 1, jobs: 1, receipts: 1 }]);
  expect(
    await rows(
      '/* job */ select state, records_read as read, records_valid as valid, chunks_done as done from headgate.jobs where tenant_id = $1',
    ),
  ).toEqual([{ state: 'completed', read: 3, valid: 3, done: 1 }]);
  expect(
    await rows(
      '/* targets */ select target_id as target, routed, delivered, refused, dead, cancelled from headgate.job_targets where tenant_id = $1 order by 1',
    ),
  ).toEqual(
    Object.entries(lines).map(([target, ids]) => ({
      target,
      routed: ids.length,
      delivered: ids.length,
      refused: 0,
      dead: 0,
      cancelled: 0,
    })),
  );
  const batches = '/* batches */ select state, sum(records)::int as records from headgate.batches where tenant_id = $1 group by 1';
  expect(await rows(batches)).toEqual([{ state: 'acked', records: 4 }]);
  expect(
    await rows(
      `/* left */ select (select count(*)::int from headgate.work_items where tenant_id = $1) as work, (select count(*)::int from headgate.attempts where tenant_id = $1 and outcome is null) as attempts,
         (select chunks_in_flight::int from headgate.tenant_usage where tenant_id = $1) as chunks`,
    ),
  ).toEqual([{ work: 0, attempts: 0, chunks: 0 }]);
  expect(
    await rows(
      `/* sequence */ select count(*) - max(t.first_seq + e.ordinal) as gaps from headgate.event_transactions t
         join headgate.events e on e.tenant_id = t.tenant_id and e.transaction_id = t.transaction_id where t.tenant_id = $1`,
    ),
  ).toEqual([{ gaps: 0 }]);
}

function openPlace(): void {
  storage = temporaryStore();
  threads = createEngineThreads({
    storage: { root: storage.root, cell: 'local', masterKeys: [{ version: 1, bytes: new Uint8Array(32).fill(7) }] },
    threads: 1,
  });
  onTestFinished(() => threads.stop());
}

describe('a process that ends once', () => {
  it.each(['before', 'after'] as const)(
    '%s any call to the world loses, doubles and leaves nothing',
    async (when) => {
      openPlace();
      const calm = await runOnce();
      await check(calm);
      const { calls, undoneCalls } = calm.mortality;
      const wanted = [...calls].filter(([call]) => when === 'before' || !undoneCalls.has(call));
      const deaths = wanted.flatMap(([call, count]) =>
        Array.from({ length: polls.has(call) ? Math.min(count, pollsMax) : count }, (_, at): Death => ({ call, occurrence: at + 1, when })),
      );
      expect(deaths.length).toBeGreaterThan(when === 'before' ? 100 : 30);
      let died = 0;
      for (const death of deaths) {
        const run = await runOnce(death).catch((error: unknown) => {
          throw new Error(`${JSON.stringify(death)}: ${String(error)}`, { cause: error });
        });
        await check(run).catch((error: Error) => {
          error.message = `${JSON.stringify(death)}: ${error.message}`;
          throw error;
        });
        if (run.mortality.isDead) died += 1;
      }
      // Work that two loops share comes together differently at times.
      expect(died / deaths.length).toBeGreaterThan(0.9);
    },
    runsMsMax,
  );
});
