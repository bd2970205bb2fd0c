import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import type { NewWork, WorkItem, WorkKind } from '../../../pipeline/deliveries/work-queue-port.ts';
import { ensureTenant, type Tier } from '../../../platform/access/tenants.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { addWork, claimWork, finishWork, lockWork, releaseWork, renewOurs, renewWork } from './work-queue.ts';

const { ids } = systemPorts;
const place = { cell: 'local', region: 'local' };

let database: TestDatabase;
let names = 0;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 8 });
});
afterAll(() => database.drop());

async function newTenant(tier: Tier = 'silver'): Promise<string> {
  return await ensureTenant(database.db, ids, { ...place, name: `tenant-${++names}`, tier });
}

async function add(tenantId: string, items: readonly NewWork[]): Promise<void> {
  await withTenant(database.db, tenantId, (tx) => addWork(tx, ids, items));
}

async function addMany(tenantId: string, count: number, more: Partial<NewWork> = {}): Promise<void> {
  await add(
    tenantId,
    Array.from({ length: count }, () => ({ kind: 'chunks', referenceId: ids.next(), ...more })),
  );
}

const claim = (kind: WorkKind, limit: number, leaseMs = 60_000, workerId = ids.next()) =>
  claimWork(database.db, kind, { limit, workerId, leaseMs });

async function clear(): Promise<void> {
  await database.adminDb.query('/* clear */ delete from headgate.work_items');
  await database.adminDb.query('/* clear shares */ update headgate.tenant_shares set virtual_time = 0');
  await database.adminDb.query('/* clear clocks */ update headgate.work_clocks set virtual_time = 0');
}

/** The database's clock, moved ahead. */
async function passTime(seconds: number): Promise<void> {
  await database.adminDb.query("/* pass time */ update headgate.clock_offset set by = by + $1 * interval '1 second'", [seconds]);
}

const rowOf = async (item: WorkItem) =>
  (
    await database.adminDb.query<{ fence: number; leased: boolean; attempts: number }>(
      '/* look */ select fence, lease_until is not null as leased, attempts from headgate.work_items where work_id = $1',
      [item.workId],
    )
  ).rows[0];

describe('a claim', () => {
  it('of two at once never gives both the same item, and together they give all', async () => {
    await clear();
    const tenants = await Promise.all([newTenant(), newTenant(), newTenant()]);
    for (const tenant of tenants) await addMany(tenant, 100);
    const claimed: string[] = [];
    const worker = async () => {
      for (;;) {
        const items = await claim('chunks', 7);
        if (items.length === 0) return;
        claimed.push(...items.map((item) => item.workId));
      }
    };
    await Promise.all(Array.from({ length: 6 }, worker));
    expect(claimed.length).toBe(300);
    expect(new Set(claimed).size).toBe(300);
  });

  it('takes nothing of another kind and nothing that is not due', async () => {
    await clear();
    const tenant = await newTenant();
    await add(tenant, [
      { kind: 'check', referenceId: ids.next() },
      { kind: 'chunks', referenceId: ids.next(), delayMs: 60_000 },
    ]);
    expect(await claim('chunks', 10)).toEqual([]);
    await passTime(61);
    expect((await claim('chunks', 10)).length).toBe(1);
    expect((await claim('check', 10)).length).toBe(1);
  });

  it('goes on while a transaction holds an item, and passes it over', async () => {
    await clear();
    const tenant = await newTenant();
    await addMany(tenant, 2);
    let others: WorkItem[] = [];
    await withTenant(database.db, tenant, async (tx) => {
      await tx.query('/* hold one */ select from headgate.work_items where tenant_id = $1 order by work_id limit 1 for update', [tenant]);
      others = await claim('chunks', 10);
    });
    expect(others.length).toBe(1);
    expect((await claim('chunks', 10)).length).toBe(1);
  });
});

describe('a lease', () => {
  it('that ran out and was returned is claimed again with a higher fence, and the old holder changes nothing', async () => {
    await clear();
    const tenant = await newTenant();
    await addMany(tenant, 1);
    const [old] = await claim('chunks', 1, 1_000);
    await passTime(2);
    const expired = await database.db.query<{ work_id: string; fence: number }>('/* sweep */ select * from headgate.sweep(10)');
    expect(expired.rows).toMatchObject([{ work_id: old!.workId, fence: old!.fence }]);
    await withTenant(database.db, tenant, (tx) => releaseWork(tx, [{ ...old!, delayMs: 0 }]));
    const [taken] = await claim('chunks', 1);
    expect(taken!.workId).toBe(old!.workId);
    expect(taken!.fence).toBeGreaterThan(old!.fence);
    expect(taken!.attempts).toBe(2);
    for (const act of [
      () => withTenant(database.db, tenant, (tx) => finishWork(tx, [old!])),
      () => withTenant(database.db, tenant, (tx) => releaseWork(tx, [{ ...old!, delayMs: 0 }])),
      () => withTenant(database.db, tenant, (tx) => renewWork(tx, [old!], 60_000)),
    ]) {
      await expect(act()).rejects.toMatchObject({ code: 'E_FENCED' });
    }
    expect(await rowOf(taken!)).toMatchObject({ fence: taken!.fence, leased: true });
    await withTenant(database.db, tenant, (tx) => finishWork(tx, [taken!]));
    expect(await rowOf(taken!)).toBeUndefined();
    await expect(withTenant(database.db, tenant, (tx) => finishWork(tx, [taken!]))).rejects.toMatchObject({ code: 'E_FENCED' });
  });

  it('of an item that was ended is not one of the same that was added again, though their fences are the same', async () => {
    await clear();
    const tenant = await newTenant();
    const work: NewWork = { kind: 'close', referenceId: ids.next() };
    await add(tenant, [work]);
    const [old] = await claim('close', 1);
    await withTenant(database.db, tenant, (tx) => finishWork(tx, [old!]));
    await add(tenant, [work]);
    const [taken] = await claim('close', 1);
    expect([taken!.referenceId, taken!.fence]).toEqual([old!.referenceId, old!.fence]);
    for (const act of [
      () => withTenant(database.db, tenant, (tx) => finishWork(tx, [old!])),
      () => withTenant(database.db, tenant, (tx) => releaseWork(tx, [{ ...old!, delayMs: 0 }])),
      () => withTenant(database.db, tenant, (tx) => renewWork(tx, [old!], 60_000)),
    ]) {
      await expect(act()).rejects.toMatchObject({ code: 'E_FENCED' });
    }
    expect(await withTenant(database.db, tenant, (tx) => renewOurs(tx, [old!], 60_000))).toEqual({ renewed: new Set(), locked: new Set() });
    expect(await withTenant(database.db, tenant, (tx) => lockWork(tx, [old!]))).toEqual([]);
    await withTenant(database.db, tenant, (tx) => finishWork(tx, [taken!]));
  });

  it('of which one item was lost rolls back what was done for the others', async () => {
    await clear();
    const tenant = await newTenant();
    await addMany(tenant, 3);
    const items = await claim('chunks', 3);
    const stale = [items[0]!, { ...items[1]!, fence: items[1]!.fence - 1 }];
    await expect(withTenant(database.db, tenant, (tx) => finishWork(tx, stale))).rejects.toMatchObject({ code: 'E_FENCED' });
    expect(await rowOf(items[0]!)).toMatchObject({ leased: true });
  });

  it('that is renewed does not run out', async () => {
    await clear();
    const tenant = await newTenant();
    await addMany(tenant, 1);
    const [item] = await claim('chunks', 1, 1_000);
    await withTenant(database.db, tenant, (tx) => renewWork(tx, [item!], 60_000));
    await passTime(30);
    expect((await database.db.query('/* sweep */ select * from headgate.sweep(10)')).rows).toEqual([]);
  });

  it('is taken away when its work is added again, so that no reason to work is lost', async () => {
    await clear();
    const tenant = await newTenant();
    const work: NewWork = { kind: 'close', referenceId: ids.next() };
    await add(tenant, [work]);
    const [item] = await claim('close', 1);
    await add(tenant, [work]);
    await expect(withTenant(database.db, tenant, (tx) => finishWork(tx, [item!]))).rejects.toMatchObject({ code: 'E_FENCED' });
    expect((await claim('close', 5)).map((again) => again.workId)).toEqual([item!.workId]);
  });

  it('of another tenant cannot be touched', async () => {
    await clear();
    const [mine, theirs] = await Promise.all([newTenant(), newTenant()]);
    await addMany(theirs!, 1);
    const [item] = await claim('chunks', 1);
    await expect(withTenant(database.db, mine!, (tx) => finishWork(tx, [item!]))).rejects.toMatchObject({ code: 'E_FENCED' });
  });
});

describe('a lane', () => {
  const lane = (laneKey: string, laneOrder: number, delayMs = 0): NewWork => ({
    kind: 'deliver',
    referenceId: ids.next(),
    laneKey,
    laneOrder,
    delayMs,
  });

  it('has one item out at a time, in lane order, and other lanes do not wait', async () => {
    await clear();
    const tenant = await newTenant();
    const works = [lane('a', 2), lane('a', 1), lane('b', 5), lane('b', 4), lane('a', 3)];
    await add(tenant, works);
    const order: Record<string, string[]> = { a: [], b: [] };
    for (let round = 0; round < 3; round++) {
      const items = await claim('deliver', 10);
      expect(new Set(items.map((item) => item.laneKey)).size).toBe(items.length);
      expect(await claim('deliver', 10)).toEqual([]);
      for (const item of items) order[item.laneKey]!.push(item.referenceId);
      await withTenant(database.db, tenant, (tx) => finishWork(tx, items));
    }
    expect(order['a']).toEqual([works[1]!.referenceId, works[0]!.referenceId, works[4]!.referenceId]);
    expect(order['b']).toEqual([works[3]!.referenceId, works[2]!.referenceId]);
  });

  it('waits while its first item is not due', async () => {
    await clear();
    const tenant = await newTenant();
    await add(tenant, [lane('a', 1, 5_000), lane('a', 2)]);
    expect(await claim('deliver', 10)).toEqual([]);
    await passTime(6);
    const [first] = await claim('deliver', 10);
    await withTenant(database.db, tenant, (tx) => releaseWork(tx, [{ ...first!, delayMs: 5_000 }]));
    expect(await claim('deliver', 10)).toEqual([]);
  });

  it('of any shape is served one by one in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ laneKey: fc.constantFrom('', 'a', 'b', 'c'), laneOrder: fc.integer({ min: 0, max: 9 }) }), {
          minLength: 1,
          maxLength: 25,
        }),
        fc.integer({ min: 1, max: 6 }),
        async (shapes, limit) => {
          await clear();
          const tenant = await newTenant();
          await add(
            tenant,
            shapes.map((shape) => ({ kind: 'deliver', referenceId: ids.next(), ...shape })),
          );
          const out: WorkItem[] = [];
          const last = new Map<string, number>();
          let served = 0;
          while (served < shapes.length) {
            out.push(...(await claim('deliver', limit)));
            const busy = out.map((item) => item.laneKey).filter((key) => key !== '');
            expect(new Set(busy).size).toBe(busy.length);
            const item = out.shift();
            if (item === undefined) throw new Error('nothing was served though there is work');
            const { rows } = await database.adminDb.query<{ at: number }>(
              '/* look */ select lane_order as at from headgate.work_items where work_id = $1',
              [item.workId],
            );
            if (item.laneKey !== '') expect(rows[0]!.at).toBeGreaterThanOrEqual(last.get(item.laneKey) ?? 0);
            last.set(item.laneKey, rows[0]!.at);
            await withTenant(database.db, tenant, (tx) => finishWork(tx, [item]));
            served++;
          }
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('fairness', () => {
  /** Serves batches until nothing is left and returns whose item came at which place. */
  async function serve(batch: number, places: number): Promise<string[]> {
    const order: string[] = [];
    while (order.length < places) {
      const items = await claim('chunks', batch);
      if (items.length === 0) break;
      order.push(...items.map((item) => item.tenantId));
    }
    return order;
  }

  it('lets one item of a small tenant through at once beside ten thousand of a big one', async () => {
    await clear();
    const [big, small] = await Promise.all([newTenant(), newTenant()]);
    await addMany(big!, 10_000);
    await serve(50, 500);
    await addMany(small!, 1);
    expect((await claim('chunks', 10)).map((item) => item.tenantId)).toContain(small!);
  });

  it('gives no credit for idle time: who comes back does not shut the others out', async () => {
    await clear();
    const [steady, back] = await Promise.all([newTenant(), newTenant()]);
    await addMany(steady!, 4_000);
    await serve(100, 1_000);
    await addMany(back!, 2_000);
    const order = await serve(20, 200);
    const share = order.filter((tenant) => tenant === back).length / order.length;
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.6);
  });

  it('shares by cost: who asks for dear work gets fewer items', async () => {
    await clear();
    const [dear, cheap] = await Promise.all([newTenant(), newTenant()]);
    await addMany(dear!, 200, { cost: 4 });
    await addMany(cheap!, 800);
    const order = await serve(25, 250);
    const items = order.filter((tenant) => tenant === dear).length;
    expect(items).toBeGreaterThan(40);
    expect(items).toBeLessThan(60);
  });

  it('shares by weight: gold gets four times what bronze gets', async () => {
    await clear();
    const [gold, bronze] = await Promise.all([newTenant('gold'), newTenant('bronze')]);
    await addMany(gold!, 1_000);
    await addMany(bronze!, 1_000);
    const order = await serve(25, 250);
    expect(order.filter((tenant) => tenant === gold).length).toBeGreaterThan(190);
    expect(order.filter((tenant) => tenant === bronze).length).toBeGreaterThan(40);
  });

  it('serves each of a thousand tenants before any is served often', async () => {
    await clear();
    const tenants = await database.adminDb.query<{ id: string }>(
      "/* make tenants */ select headgate.ensure_tenant(u::uuid, 'many-' || i, 'silver', 'local', 'local') as id from unnest($1::text[]) with ordinality as x (u, i)",
      [Array.from({ length: 1_000 }, () => ids.next())],
    );
    const big = tenants.rows[0]!.id;
    await database.adminDb.query(
      `/* plant work */ insert into headgate.work_items (tenant_id, work_id, kind, reference_id, due_at)
       select t::uuid, w::uuid, 'chunks', w::uuid, headgate.clock() from unnest($1::text[], $2::text[]) as x (t, w)`,
      [
        [...tenants.rows.flatMap(({ id }) => [id, id]), ...Array.from({ length: 10_000 }, () => big)],
        Array.from({ length: 12_000 }, () => ids.next()),
      ],
    );
    const order = await serve(200, 2_000);
    const counts = new Map<string, number>();
    for (const tenant of order) counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
    expect(counts.size).toBe(1_000);
    expect(counts.get(big)).toBeLessThan(12);
  });
});
