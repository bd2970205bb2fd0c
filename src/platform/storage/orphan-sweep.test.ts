import { describe, expect, test } from 'vitest';
import { temporaryStore } from '../../../test/support/temporary-store.ts';
import { createOrphanSweep, type OrphanSweepSettings } from './orphan-sweep.ts';

function steppedClock() {
  let nowMs = 0;
  return { clock: { nowMs: () => 0, monotonicMs: () => nowMs }, step: (ms: number) => (nowMs += ms) };
}

function store(fixture: ReturnType<typeof temporaryStore>, text: string): string {
  const writer = fixture.store.create({ tenantId: fixture.tenantId, objectId: fixture.ids.next(), kind: 'output' });
  writer.write(Buffer.from(text));
  return writer.commit().name;
}

/** Nobody else is at work. */
function asking(isReferenced: OrphanSweepSettings['isReferenced']) {
  return {
    isReferenced,
    mayWait: () => false,
    async removeUnnamed(names: readonly string[], remove: (name: string) => void) {
      const named = await isReferenced(names);
      for (const name of names) if (!named.has(name)) remove(name);
    },
  };
}

describe('the orphan sweep', () => {
  test('removes an object that no row names after the grace, and not before', async () => {
    const fixture = temporaryStore();
    const { clock, step } = steppedClock();
    const [kept, orphan] = [store(fixture, 'kept'), store(fixture, 'orphan')];
    const sweep = createOrphanSweep({
      raw: fixture.raw,
      clock,
      graceMs: 1000,
      ...asking(async (names) => new Set(names.filter((name) => name === kept))),
    });
    expect(await sweep.sweep()).toMatchObject({ seen: 2, suspected: 1, removedObjects: 0 });
    step(999);
    expect(await sweep.sweep()).toMatchObject({ removedObjects: 0 });
    step(1);
    expect(await sweep.sweep()).toMatchObject({ removedObjects: 1, suspected: 0 });
    expect([fixture.raw.exists(kept), fixture.raw.exists(orphan)]).toEqual([true, false]);
  });

  test('an object named by a row meanwhile is no longer under suspicion', async () => {
    const fixture = temporaryStore();
    const { clock, step } = steppedClock();
    const late = store(fixture, 'late');
    let isNamed = false;
    const sweep = createOrphanSweep({ raw: fixture.raw, clock, graceMs: 10, ...asking(async () => new Set(isNamed ? [late] : [])) });
    await sweep.sweep();
    step(20);
    isNamed = true;
    await sweep.sweep();
    isNamed = false;
    expect(await sweep.sweep()).toMatchObject({ suspected: 1, removedObjects: 0 });
  });

  test('an object whose row may come late is under suspicion once it may not', async () => {
    const fixture = temporaryStore();
    const { clock, step } = steppedClock();
    const member = store(fixture, 'a member of an archive that still comes');
    let isLate = true;
    const mayWait = ({ name }: { name: string }) => isLate && name === member;
    const sweep = createOrphanSweep({ raw: fixture.raw, clock, graceMs: 10, ...asking(async () => new Set()), mayWait });
    await sweep.sweep();
    step(10);
    expect(await sweep.sweep()).toMatchObject({ seen: 1, suspected: 0, removedObjects: 0 });
    isLate = false;
    expect(await sweep.sweep()).toMatchObject({ suspected: 1, removedObjects: 0 });
    step(10);
    expect(await sweep.sweep()).toMatchObject({ removedObjects: 1 });
  });

  test('an object that is named right before it is removed stays', async () => {
    const fixture = temporaryStore();
    const { clock, step } = steppedClock();
    const late = store(fixture, 'late');
    const removeUnnamed = async () => {};
    const sweep = createOrphanSweep({ raw: fixture.raw, clock, graceMs: 10, ...asking(async () => new Set()), removeUnnamed });
    await sweep.sweep();
    step(10);
    expect(await sweep.sweep()).toMatchObject({ removedObjects: 0, removedBytes: 0 });
    expect(fixture.raw.exists(late)).toBe(true);
  });

  test('an unfinished object goes when it has not grown for the grace', async () => {
    const fixture = temporaryStore();
    const { clock, step } = steppedClock();
    const sweep = createOrphanSweep({ raw: fixture.raw, clock, graceMs: 10, ...asking(async () => new Set()) });
    fixture.raw.create('local/stale').write(Buffer.from('stale'));
    const growing = fixture.raw.create('local/growing');
    growing.write(Buffer.from('a'));
    await sweep.sweep();
    step(10);
    growing.write(Buffer.from('b'));
    expect(await sweep.sweep()).toMatchObject({ removedUnfinished: 1 });
    growing.commit();
    expect(fixture.raw.exists('local/growing')).toBe(true);
  });

  test('a failing question removes nothing', async () => {
    const fixture = temporaryStore();
    const { clock, step } = steppedClock();
    const orphan = store(fixture, 'orphan');
    let isDown = false;
    const sweep = createOrphanSweep({
      raw: fixture.raw,
      clock,
      graceMs: 10,
      ...asking(async () => {
        if (isDown) throw new Error('the database is down');
        return new Set();
      }),
    });
    await sweep.sweep();
    step(10);
    isDown = true;
    await expect(sweep.sweep()).rejects.toThrow('down');
    expect(fixture.raw.exists(orphan)).toBe(true);
  });

  test('questions are asked in batches', async () => {
    const fixture = temporaryStore();
    const { clock } = steppedClock();
    for (let at = 0; at < 1001; at++) {
      const writer = fixture.raw.create(`local/o${at}`);
      writer.commit();
    }
    const sizes: number[] = [];
    const isReferenced = async (names: readonly string[]) => {
      sizes.push(names.length);
      return new Set(names);
    };
    await createOrphanSweep({ raw: fixture.raw, clock, graceMs: 10, ...asking(isReferenced) }).sweep();
    expect(sizes).toEqual([1000, 1]);
  });
});
