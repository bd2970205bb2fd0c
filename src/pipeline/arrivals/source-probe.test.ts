import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFence } from '../../../test/support/open-fence.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { createWorld, noBlobs, noSftp } from './arrivals.fixture.ts';
import { probeSource } from './source-probe.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('a probe says how many files lie there, and how many of them the source takes by their names', async () => {
  const world = await createWorld(database);
  world.settings.source = { ...world.settings.source, match: '*.csv', afterwards: 'mark', mark: '.taken' };
  const parts = { folders: openFence, sftp: noSftp, blobs: noBlobs, ports: systemPorts };
  const probe = async () => (await probeSource(parts, { key: 'probe', flow: world.flow, source: world.settings.source }, 10_000)).message;
  world.put('a.csv.taken', 'x');
  world.put('readme.txt', 'x');
  expect(await probe()).toBe('the place can be listed and holds 2 files, of which the source takes none by their names');
  world.put('b.csv', 'x');
  expect(await probe()).toBe('the place can be listed and holds 3 files, of which the source takes 1 by their names');
});
