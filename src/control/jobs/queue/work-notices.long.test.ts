import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { seededNumbers } from '../../../main/demo/demo-files.ts';
import type { NewWork } from '../../../pipeline/deliveries/work-queue-port.ts';
import { ensureTenant } from '../../../platform/access/tenants.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { addWork, claimWork, finishWork, releaseWork } from './work-queue.ts';

const { ids } = systemPorts;
let database: TestDatabase;
let names = 0;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 16 });
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.adminDb.query('/* clear */ delete from headgate.work_items');
});

const newTenant = () => ensureTenant(database.db, ids, { cell: 'local', region: 'local', name: `tenant-${++names}`, tier: 'silver' });
const work = (more: Partial<NewWork> = {}): NewWork => ({ kind: 'deliver', referenceId: ids.next(), ...more });
const add = (tenantId: string, items: readonly NewWork[]) => withTenant(database.db, tenantId, (tx) => addWork(tx, ids, items));
const claim = (limit: number) => claimWork(database.db, 'deliver', { limit, workerId: ids.next(), leaseMs: 600_000 });
const references = (items: readonly { readonly referenceId: string }[]) => items.map(({ referenceId }) => referenceId).sort();

async function passTime(seconds: number): Promise<void> {
  await database.adminDb.query("/* pass time */ update headgate.clock_offset set by = by + $1 * interval '1 second'", [seconds]);
}

/** Pages that a claim reads. */
async function pagesOfClaim(limit: number): Promise<number> {
  const { rows } = await database.adminDb.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
    `/* pages */ explain (analyze, buffers, format json) select from headgate.claim_work('deliver', ${limit}, '${ids.next()}', 600000)`,
  );
  const { Plan: plan } = rows[0]!['QUERY PLAN'][0];
  return plan['Shared Hit Blocks']! + plan['Shared Read Blocks']!;
}

/** Over some claims in a row: one of them also tidies a page, or looks past rows that ended since. */
async function fewestPagesOfClaims(): Promise<number> {
  const pages: number[] = [];
  for (let round = 0; round < 8; round++) pages.push(await pagesOfClaim(1));
  return Math.min(...pages);
}

async function inOpenTransaction(
  tenantId: string,
  act: Parameters<typeof withTenant<void>>[2],
  meanwhile: () => Promise<void>,
): Promise<void> {
  const acted = Promise.withResolvers<void>();
  const commit = Promise.withResolvers<void>();
  const open = withTenant(database.db, tenantId, async (tx) => {
    await act(tx);
    acted.resolve();
    await commit.promise;
  });
  await Promise.race([acted.promise, open]);
  try {
    await meanwhile();
  } finally {
    commit.resolve();
    await open;
  }
}

describe('work that a transaction commits after a claim looked is found by the next one', () => {
  it.each([
    ['of a tenant that had nothing', 0],
    ['of a tenant whose last item was claimed meanwhile', 1],
  ])('%s', async (_what, before) => {
    const tenant = await newTenant();
    const late = work();
    if (before > 0) await add(tenant, [work()]);
    await inOpenTransaction(
      tenant,
      (tx) => addWork(tx, ids, [late]),
      async () => {
        expect((await claim(10)).length).toBe(before);
        expect(await claim(10)).toEqual([]);
      },
    );
    expect(references(await claim(10))).toEqual([late.referenceId]);
  });

  it('that was returned', async () => {
    const tenant = await newTenant();
    await add(tenant, [work()]);
    const [item] = await claim(10);
    await inOpenTransaction(
      tenant,
      (tx) => releaseWork(tx, [{ ...item!, delayMs: 0 }]),
      async () => expect(await claim(10)).toEqual([]),
    );
    expect(references(await claim(10))).toEqual([item!.referenceId]);
  });

  it('that stood in its lane behind what ended', async () => {
    const tenant = await newTenant();
    const [first, second] = [work({ laneKey: 'a', laneOrder: 1 }), work({ laneKey: 'a', laneOrder: 2 })];
    await add(tenant, [first]);
    const [item] = await claim(10);
    await inOpenTransaction(
      tenant,
      (tx) => finishWork(tx, [item!]),
      async () => {
        await add(tenant, [second]);
        expect(await claim(10)).toEqual([]);
      },
    );
    expect(references(await claim(10))).toEqual([second.referenceId]);
  });

  it('that is due before what a claim saw last', async () => {
    const tenant = await newTenant();
    const [soon, late] = [work(), work({ delayMs: 60_000 })];
    await inOpenTransaction(
      tenant,
      (tx) => addWork(tx, ids, [soon]),
      async () => {
        await add(tenant, [late]);
        expect(await claim(10)).toEqual([]);
      },
    );
    expect(references(await claim(10))).toEqual([soon.referenceId]);
    await passTime(61);
    expect(references(await claim(10))).toEqual([late.referenceId]);
  });
});

it('leaves nothing unclaimed, whatever adds, claims, ends, returns and rolls back at once', async () => {
  const tenants = await Promise.all(Array.from({ length: 30 }, newTenant));
  const added: string[] = [];
  const ended: string[] = [];
  const undo = new Error('undo');
  let adding = 8;
  async function adder(seed: number): Promise<void> {
    const draw = seededNumbers(seed);
    for (let round = 0; round < 25; round++) {
      const items = Array.from({ length: 1 + draw.below(6) }, () =>
        work({ laneKey: draw.below(3) === 0 ? `lane-${draw.below(3)}` : '', laneOrder: draw.below(50), cost: 1 + draw.below(5) }),
      );
      const isUndone = draw.below(5) === 0;
      await withTenant(database.db, tenants[draw.below(tenants.length)]!, async (tx) => {
        await addWork(tx, ids, items);
        if (draw.below(3) === 0) await tx.query('/* stay open */ select pg_sleep(0.01)');
        if (isUndone) throw undo;
      }).catch((error: unknown) => {
        if (error !== undo) throw error;
      });
      if (!isUndone) added.push(...references(items));
    }
    adding--;
  }
  async function worker(seed: number): Promise<void> {
    const draw = seededNumbers(seed);
    for (let idle = 0; idle < 3; ) {
      const isLast = adding === 0;
      const items = await claim(1 + draw.below(12));
      if (items.length === 0 && isLast) idle++;
      for (const [tenantId, own] of Map.groupBy(items, (item) => item.tenantId)) {
        const done = own.filter(() => draw.below(4) > 0);
        await withTenant(database.db, tenantId, async (tx) => {
          await finishWork(tx, done);
          if (draw.below(6) === 0) throw undo;
        }).then(
          () => ended.push(...references(done)),
          async (error: unknown) => {
            if (error !== undo) throw error;
            await withTenant(database.db, tenantId, (tx) =>
              releaseWork(
                tx,
                done.map((item) => ({ ...item, delayMs: 0 })),
              ),
            );
          },
        );
        const again = own.filter((item) => !done.includes(item)).map((item) => ({ ...item, delayMs: 0 }));
        await withTenant(database.db, tenantId, (tx) => releaseWork(tx, again));
      }
    }
  }
  await Promise.all([
    ...Array.from({ length: 8 }, (_, seed) => adder(seed + 1)),
    ...Array.from({ length: 5 }, (_, seed) => worker(seed + 100)),
  ]);
  // A worker may stop while another one still returns something: the last ones empty the queue.
  await worker(999);
  expect(ended.sort()).toEqual(added.sort());
  const { rowCount } = await database.adminDb.query('/* left over */ select from headgate.work_items');
  expect(rowCount).toBe(0);
});

describe('the line of tenants', () => {
  it('has those with something to claim, and no others', async () => {
    const [free, delayed, blocked, withdrawn] = await Promise.all([newTenant(), newTenant(), newTenant(), newTenant()]);
    await add(free!, [work(), work()]);
    await add(delayed!, [work({ delayMs: 60_000 })]);
    await add(withdrawn!, [work()]);
    await add(blocked!, [work({ laneKey: 'a', laneOrder: 1 }), work({ laneKey: 'a', laneOrder: 2 })]);
    expect((await claim(3)).length).toBe(3);
    await database.adminDb.query('/* withdraw */ delete from headgate.work_items where tenant_id = $1', [withdrawn]);
    await claim(1);
    const { rows } = await database.adminDb.query<{ id: string; isInLine: boolean; isWaiting: boolean }>(
      `/* line */ select tenant_id as id, in_line as "isInLine", due_at is not null as "isWaiting" from headgate.tenant_shares
       where kind = 'deliver' and (in_line or due_at is not null)`,
    );
    expect(rows).toEqual([{ id: delayed!, isInLine: false, isWaiting: true }]);
    expect((await database.adminDb.query('/* notices */ select from headgate.work_notices where kind = $1', ['deliver'])).rowCount).toBe(0);
  });

  it('is not read to its end by a claim, nor is who waits', async () => {
    const tenant = await newTenant();
    await add(
      tenant,
      Array.from({ length: 20 }, () => work()),
    );
    const alone = await fewestPagesOfClaims();
    // So many that no plan reads all of them at less cost than a few by their index.
    for (let at = 0; at < 1_200; at += 8)
      await Promise.all(
        Array.from({ length: 8 }, async (_, more) => add(await newTenant(), [more % 2 === 0 ? work() : work({ delayMs: 60_000 })])),
      );
    // Each claim takes some of those that are due by now into the line.
    await fewestPagesOfClaims();
    await database.adminDb.query('/* as it does by itself in time */ vacuum (analyze) headgate.work_notices, headgate.tenant_shares');
    expect(await fewestPagesOfClaims()).toBeLessThan(2 * alone + 20);
  });
});
