import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { azuriteSasToken } from '../../../test/support/azurite.ts';
import type { BlobServer } from '../../../test/support/blob-server.ts';
import { blobServerEntries, hasBlobServer, itWithBlobServer } from '../../../test/support/blob-servers.ts';
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts';
import { systemClock, systemRng } from '../base/system-ports.ts';
import { type BlobContainerOptions, openBlobContainer } from './blob-container.ts';

const all = { namesMax: 100_000, onPage: async () => {} };
let lastContainer = 0;

for (const [name, start] of blobServerEntries)
  describe(`a container of ${name}`, () => {
    const it = itWithBlobServer(name);
    let server: BlobServer;
    beforeAll(async () => {
      if (hasBlobServer(name)) server = await start();
    });
    afterAll(() => server?.stop());

    async function open({ name, port, ...options }: { name?: string; port?: number } & Partial<BlobContainerOptions> = {}) {
      const container = name ?? `container-${++lastContainer}`;
      if (name === undefined) await server.makeContainer(container);
      const opened = await openBlobContainer({
        service: server.service(container, port),
        credentials: server.credentials,
        addressesOf: async () => ['127.0.0.1'],
        rng: systemRng,
        ...options,
      });
      onTestFinished(() => opened.close());
      return { ...opened, container };
    }

    it('takes an object whole, shows it, gives ranges of it, and never overwrites it', async () => {
      const { create, look, read } = await open();
      const content = Buffer.alloc(3_000_000, '0123456789');
      await create('in/a.csv', content);
      await create('in/empty.csv', new Uint8Array());
      await expect(create('in/a.csv', Buffer.from('other'))).rejects.toMatchObject({ kind: 'exists' });
      const seen = (await look('in/a.csv'))!;
      expect(seen).toMatchObject({ name: 'in/a.csv', bytes: 3_000_000 });
      expect((await read(seen, { from: 2_999_995, bytes: 5 })).toString()).toBe('56789');
      expect((await read(seen, { from: 0, bytes: 3_000_000 })).equals(content)).toBe(true);
      expect(await look('in/empty.csv')).toMatchObject({ bytes: 0 });
      expect(await look('in/none.csv')).toBeUndefined();
    });

    it('lists what lies in a folder and not below it, with the ETags that a look tells', async () => {
      const { create, list, look } = await open();
      for (const name of ['a.csv', 'in/ä b+c%20.csv', 'in/b.csv', 'in/sub/c.csv', 'inside.csv']) await create(name, Buffer.from(name));
      const found = await list('in/', all);
      expect(found.map(({ name }) => name).sort()).toEqual(['in/b.csv', 'in/ä b+c%20.csv']);
      for (const blob of found) expect(await look(blob.name)).toEqual(blob);
      expect((await list('', all)).map(({ name }) => name).sort()).toEqual(['a.csv', 'inside.csv']);
      expect(await list('none/', all)).toEqual([]);
      await expect(list('', { ...all, namesMax: 2 })).rejects.toMatchObject({
        kind: 'failed',
        message: expect.stringContaining('2 names'),
      });
    });

    it('gives no byte of another object than the one that was seen', async () => {
      const { create, look, read, remove } = await open();
      await create('a.csv', Buffer.from('first'));
      const seen = (await look('a.csv'))!;
      await remove(seen);
      await expect(read(seen, { from: 0, bytes: 5 })).rejects.toMatchObject({ kind: expect.stringMatching(/^(missing|changed)$/) });
      await create('a.csv', Buffer.from('other'));
      await expect(read(seen, { from: 0, bytes: 5 })).rejects.toMatchObject({ kind: 'changed' });
    });

    it('asks for no object whose name would lead elsewhere', async () => {
      const { create, look, copy, read, remove } = await open();
      await create('a.csv', Buffer.from('first'));
      const { etag } = (await look('a.csv'))!;
      for (const name of ['in/..', 'in/../a.csv', './a.csv', 'in//a.csv', '/a.csv', ' a.csv', 'a.csv ', 'in/', ''])
        for (const use of [
          () => look(name),
          () => create(name, Buffer.from('x')),
          () => read({ name, etag }, { from: 0, bytes: 1 }),
          () => copy('a.csv', name),
          () => copy(name, 'b.csv'),
          () => remove({ name, etag }),
        ])
          await expect(use()).rejects.toMatchObject({ kind: 'failed' });
      expect(await look('a.csv')).toMatchObject({ etag });
    });

    it('removes what was meant, a second time too, and copies within itself', async () => {
      const { create, look, copy, remove, read } = await open();
      await create('a.csv', Buffer.from('first'));
      const seen = (await look('a.csv'))!;
      await copy('a.csv', 'done/a.csv');
      await remove(seen);
      await remove(seen);
      expect(await look('a.csv')).toBeUndefined();
      expect((await read((await look('done/a.csv'))!, { from: 0, bytes: 5 })).toString()).toBe('first');
      await expect(copy('a.csv', 'done/b.csv')).rejects.toMatchObject({ kind: 'missing' });
      if (!server.comparesOnRemove) return;
      await create('a.csv', Buffer.from('other'));
      await expect(remove(seen)).rejects.toMatchObject({ kind: 'changed' });
    });

    it('that is not there, or whose service is not, says so', async () => {
      const missing = await open({ name: 'never-made' });
      await expect(missing.list('', all)).rejects.toMatchObject({ kind: 'container-missing' });
      const proxy = await startTcpProxy({ host: '127.0.0.1', port: server.port });
      await proxy.close();
      const dead = await open({ port: proxy.port });
      await expect(dead.look('a.csv')).rejects.toMatchObject({ kind: 'unreachable' });
      await expect(dead.list('', all)).rejects.toMatchObject({ kind: 'unreachable' });
    });

    it('is reached at no address that its judge closes, also where another judge opens it, and not any more when it is closed', async () => {
      const said = new Error('not there');
      const { container, look, close } = await open();
      await expect(open({ name: container, addressesOf: () => Promise.reject(said) })).rejects.toBe(said);
      expect(await look('a.csv')).toBeUndefined();
      close();
      let asked = 0;
      const addressesOf = () => (asked++ === 0 ? Promise.resolve(['127.0.0.1']) : Promise.reject(said));
      const closedLater = await open({ name: container, addressesOf });
      await expect(closedLater.list('', all)).rejects.toMatchObject({ kind: 'unreachable', cause: said });
      closedLater.close();
      await expect(closedLater.look('a.csv')).rejects.toMatchObject({ kind: 'unreachable' });
    });

    it('whose service falls silent is left in time, and one whose connection is cut says that it was lost', async () => {
      const proxy = await startTcpProxy({ host: '127.0.0.1', port: server.port });
      onTestFinished(() => proxy.close());
      const { create, look, read, list } = await open({ port: proxy.port, timeoutMs: 1_500 });
      await create('a.csv', Buffer.from('first'));
      const seen = (await look('a.csv'))!;
      for (const [how, kind] of [
        ['cut-before-forward', 'lost'],
        ['forward-and-drop-answer', 'lost'],
        ['hold', 'timeout'],
      ] as const) {
        proxy.arm({ match: /^GET/, how });
        await expect(read(seen, { from: 0, bytes: 5 })).rejects.toMatchObject({ kind });
        proxy.arm({ match: /^GET/, how });
        await expect(list('', all)).rejects.toMatchObject({ kind });
      }
      expect((await read(seen, { from: 0, bytes: 5 })).toString()).toBe('first');
    });

    it('is opened with a signature in place of the key, while that is valid', async () => {
      if (server.connectionType !== 'azure-blob') return;
      const signed = (ms: number) => ({ kind: 'sas-token' as const, sasToken: azuriteSasToken(new Date(systemClock.nowMs() + ms)) });
      const { create, copy, look, read, remove, list, container } = await open({ credentials: signed(600_000) });
      await create('a.csv', Buffer.from('first'));
      await copy('a.csv', 'done/a.csv');
      await remove((await look('a.csv'))!);
      expect((await list('', all)).length).toBe(0);
      expect((await read((await look('done/a.csv'))!, { from: 0, bytes: 5 })).toString()).toBe('first');
      const late = await open({ name: container, credentials: signed(-600_000) });
      await expect(late.list('', all)).rejects.toMatchObject({ kind: 'credentials' });
    });

    it('refuses credentials that are not its own', async () => {
      const { container } = await open();
      const kindsOther = server.otherCredentials ?? ({ kind: 'service-account', json: '{}' } as const);
      const refused = openBlobContainer({
        service: server.service(container),
        credentials: kindsOther,
        addressesOf: async () => ['127.0.0.1'],
        rng: systemRng,
      }).then((opened) => opened.list('', all));
      await expect(refused).rejects.toMatchObject({ kind: 'credentials' });
    });
  });
