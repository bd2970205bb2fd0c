import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { createWorld, type World } from './arrivals.fixture.ts';

let database: TestDatabase;
let world: World;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  world = await createWorld(database);
});

const set = (source: Partial<World['settings']['source']>) => {
  world.settings.source = { ...world.settings.source, ...source };
};

it('a source that leaves files knows them again after they were away, though duplicates are taken, and takes what was written anew', async () => {
  set({ afterwards: 'leave' });
  world.settings.duplicates = { ...world.settings.duplicates, onDuplicate: 'accept' };
  world.put('a.csv', 'x,1.00\n');
  world.put('b.csv', 'x,2.00\n');
  await world.poll();
  for (const name of ['a.csv', 'b.csv']) {
    renameSync(world.folder, `${world.folder}-away`);
    mkdirSync(world.folder);
    await world.poll();
    expect((await world.arrivals()).map(({ released }) => released)).toEqual([true, true]);
    rmSync(world.folder, { recursive: true });
    renameSync(`${world.folder}-away`, world.folder);
    expect((await world.poll()).verdicts.accepted).toBe(0);
    expect((await world.arrivals()).map(({ released }) => released)).toEqual([false, false]);
    set({ match: name });
    await world.poll();
    set({ match: '*' });
    expect((await world.poll()).verdicts.accepted).toBe(0);
  }
  expect(await world.jobs()).toBe(2);
  rmSync(join(world.folder, 'a.csv'));
  await world.poll();
  world.put('a.csv', 'x,1.00\n');
  expect((await world.poll()).verdicts.accepted).toBe(1);
});
