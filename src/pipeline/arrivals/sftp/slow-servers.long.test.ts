import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startMemorySftp } from '../../../../test/support/memory-sftp.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { createSftpWorld } from './sftp-world.fixture.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** The clock goes on when the server says so, by what an answer of it takes. */
async function start() {
  let leapt = 0;
  const ports = { ...systemPorts, clock: { ...systemPorts.clock, monotonicMs: () => systemPorts.clock.monotonicMs() + leapt } };
  const server = await startMemorySftp();
  onTestFinished(() => server.close());
  const world = await createSftpWorld(database, server, ports);
  writeFileSync(world.secretFile, 'right');
  world.setServer({ privateKey: null, password: `file:${world.secretFile}` });
  world.settings.source = { ...world.settings.source, root: '/', path: 'in' };
  return { server, world, leap: (ms: number) => void (leapt += ms), leapt: () => leapt };
}

it.each([
  ['nothing', []],
  ['the two dots', ['.', '..']],
])('a server that lists %s, for ever, is left, and used again when it ends its list', async (_what, names) => {
  const { server, world } = await start();
  let answers = 0;
  server.behaviour.listsOn = () => {
    answers += 1;
    return names;
  };
  await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_ANSWER' });
  expect(answers).toBeLessThan(100);
  server.behaviour.listsOn = null;
  server.files.set('a.csv', Buffer.from('x,1.00\n'));
  expect((await world.poll()).verdicts.accepted).toBe(1);
});

it('a server that lists one name at a time, slowly, is left after five minutes', async () => {
  const { server, world, leap, leapt } = await start();
  let lastName = 0;
  server.behaviour.listsOn = () => {
    leap(2_000);
    return [`${++lastName}.csv`];
  };
  await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_TIMEOUT' });
  expect(leapt()).toBeGreaterThan(300_000);
  expect(leapt()).toBeLessThan(320_000);
  expect(await world.arrivals()).toEqual([]);
});

it('a server that tells of each file by itself, slowly, is left after ten minutes', async () => {
  const { server, world, leap, leapt } = await start();
  for (let index = 0; index < 100; index++) server.files.set(`${index}.csv`, Buffer.from('x,1.00\n'));
  server.behaviour.listsNamesOnly = true;
  server.behaviour.onLook = () => leap(10_000);
  await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_TIMEOUT' });
  expect(leapt()).toBeLessThan(800_000);
});

it('a server that gives a file byte by byte is left after two minutes, and the file is read whole when it comes', async () => {
  const { server, world, leap } = await start();
  const content = Buffer.alloc(2_000_003, 'abcdefghi,1.00\n');
  server.files.set('a.csv', content);
  server.behaviour.readBytesMax = 1;
  server.behaviour.onRead = () => leap(13_000);
  await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_TIMEOUT' });
  expect(server.entered).toBe(1);
  expect(server.offsets.length).toBeLessThan(40);
  server.behaviour.readBytesMax = 2 ** 20;
  server.behaviour.onRead = () => {};
  expect((await world.poll()).verdicts.accepted).toBe(1);
  expect((await world.files())[0]!.sha256).toBe(createHash('sha256').update(content).digest('hex'));
});

it('a server that takes two seconds for each read of a hundred small files is not too slow', async () => {
  const { server, world, leap, leapt } = await start();
  for (let index = 0; index < 100; index++) server.files.set(`${index}.csv`, Buffer.from(`x,${index}.00\n`));
  server.behaviour.onRead = () => leap(2_000);
  expect((await world.poll()).verdicts.accepted).toBe(100);
  // How many reads find the end of a file depends on how they overlap.
  expect(leapt()).toBeGreaterThanOrEqual(400_000);
});
