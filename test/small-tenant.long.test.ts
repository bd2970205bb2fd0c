/** I16: how long a small tenant waits beside one that floods, counted in turns of the flooding one and not in seconds. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { targetPlan } from '../src/pipeline/engine/plans.fixture.ts';
import { until } from './support/delivery-scenario.ts';
import { simplePlan } from './support/job-facts.ts';
import { createJobScenario, type JobScenario } from './support/job-scenario.ts';
import { createTestDatabase, type TestDatabase } from './support/postgres.ts';

const chunks = 160;
/** What a worker with one thread has in hand: one chunk under way and one waiting. */
const chunksInHand = 2;
/** What the loop of deliveries has in hand. */
const batchesInHand = 128;

let database: TestDatabase;
let running: JobScenario[] = [];
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 12 });
});
afterEach(async () => {
  for (const scenario of running) await scenario.stopAll();
  running = [];
  // What is left of the line is nobody's any more.
  await database.adminDb.query('/* clear */ delete from headgate.work_items');
});
afterAll(() => database.drop());

/** A flooding tenant and a small one, whose files one set of loops works on. */
async function twoTenants(plan: Parameters<typeof createJobScenario>[0]['plan'], chunkBytes = 24) {
  const flooding = await createJobScenario({ database, plan, chunkBytes });
  const small = await createJobScenario({ database, plan, beside: flooding.storage });
  running = [flooding, small];
  return { flooding, small };
}

/** One record in each chunk. */
const bigFile = (count: number) => Array.from({ length: count }, (_, at) => `p${String(at).padStart(8, '0')},1000.00,ZAR\n`).join('');

const clock = async (of: JobScenario) =>
  (await of.rows<{ at: string }>('/* clock */ select headgate.clock()::text as at where $1 = headgate.tenant()'))[0]!.at;

/** Things of the flooding tenant that ended between the instant `begins` and the end of the small tenant's last one. */
async function turnsBetween(
  flooding: JobScenario,
  small: JobScenario,
  { from, of, begins }: { readonly from: string; readonly of: string; readonly begins: string },
): Promise<number> {
  const [own] = await small.rows<{ ended: string }>(
    `/* own */ select (select max(${of}) from ${from} where tenant_id = $1)::text as ended`,
  );
  const [found] = await flooding.rows<{ turns: number }>(
    `/* turns */ select count(*)::integer as turns from ${from} where tenant_id = $1 and ${of} between $2::timestamptz and $3::timestamptz`,
    [begins, own!.ended],
  );
  return found!.turns;
}

describe('a small tenant beside one that floods', () => {
  it('waits for what is in hand and one more claim, not for the line, when its file is processed', async () => {
    const { flooding, small } = await twoTenants(simplePlan());
    await flooding.accept([bigFile(chunks)]);
    flooding.startWorker();
    for (let file = 1; file <= 5; file++) {
      const done = async () => Number((await flooding.jobs())[0]!.chunksDone);
      await until(async () => (await done()) >= file * 12, 'the flooding tenant was not served');
      expect(await done()).toBeLessThan(chunks - 60);
      await small.accept([`s${file},1.00,ZAR\n`]);
      const begins = await clock(small);
      await until(async () => (await small.jobs()).every(({ chunksDone }) => chunksDone === 1), 'the small tenant was not served');
      expect(await turnsBetween(flooding, small, { of: 'done_at', from: 'headgate.chunks', begins })).toBeLessThanOrEqual(2 * chunksInHand);
    }
  });

  it('waits for what is in hand and one more claim when its records are delivered', async () => {
    const plan = simplePlan({ targets: [targetPlan('all', undefined, { batchRecords: 1 })] });
    const { flooding, small } = await twoTenants(plan, 1_000_000);
    const batches = 1_000;
    await flooding.accept([bigFile(batches)]);
    flooding.startWorker();
    flooding.startRescuer();
    const batchesOf = (of: JobScenario, state: string) =>
      of.rows<{ count: number }>(
        '/* batches */ select count(*)::integer as count from headgate.batches where tenant_id = $1 and state = $2',
        [state],
      );
    await until(async () => (await batchesOf(flooding, 'ready'))[0]!.count === batches, 'the batches were not cut');
    flooding.startDeliveries();
    await until(async () => (await batchesOf(flooding, 'acked'))[0]!.count > 100, 'the flooding tenant was not served');
    await small.accept(['s1,1.00,ZAR\n']);
    flooding.services.signals.deliver.notify();
    await until(async () => (await batchesOf(small, 'acked'))[0]!.count === 1, 'the small tenant was not served');
    const ready = (await batchesOf(flooding, 'ready'))[0]!.count;
    const [cut] = await small.rows<{ at: string }>(
      '/* cut */ select max(created_at)::text as at from headgate.batches where tenant_id = $1',
    );
    const turns = await turnsBetween(flooding, small, { of: 'changed_at', from: 'headgate.batches', begins: cut!.at });
    expect(turns).toBeLessThanOrEqual(2 * batchesInHand);
    expect(ready, 'there was a line to wait in').toBeGreaterThan(2 * batchesInHand);
  });
});
