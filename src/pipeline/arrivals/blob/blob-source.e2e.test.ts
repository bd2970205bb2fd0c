import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import type { BlobServer } from '../../../../test/support/blob-server.ts';
import { blobServerEntries, hasBlobServer, itWithBlobServer, notificationOf } from '../../../../test/support/blob-servers.ts';
import { hasComponent } from '../../../../test/support/components.ts';
import { type Gnupg, startGnupg } from '../../../../test/support/gnupg.ts';
import { pack } from '../../../../test/support/packed.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { forEachAtOnce } from '../../../platform/base/at-once.ts';
import { endAt, SimulatedEnd } from '../arrivals.fixture.ts';
import { expectArchives, expectEncryptedArchives, makeKeysOfSources } from '../unpacking-sources.fixture.ts';
import { type BlobWorld, createBlobWorld, duringReads } from './blob-world.fixture.ts';
import { createToldBlobs } from './told-blobs.ts';

let database: TestDatabase;
let gnupg: Gnupg | undefined;
beforeAll(async () => {
  database = await createTestDatabase();
  if (hasComponent('gpg')) makeKeysOfSources((gnupg = startGnupg()));
});
afterAll(async () => {
  gnupg?.close();
  await database.drop();
});

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');

for (const [name, start] of blobServerEntries) {
  const it = itWithBlobServer(name);
  let server: BlobServer;
  let world: BlobWorld;
  const set = (source: Partial<BlobWorld['settings']['source']>) => {
    world.settings.source = { ...world.settings.source, ...source };
  };
  const states = async () => (await world.arrivals()).map((arrival) => `${arrival.name} ${arrival.state}`);
  const toldVersions = async () => {
    const { rows } = await database.adminDb.query<{ state: string; version: string | null }>(
      `/* versions */ select to_state as state, detail ->> 'sourceVersion' as version from headgate.events
       where tenant_id = $1 and type in ('arrival.accepted', 'arrival.quarantined') order by event_id`,
      [world.tenantId],
    );
    return rows.map(({ state, version }) => `${state} ${version ?? 'without a version'}`);
  };
  const startServer = () => {
    beforeAll(async () => {
      if (hasBlobServer(name)) server = await start();
    });
    afterAll(() => server?.stop());
    beforeEach(async () => {
      if (hasBlobServer(name)) world = await createBlobWorld(database, server);
    });
  };

  describe(`files of ${name}`, () => {
    startServer();

    it('are taken, and moved beside; folders, what lies in them, and what is named otherwise are not', async () => {
      set({ match: '*.csv' });
      await world.put('a.csv', 'x,1.00\n');
      await world.put('b.csv', '');
      await world.put('sub/c.csv', 'x,2.00\n');
      await world.put('readme.txt', 'x');
      expect((await world.poll()).verdicts.accepted).toBe(2);
      expect([await world.names(), await world.inDone()]).toEqual([['readme.txt'], ['a.csv', 'b.csv']]);
      expect(await states()).toEqual(['a.csv accepted', 'b.csv accepted']);
      const [file] = await world.files();
      expect(await world.content(file!.object)).toBe('x,1.00\n');
      expect(await world.container.look('in/sub/c.csv')).toBeDefined();
    });

    it('are taken when they have rested, with marker and manifest, which go with them; one that differs from its manifest is not', async () => {
      set({ ready: { ...world.settings.source.ready, marker: '.done', manifest: '.sha256' } });
      for (const [file, digest] of [
        ['a.csv', sha256('something else')],
        ['b.csv', sha256('x,1.00\n')],
      ] as const) {
        await world.put(file, 'x,1.00\n');
        await world.put(`${file}.sha256`, `${digest}  ${file}\n`);
      }
      expect((await world.poll()).verdicts).toMatchObject({ accepted: 0, quarantined: 0 });
      await world.put('a.csv.done', '');
      await world.put('b.csv.done', '');
      expect((await world.poll()).verdicts).toMatchObject({ accepted: 1, quarantined: 1 });
      expect(await world.names()).toEqual([]);
      expect(await world.inDone()).toEqual(['b.csv', 'b.csv.done', 'b.csv.sha256']);
      expect(await world.inQuarantine()).toEqual(['a.csv', 'a.csv.done', 'a.csv.sha256']);
    });

    it('are deleted, or left where they are, as the source says, and never taken twice', async () => {
      set({ afterwards: 'delete' });
      await world.put('a.csv', 'x,1.00\n');
      await world.poll();
      expect([await world.names(), await world.inDone()]).toEqual([[], []]);
      set({ afterwards: 'leave' });
      await world.put('b.csv', 'x,2.00\n');
      await world.poll();
      expect((await world.poll()).verdicts.accepted).toBe(0);
      expect([await world.names(), await world.jobs()]).toEqual([['b.csv'], 2]);
      await world.put('b.csv', 'x,2.00\nx,3.00\n');
      expect((await world.poll()).verdicts.accepted).toBe(1);
    });

    it('do not overwrite what was moved before', async () => {
      await world.container.create('in/.headgate-done/a.csv', Buffer.from('older'));
      await world.put('a.csv', 'x,1.00\n');
      await world.poll();
      expect(await world.inDone()).toEqual(['a.csv', expect.stringMatching(/^a\.csv\.[0-9a-f-]{36}$/)]);
      expect(await world.container.look('in/.headgate-done/a.csv')).toMatchObject({ bytes: 5 });
    });

    it('that are packed are kept as they came and unpacked', async () => {
      set({ unpack: ['gzip'] });
      const packed = pack.gzip('x,1.00\n');
      await world.put('a.gz', packed);
      expect((await world.poll()).verdicts).toMatchObject({ accepted: 1 });
      const [file] = await world.files();
      expect(await world.content(file!.object)).toBe('x,1.00\n');
      expect(file!.container_object!.sha256).toBe(sha256(packed));
    });

    it('that are archives are unpacked whole or not at all, and each member is a file of its own', () => expectArchives(world));

    itWithBlobServer(name, 'gpg')('that are encrypted and signed archives are taken once, and unsigned ones are not', () =>
      expectEncryptedArchives(world, gnupg!),
    );

    it('that lie among more than a page of the listing are all taken, each once', async () => {
      set({ afterwards: 'delete', match: '*.csv' });
      const names = Array.from(
        { length: 1_100 },
        (_, index) => `file-${String(index).padStart(5, '0')}.${index % 25 === 0 ? 'csv' : 'txt'}`,
      );
      await forEachAtOnce(names, 16, (own) => world.container.create(`in/${own}`, Buffer.from(`${own},1.00\n`)));
      const others = names.filter((own) => own.endsWith('.txt'));
      for (let polls = 0; (await world.names()).length > others.length && polls < 5; polls++) await world.poll();
      expect(await world.jobs()).toBe(44);
      expect(await world.names()).toEqual(others);
    });

    it('that have versions are of one version each, which is told; equal bytes of another one are not taken for it', async () => {
      if (server.keepVersions === null) {
        await world.put('a.csv', 'x,1.00\n');
        await world.poll();
        expect(await toldVersions()).toEqual(['accepted without a version']);
        return;
      }
      await server.keepVersions(world.containerName);
      await world.put('a.csv', 'x,1.00\n');
      const { version } = (await world.container.look('in/a.csv'))!;
      expect(version).toMatch(/./);
      await world.poll();
      expect(await toldVersions()).toEqual([`accepted ${version}`]);
      await world.put('b.csv', 'x,2.00\n');
      const before = (await world.container.look('in/b.csv'))!;
      const blobs = duringReads(world.blobs, () => world.put('b.csv', 'x,2.00\n'));
      expect((await world.poll({ blobs })).verdicts.accepted).toBe(0);
      const after = (await world.container.look('in/b.csv'))!;
      expect([after.etag === before.etag, after.version === before.version]).toEqual([server.etagIsOfContent, false]);
      expect((await world.poll()).verdicts.accepted).toBe(1);
      expect(await toldVersions()).toEqual([`accepted ${version}`, `accepted ${after.version}`]);
    });

    it('that it is told of are looked for at once and alone; what it is not told of is listed', async () => {
      set({ pollMs: 3_600_000, ready: { ...world.settings.source.ready, marker: '.done' } });
      let listings = 0;
      const blobs = {
        open: async (request: Parameters<BlobWorld['blobs']['open']>[0]) => {
          const place = await world.blobs.open(request);
          const look: typeof place.look = (isWanted) => {
            listings += 1;
            return place.look(isWanted);
          };
          return { ...place, look };
        },
      };
      const told = createToldBlobs({ db: database.db, plans: world.plans });
      const tell = (...keys: string[]) =>
        told.tell({ tenantId: world.tenantId, flowName: 'eft', sourceId: 'in', body: notificationOf(server, world.containerName, keys) });
      const poll = async () => (await world.poll({ blobs, isEnded: true })).verdicts.accepted;
      expect([await poll(), listings]).toEqual([0, 1]);
      for (const own of ['a.csv', 'a.csv.done', 'b.csv', 'b.csv.done', 'c d+ä.csv', 'c d+ä.csv.done', 'later.csv'])
        await world.put(own, `${own},1.00\n`);
      expect(
        await tell(
          'in/a.csv',
          'in/a.csv',
          'in/gone.csv',
          'in/later.csv',
          'in/sub/x.csv',
          'out/y.csv',
          'in/z.csv ',
          `in/${'x'.repeat(5_000)}.csv`,
        ),
      ).toEqual({
        kind: 'told',
        names: 3,
        passedOver: 4,
      });
      expect([await poll(), listings, (await world.names()).length]).toEqual([1, 1, 5]);
      // What lies beside a file makes it complete.
      expect(await tell('in/c d+ä.csv.done')).toMatchObject({ names: 1 });
      expect([await poll(), listings]).toEqual([1, 1]);
      expect((await states()).sort()).toEqual(['a.csv accepted', 'c d+ä.csv accepted', 'later.csv seen']);
      await world.put('later.csv.done', '');
      expect(await tell('in/later.csv.done', 'in/a.csv')).toMatchObject({ names: 2 });
      expect([await poll(), listings]).toEqual([1, 1]);
      expect([await poll(), listings]).toEqual([1, 2]);
      expect([await world.names(), await world.jobs()]).toEqual([[], 4]);
      const other = { ...world.flow, tenantId: world.tenantId, flowName: 'eft', sourceId: 'in' };
      expect(await told.tell({ ...other, body: notificationOf(server, 'another', ['in/a.csv']) })).toMatchObject({
        names: 0,
        passedOver: 1,
      });
      world.settings.blob = null;
      await expect(tell('in/a.csv')).rejects.toMatchObject({ code: 'E_BLOB_EVENT_SOURCE' });
      world.settings.isEnabled = false;
      await expect(tell('in/a.csv')).rejects.toMatchObject({ code: 'E_FLOW_DISABLED' });
    });

    it('that are big are read whole, in ranges', async () => {
      const content = Buffer.alloc(9 * 1024 * 1024 + 17, '0123456789,1.00\n');
      await world.put('big.csv', content);
      let pieces = 0;
      const blobs = duringReads(world.blobs, () => void pieces++);
      expect((await world.poll({ blobs })).verdicts.accepted).toBe(1);
      expect((await world.files())[0]!.sha256).toBe(sha256(content));
      expect(pieces).toBe(10);
    });

    it('that are replaced or removed while they are read are not accepted, and no content is made of two', async () => {
      const content = (letter: string) => `${letter},1.00\n`.repeat(1_000_000);
      await world.put('a.csv', content('x'));
      await world.put('gone.csv', content('z'));
      let changes = 0;
      const blobs = duringReads(world.blobs, async (entry, index) => {
        if (index > 0) return;
        changes += 1;
        if (entry.name === 'a.csv') await world.put('a.csv', content('y'));
        else await world.container.remove((await world.container.look('in/gone.csv'))!);
      });
      expect((await world.poll({ blobs })).verdicts.accepted).toBe(0);
      expect(changes).toBe(2);
      expect((await states()).sort()).toEqual(['a.csv growing', 'gone.csv vanished']);
      expect((await world.poll()).verdicts.accepted).toBe(1);
      expect((await world.files())[0]!.sha256).toBe(sha256(content('y')));
    });

    it('that are gone or replaced between listing and reading are not what was listed', async () => {
      await world.put('a.csv', 'x,1.00\n');
      await world.put('gone.csv', 'z,1.00\n');
      const blobs = {
        open: async (request: Parameters<BlobWorld['blobs']['open']>[0]) => {
          const place = await world.blobs.open(request);
          const look: typeof place.look = async (isWanted) => {
            const seen = await place.look(isWanted);
            await world.put('a.csv', 'y,2.00\n');
            await world.container.remove((await world.container.look('in/gone.csv'))!);
            return seen;
          };
          return { ...place, look };
        },
      };
      expect((await world.poll({ blobs })).verdicts.accepted).toBe(0);
      expect((await world.poll()).verdicts.accepted).toBe(1);
      expect((await world.files())[0]!.sha256).toBe(sha256('y,2.00\n'));
      expect(await states()).toContain('gone.csv vanished');
    });

    it('of names that are only data are quarantined, and the rest is taken', async () => {
      for (const own of ['CON', 'a‮b.csv', 'x'.repeat(256), 'ok ü+%20.csv']) await world.put(own, `${own},1.00\n`);
      expect((await world.poll()).verdicts).toMatchObject({ accepted: 1, quarantined: 3 });
      const found = (await world.arrivals()).filter(({ state }) => state === 'quarantined');
      expect(found.map(({ reason_code }) => reason_code)).toEqual(['E_NAME', 'E_NAME', 'E_NAME']);
      expect(await world.names()).toEqual([]);
      expect(await world.inDone()).toEqual(['ok ü+%20.csv']);
    });

    it('that replace an accepted one before it is moved stay, and are taken next', async () => {
      await world.put('a.csv', 'x,1.00\n');
      await expect(world.poll({ crashPoints: endAt('arrivals.after-commit') })).rejects.toBeInstanceOf(SimulatedEnd);
      await world.put('a.csv', 'x,1.00\nx,2.00\n');
      expect((await world.poll()).verdicts.accepted).toBe(1);
      expect([await world.jobs(), await world.names(), await world.inDone()]).toEqual([2, [], ['a.csv']]);
    });
  });

  describe(`a process that ends, with files of ${name},`, () => {
    startServer();

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
          await world.put('a.csv', 'x,1.00\n');
          await world.put('b.csv', 'x,2.00\n');
          await expect(world.poll({ crashPoints: endAt(point) })).rejects.toBeInstanceOf(SimulatedEnd);
          const accepted = await world.jobs();
          const read: string[] = [];
          await world.poll({ blobs: duringReads(world.blobs, (entry) => void read.push(entry.name)) });
          expect(read).toHaveLength(2 - accepted);
          expect(await world.jobs()).toBe(2);
          expect(await world.names()).toEqual([]);
          expect(await states()).toEqual(['a.csv accepted', 'b.csv accepted']);
        });
  });
}
