import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type MemorySftp, startMemorySftp } from '../../../../test/support/memory-sftp.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { createSftpWorld, hastyPorts, type SftpWorld } from './sftp-world.fixture.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');

async function start(ports = systemPorts): Promise<{ server: MemorySftp; world: SftpWorld }> {
  const server = await startMemorySftp();
  onTestFinished(() => server.close());
  const world = await createSftpWorld(database, server, ports);
  writeFileSync(world.secretFile, 'right');
  world.setServer({ privateKey: null, password: `file:${world.secretFile}` });
  world.settings.source = { ...world.settings.source, root: '/', path: 'in' };
  return { server, world };
}

describe('a password', () => {
  it('lets in, is refused when it is wrong, never shown, and read again when it was exchanged', async () => {
    const { server, world } = await start();
    server.files.set('a.csv', Buffer.from('x,1.00\n'));
    expect((await world.poll()).verdicts.accepted).toBe(1);
    server.behaviour.password = 'exchanged';
    writeFileSync(world.secretFile, 'wrong-hunter2');
    const failure = await world.poll().catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'E_SOURCE_CREDENTIALS' });
    expect(JSON.stringify([failure, (failure as Error).message, String((failure as Error).cause)])).not.toContain('hunter2');
    writeFileSync(world.secretFile, 'exchanged');
    server.files.set('b.csv', Buffer.from('x,2.00\n'));
    expect((await world.poll()).verdicts.accepted).toBe(1);
    expect([...server.files.keys()]).toEqual(['.headgate-done/a.csv', '.headgate-done/b.csv']);
  });
});

describe('a server', () => {
  it('that drops connections within a big file is asked for what is missing only, with few bytes twice', async () => {
    const { server, world } = await start();
    const content = Buffer.alloc(9_000_001, 'abcdefghi,1.00\n');
    server.files.set('big.csv', content);
    server.behaviour.dropsAfterReads = [20, 15];
    expect((await world.poll()).verdicts.accepted).toBe(1);
    expect((await world.files())[0]!.sha256).toBe(sha256(content));
    expect(server.entered).toBe(3);
    expect(server.offsets.filter((offset) => offset === 0)).toHaveLength(1);
    // 35 pieces and one behind the end, and what was under way at two ends.
    expect(server.offsets.length).toBeLessThan(36 + 2 * 17);
  });

  it('that answers with fewer bytes than asked for gives the same file', async () => {
    const { server, world } = await start();
    const content = Buffer.alloc(1_000_003, 'abcdefghi,1.00\n');
    server.files.set('a.csv', content);
    server.behaviour.readBytesMax = 30_000;
    expect((await world.poll()).verdicts.accepted).toBe(1);
    expect((await world.files())[0]!.sha256).toBe(sha256(content));
  });

  it('that drops each connection is given up for this poll, and what was read before is accepted', async () => {
    const { server, world } = await start();
    server.files.set('a.csv', Buffer.from('x,1.00\n'));
    server.files.set('b.csv', Buffer.alloc(9_000_000, 'abcdefghi,1.00\n'));
    server.behaviour.dropsAfterReads = [4, ...Array.from({ length: 20 }, () => 0)];
    await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_LOST' });
    expect((await world.arrivals()).map(({ name, state }) => [name, state])).toEqual([
      ['a.csv', 'accepted'],
      ['b.csv', 'complete'],
    ]);
    server.behaviour.dropsAfterReads = [];
    expect((await world.poll()).verdicts.accepted).toBe(1);
    expect(await world.jobs()).toBe(2);
  });

  it('that falls silent is left after a while, and used again when it answers', async () => {
    const { server, world } = await start(hastyPorts);
    server.files.set('a.csv', Buffer.from('x,1.00\n'));
    server.behaviour.isSilent = true;
    await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_TIMEOUT' });
    server.behaviour.isSilent = false;
    expect((await world.poll()).verdicts.accepted).toBe(1);
  });

  it.each([['../../etc/x.csv'], ['a/b.csv'], ['/etc/passwd'], [''], ['n'.repeat(600)]])(
    'that lists the name %j is believed nothing',
    async (name) => {
      const { server, world } = await start();
      server.files.set('a.csv', Buffer.from('x,1.00\n'));
      server.behaviour.listed = [name];
      await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_ANSWER' });
      expect([...server.files.keys()]).toEqual(['a.csv']);
      expect(await world.arrivals()).toEqual([]);
    },
  );

  it('that lists a name with NUL is left that file, which is told, and gives the others', async () => {
    const { server, world } = await start();
    server.files.set('a.csv', Buffer.from('x,1.00\n'));
    server.behaviour.listed = ['nul\0x.csv'];
    const passedOver: number[] = [];
    expect((await world.poll({ onPassedOver: (_lease, files) => void passedOver.push(files) })).verdicts.accepted).toBe(1);
    expect(passedOver).toEqual([1]);
    expect((await world.arrivals()).map(({ name }) => name)).toEqual(['a.csv']);
  });

  it.each([
    ['mark', '.taken', (_id: string): string => 'a.csv.taken'],
    ['move', null, (_id: string): string => '.headgate-done/a.csv'],
    ['delete', null, (id: string): string => `.headgate-done/${id}`],
  ] as const)(
    'whose file is replaced twice while a source will %s it keeps the one between, which is told',
    async (afterwards, mark, placeOf) => {
      const { server, world } = await start();
      world.settings.source = { ...world.settings.source, afterwards, mark };
      const content = (count: number) => Buffer.from('x,1.00\n'.repeat(count));
      server.files.set('a.csv', content(1));
      server.behaviour.onRename = (moment) => void server.files.set('a.csv', content(moment === 'before' ? 2 : 3));
      const misplaced: string[] = [];
      const poll = () => world.poll({ onMisplaced: (_lease, arrivalId) => void misplaced.push(arrivalId) });
      expect((await poll()).verdicts.accepted).toBe(1);
      const [first] = await world.arrivalIds();
      expect(misplaced).toEqual([first]);
      expect(server.files.get(placeOf(first!))).toEqual(content(2));
      server.behaviour.onRename = () => {};
      expect((await poll()).verdicts.accepted).toBe(1);
      expect(misplaced).toHaveLength(1);
      expect((await world.files()).map(({ sha256: hash }) => hash)).toEqual([sha256(content(1)), sha256(content(3))]);
    },
  );

  it('that lists a file twice, and renames one between the listing and the read, gives each once', async () => {
    const { server, world } = await start();
    server.files.set('a.csv', Buffer.from('x,1.00\n'));
    server.files.set('b.csv', Buffer.from('y,2.00\n'));
    server.behaviour.listed = ['b.csv'];
    let isListed = false;
    server.behaviour.onLook = () => {
      if (isListed || !server.files.has('a.csv')) return;
      isListed = true;
      server.files.set('c.csv', server.files.get('a.csv')!);
      server.files.delete('a.csv');
    };
    await world.poll();
    expect(isListed).toBe(true);
    server.behaviour.listed = [];
    while (server.files.has('b.csv') || server.files.has('c.csv')) await world.poll();
    expect((await world.arrivals()).map(({ name, state }) => [name, state])).toEqual([
      ['a.csv', 'vanished'],
      ['b.csv', 'accepted'],
      ['c.csv', 'accepted'],
    ]);
    expect(await world.jobs()).toBe(2);
  });

  it.each([
    ['mark', '.taken', ['a.csv.taken']],
    ['move', null, ['.headgate-done/a.csv']],
    ['delete', null, []],
  ] as const)(
    'that says it renamed a file and did not, where a source will %s it, is told of, and gives it once',
    async (afterwards, mark, left) => {
      const { server, world } = await start();
      world.settings.source = { ...world.settings.source, afterwards, mark };
      server.files.set('a.csv', Buffer.from('x,1.00\n'));
      server.behaviour.renamesNothing = true;
      for (let poll = 0; poll < 2; poll++) await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_ANSWER' });
      server.behaviour.renamesNothing = false;
      await world.poll();
      expect((await world.arrivals()).map(({ name, state }) => [name, state])).toEqual([['a.csv', 'accepted']]);
      expect([...server.files.keys()]).toEqual(left);
    },
  );

  it('that takes connections and never says a word is not reachable in time', async () => {
    const { world } = await start(hastyPorts);
    const mute = createServer(() => {}).listen(0, '127.0.0.1');
    onTestFinished(() => void mute.close());
    await new Promise((resolve) => mute.once('listening', resolve));
    world.setServer({ port: (mute.address() as { port: number }).port });
    await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_TIMEOUT' });
  });

  it.each([
    ['lines', 'welcome\r\n'],
    ['one line', 'welcome '],
  ])('that greets with %s without end is left, and its connection with it (A18)', async (_what, text) => {
    const { world } = await start(hastyPorts);
    const greeting = Buffer.alloc(64 * 1024, text);
    let open = 0;
    const flood = createServer((socket) => {
      open += 1;
      socket.on('close', () => (open -= 1));
      const pour = () => {
        while (socket.writable && socket.write(greeting));
      };
      socket.on('drain', pour).on('error', () => {});
      pour();
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void flood.close());
    await new Promise((resolve) => flood.once('listening', resolve));
    world.setServer({ port: (flood.address() as { port: number }).port });
    await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_UNREACHABLE' });
    await vi.waitUntil(() => open === 0, 60_000);
  });

  it('that speaks something else is not connected to', async () => {
    const { world } = await start();
    const web = createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
    onTestFinished(() => void web.close());
    await new Promise((resolve) => web.once('listening', resolve));
    world.setServer({ port: (web.address() as { port: number }).port });
    await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_UNREACHABLE' });
  });
});
