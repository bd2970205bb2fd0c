import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { hasComponent, itWith } from '../../../../test/support/components.ts';
import { type Gnupg, startGnupg } from '../../../../test/support/gnupg.ts';
import { pack } from '../../../../test/support/packed.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { makeSshKey, type Sshd, type SshKeyPair, startSshd } from '../../../../test/support/sshd.ts';
import { packingNames } from '../../../platform/packing/packings.ts';
import { endAt, SimulatedEnd } from '../arrivals.fixture.ts';
import { expectArchives, expectEncryptedArchives, makeKeysOfSources } from '../unpacking-sources.fixture.ts';
import { createSftpWorld, duringReads, type SftpWorld } from './sftp-world.fixture.ts';

let database: TestDatabase;
let sshd: Sshd | undefined;
let readOnlyKey: SshKeyPair;
let world: SftpWorld;
let gnupg: Gnupg | undefined;

beforeAll(async () => {
  database = await createTestDatabase();
  if (!hasComponent('sshd')) return;
  if (hasComponent('gpg')) makeKeysOfSources((gnupg = startGnupg()));
  readOnlyKey = makeSshKey();
  sshd = await startSshd({ folder: '/', keys: [{ publicKey: readOnlyKey.publicKey, folder: '/', isReadOnly: true }] });
});
afterAll(async () => {
  gnupg?.close();
  await sshd?.stop();
  await database.drop();
});
beforeEach(async () => {
  if (sshd) world = await createSftpWorld(database, sshd);
});

const it = itWith('sshd');
const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');
const set = (source: Partial<SftpWorld['settings']['source']>) => {
  world.settings.source = { ...world.settings.source, ...source };
};
const ready = (more: Partial<SftpWorld['settings']['source']['ready']>) => set({ ready: { ...world.settings.source.ready, ...more } });
const passTime = (seconds: number) =>
  database.adminDb.query("/* pass time */ update headgate.clock_offset set by = by + $1 * interval '1 second'", [seconds]);
const states = async () =>
  (await world.arrivals()).map(({ name, state, released }) => `${name} ${state}${released ? '' : ' (still there)'}`);

describe('files of a server', () => {
  it('are taken when they have rested, and moved beside', async () => {
    ready({ stableForMs: 5_000 });
    world.put('a.csv', 'x,1.00\n');
    world.put('b.csv', '');
    mkdirSync(join(world.folder, 'sub'));
    expect((await world.poll()).verdicts.accepted).toBe(0);
    expect(await states()).toEqual(['a.csv seen (still there)', 'b.csv seen (still there)']);
    await passTime(6);
    expect((await world.poll()).verdicts.accepted).toBe(2);
    expect(world.names()).toEqual(['sub']);
    expect(world.inDone()).toEqual(['a.csv', 'b.csv']);
    expect(await states()).toEqual(['a.csv accepted', 'b.csv accepted']);
    const [file] = await world.files();
    expect(await world.content(file!.object)).toBe('x,1.00\n');
  });

  it('are taken with marker and manifest, which go with them, and a manifest that differs sends one to quarantine', async () => {
    ready({ marker: '.done', manifest: '.sha256' });
    for (const [name, digest] of [
      ['a.csv', '6ea8ea4ec2ffb2e5a0d2a3a8b3f4a6f4a5c1cfb5b0d58b3bd1c53c2a5fc2b4f4'],
      ['b.csv', sha256('x,1.00\n')],
    ] as const) {
      world.put(name, 'x,1.00\n');
      world.put(`${name}.sha256`, `${digest}  ${name}\n`);
    }
    expect((await world.poll()).verdicts).toMatchObject({ accepted: 0, quarantined: 0 });
    world.put('a.csv.done', '');
    world.put('b.csv.done', '');
    expect((await world.poll()).verdicts).toMatchObject({ accepted: 1, quarantined: 1 });
    expect(world.names()).toEqual([]);
    expect(world.inDone()).toEqual(['b.csv', 'b.csv.done', 'b.csv.sha256']);
    expect(world.inQuarantine()).toEqual(['a.csv', 'a.csv.done', 'a.csv.sha256']);
  });

  it('are deleted, or left where they are, as the source says, and never taken twice', async () => {
    set({ afterwards: 'delete' });
    world.put('a.csv', 'x,1.00\n');
    await world.poll();
    expect([world.names(), world.inDone()]).toEqual([[], []]);
    set({ afterwards: 'leave' });
    world.put('b.csv', 'x,2.00\n');
    await world.poll();
    expect((await world.pollAnew()).verdicts.accepted).toBe(0);
    expect([world.names(), await world.jobs()]).toEqual([['b.csv'], 2]);
    world.put('b.csv', 'x,2.00\nx,3.00\n');
    expect((await world.poll()).verdicts.accepted).toBe(1);
  });

  it('are marked where they are, with what lies beside, and no marked one is taken or overwritten', async () => {
    set({ afterwards: 'mark', mark: '.taken' });
    ready({ marker: '.done' });
    const long = `${'n'.repeat(246)}.csv`;
    for (const name of ['a.csv', long]) {
      world.put(name, `${name.length},1.00\n`);
      world.put(`${name}.done`, '');
    }
    world.put('other.csv.taken', 'theirs');
    world.put('other.csv.taken.done', '');
    expect((await world.poll()).verdicts).toMatchObject({ accepted: 2, quarantined: 0 });
    const [longOne, itsMarker] = [/^[0-9a-f-]{36}\.taken$/, /^[0-9a-f-]{36}\.done\.taken$/].map((name) => expect.stringMatching(name));
    const marked = [itsMarker, longOne, 'a.csv.done.taken', 'a.csv.taken', 'other.csv.taken', 'other.csv.taken.done'];
    expect([world.names(), existsSync(join(world.folder, '.headgate-done'))]).toEqual([marked, false]);
    expect((await world.pollAnew()).verdicts.accepted).toBe(0);
    world.put('a.csv', 'x,2.00\n');
    expect((await world.poll()).verdicts.accepted).toBe(0);
    world.put('a.csv.done', '');
    expect((await world.poll()).verdicts.accepted).toBe(1);
    expect(world.names()).toHaveLength(marked.length + 2);
    expect(world.names()).toContainEqual(expect.stringMatching(/^a\.csv\.[0-9a-f-]{36}\.taken$/));
    expect(readFileSync(join(world.folder, 'a.csv.taken'), 'utf8')).toBe('5,1.00\n');
    expect(await world.jobs()).toBe(3);
  });

  it('that are packed are kept as they came and unpacked within limits', async () => {
    for (const packing of packingNames) {
      set({ unpack: [packing] });
      const packed = pack[packing](`${packing},1.00\n`);
      world.put('a.packed', packed);
      world.put('bomb.packed', pack[packing](Buffer.alloc(30 * 1024 * 1024)));
      expect((await world.poll()).verdicts).toMatchObject({ accepted: 1, quarantined: 1 });
      const file = (await world.files()).at(-1)!;
      expect(await world.content(file.object)).toBe(`${packing},1.00\n`);
      expect(file.container_object!.sha256).toBe(sha256(packed));
    }
    expect((await world.arrivals()).flatMap(({ reason_code }) => reason_code ?? [])).toEqual(['E_BOMB', 'E_BOMB']);
  });

  it('that are archives are unpacked whole or not at all, and each member is a file of its own', () => expectArchives(world));

  itWith('sshd', 'gpg')('that are encrypted and signed archives are taken once, and unsigned ones are not', () =>
    expectEncryptedArchives(world, gnupg!),
  );

  it('do not overwrite what was moved before', async () => {
    mkdirSync(join(world.folder, '.headgate-done'));
    writeFileSync(join(world.folder, '.headgate-done', 'a.csv'), 'older');
    world.put('a.csv', 'x,1.00\n');
    await world.poll();
    expect(world.inDone()).toEqual(['a.csv', expect.stringMatching(/^a\.csv\.[0-9a-f-]{36}$/)]);
    expect(readFileSync(join(world.folder, '.headgate-done', 'a.csv'), 'utf8')).toBe('older');
    // No room for an id behind the name: what lies beside gets a name of its own all the same.
    ready({ marker: '.done' });
    const long = `${'n'.repeat(240)}.csv`;
    for (const content of ['y,1.00\n', 'y,2.00\n']) {
      world.put(long, content);
      world.put(`${long}.done`, '');
      expect((await world.poll()).verdicts.accepted).toBe(1);
    }
    const id = '[0-9a-f-]{36}';
    expect(world.inDone().slice(0, 2)).toEqual(
      [new RegExp(`^${id}$`), new RegExp(`^${id}\\.done$`)].map((name) => expect.stringMatching(name)),
    );
    expect([world.names(), world.inDone().length]).toEqual([[], 6]);
  });

  it('that are thousands are all taken, each once, over one connection', async () => {
    const names = Array.from({ length: 2_000 }, (_, index) => `file-${String(index).padStart(5, '0')}.csv`);
    for (const name of names) world.put(name, `${name},1.00\n`);
    while (world.names().length > 0) expect((await world.poll()).verdicts.accepted).toBeGreaterThan(0);
    expect(await world.jobs()).toBe(2_000);
    expect(world.inDone()).toEqual(names);
    expect(world.resolved).toHaveLength(1);
  });

  it('that are big are read whole, with many requests under way', async () => {
    const content = Buffer.alloc(30 * 1024 * 1024 + 17, '0123456789,1.00\n');
    world.put('big.csv', content);
    expect((await world.poll()).verdicts.accepted).toBe(1);
    const [file] = await world.files();
    expect(file!.sha256).toBe(sha256(content));
  });

  it('that change while they are read are not accepted, and are when they rest', async () => {
    const path = join(world.folder, 'a.csv');
    for (const change of [
      () => appendFileSync(path, 'x,9.00\n'),
      () => writeFileSync(path, 'x,1.00\n'),
      () => {
        renameSync(path, `${path}.gone`);
        writeFileSync(path, 'y,2.00\n'.repeat(100_000));
        utimesSync(path, 1_000, 1_000);
      },
    ]) {
      world.put('a.csv', 'x,1.00\n'.repeat(100_000));
      let changes = 0;
      const sftp = duringReads(world.sftp, (entry) => {
        if (entry.name === 'a.csv' && changes++ === 0) change();
      });
      expect((await world.poll({ sftp })).verdicts.accepted).toBe(0);
      expect(changes).toBeGreaterThan(0);
      expect((await world.arrivals()).at(-1)!.state).toBe('growing');
      expect((await world.poll()).verdicts.accepted).toBeGreaterThan(0);
    }
    expect(await world.events()).toContain('arrival.growing complete>growing');
  });

  it('that are links, pipes or of names that are no text are not opened or only data, and the rest is taken', async () => {
    writeFileSync(join(world.folder, '..', 'outside'), 'secret');
    symlinkSync('../outside', join(world.folder, 'link.csv'));
    symlinkSync('..', join(world.folder, 'folder.csv'));
    execFileSync('mkfifo', [join(world.folder, 'pipe.csv')]);
    world.put(Buffer.from([0x66, 0xff, 0x2e, 0x63]), 'x,5.00\n');
    world.put('a\nb.csv', 'x,6.00\n');
    world.put('ok.csv', 'x,7.00\n');
    expect((await world.poll()).verdicts).toMatchObject({ accepted: 1, quarantined: 5 });
    const found = (await world.arrivals()).map(({ name, state, reason_code }) => [name, state, reason_code]);
    expect(found.sort()).toEqual([
      ['a\nb.csv', 'quarantined', 'E_NAME'],
      ['f\\xff.c', 'quarantined', 'E_NAME'],
      ['folder.csv', 'quarantined', 'E_FILE_KIND'],
      ['link.csv', 'quarantined', 'E_FILE_KIND'],
      ['ok.csv', 'accepted', null],
      ['pipe.csv', 'quarantined', 'E_FILE_KIND'],
    ]);
    expect(world.names()).toEqual([]);
    expect(readFileSync(join(world.folder, '..', 'outside'), 'utf8')).toBe('secret');
  });

  it('of a folder that leads out of the root, or whose done folder is a link, are not touched', async () => {
    const root = world.settings.source.root;
    mkdirSync(join(root, 'own'));
    symlinkSync(world.folder, join(root, 'own', 'in'));
    world.put('a.csv', 'x,1.00\n');
    set({ root: join(root, 'own'), path: '/in' });
    await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE', message: expect.stringContaining('outside the root') });
    set({ root, path: '/in' });
    symlinkSync('/tmp', join(world.folder, '.headgate-done'));
    await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE', message: expect.stringContaining('no folder') });
    expect([world.names(), await world.jobs()]).toEqual([['a.csv'], 1]);
    set({ path: 'missing' });
    await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE' });
  });

  it('of more than one name are files like others: SFTP does not tell', async () => {
    world.put('a.csv', 'x,1.00\n');
    linkSync(join(world.folder, 'a.csv'), join(world.folder, '..', 'other'));
    expect((await world.poll()).verdicts.accepted).toBe(1);
  });
});

describe('a process that ends', () => {
  for (const afterwards of ['move', 'delete'] as const)
    for (const point of [
      'arrivals.after-seen',
      'arrivals.after-read',
      'arrivals.before-pack',
      'arrivals.before-commit',
      'arrivals.after-commit',
      'arrivals.before-move',
      'arrivals.after-move',
    ])
      it(`at ${point}, with a source that will ${afterwards} files, loses nothing and reads nothing accepted again`, async () => {
        set({ afterwards });
        world.put('a.csv', 'x,1.00\n');
        world.put('b.csv', 'x,2.00\n');
        await expect(world.pollAnew({ crashPoints: endAt(point) })).rejects.toBeInstanceOf(SimulatedEnd);
        const accepted = await world.jobs();
        const read: string[] = [];
        const sftp = duringReads(world.sftp, (entry) => void read.push(entry.name));
        await world.poll({ sftp });
        expect(read).toHaveLength(2 - accepted);
        expect(await world.jobs()).toBe(2);
        expect(world.names()).toEqual([]);
        expect(await states()).toEqual(['a.csv accepted', 'b.csv accepted']);
      });

  for (const point of ['arrivals.after-commit', 'arrivals.before-move', 'arrivals.after-move'])
    it(`at ${point}, with a source that will mark files, has them marked by the next, which accepts none again`, async () => {
      set({ afterwards: 'mark', mark: '.taken' });
      for (const name of ['a.csv', 'b.csv']) world.put(name, `${name},1.00\n`);
      await expect(world.pollAnew({ crashPoints: endAt(point) })).rejects.toBeInstanceOf(SimulatedEnd);
      expect([await world.jobs(), world.names().includes('a.csv')]).toEqual([2, point !== 'arrivals.after-move']);
      const read: string[] = [];
      expect((await world.poll({ sftp: duringReads(world.sftp, (entry) => void read.push(entry.name)) })).verdicts.accepted).toBe(0);
      expect([read, world.names(), await world.jobs()]).toEqual([[], ['a.csv.taken', 'b.csv.taken'], 2]);
      expect(await states()).toEqual(['a.csv accepted', 'b.csv accepted']);
    });

  it('between the two steps of a deletion leaves nothing there for good, and another file of the name stays', async () => {
    set({ afterwards: 'delete' });
    for (const name of ['a.csv', 'b.csv']) world.put(name, `${name},1.00\n`);
    await expect(world.pollAnew({ crashPoints: endAt('arrivals.before-move') })).rejects.toBeInstanceOf(SimulatedEnd);
    const done = join(world.folder, '.headgate-done');
    mkdirSync(done);
    const ids = await world.arrivalIds();
    renameSync(join(world.folder, 'a.csv'), join(done, ids[0]!));
    rmSync(join(world.folder, 'b.csv'));
    writeFileSync(join(done, ids[1]!), 'theirs');
    await world.poll();
    expect([world.names(), world.inDone(), await world.jobs()]).toEqual([[], [ids[1]], 2]);
  });

  it('after COMMIT, and a file that replaced the accepted one meanwhile, are told apart', async () => {
    world.put('a.csv', 'x,1.00\n');
    await expect(world.pollAnew({ crashPoints: endAt('arrivals.after-commit') })).rejects.toBeInstanceOf(SimulatedEnd);
    world.put('a.csv', 'x,1.00\nx,2.00\n');
    expect((await world.poll()).verdicts.accepted).toBe(1);
    expect(await world.jobs()).toBe(2);
  });
});

describe('a user without the right to move', () => {
  it('has files accepted once, and the source fails, until the right is given', async () => {
    world.put('a.csv', 'x,1.00\n');
    mkdirSync(join(world.folder, '.headgate-done'));
    writeFileSync(world.secretFile, readOnlyKey.privateKey);
    for (let poll = 0; poll < 3; poll++)
      await expect(world.poll()).rejects.toMatchObject({
        code: 'E_SOURCE_PERMISSION',
        next: expect.stringContaining('rename and delete'),
      });
    expect(await world.jobs()).toBe(1);
    expect(existsSync(join(world.folder, 'a.csv'))).toBe(true);
    writeFileSync(world.secretFile, sshd!.clientKey.privateKey);
    await world.poll();
    expect([world.names(), world.inDone(), await world.jobs()]).toEqual([[], ['a.csv'], 1]);
  });
});
