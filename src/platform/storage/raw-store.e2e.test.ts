import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { BlobServer } from '../../../test/support/blob-server.ts';
import { type BlobServerName, blobServers, hasBlobServer, itWithBlobServer } from '../../../test/support/blob-servers.ts';
import { freePort } from '../../../test/support/child-server.ts';
import { itWith } from '../../../test/support/components.ts';
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts';
import { temporaryFolder } from '../../../test/support/temporary-store.ts';
import { systemPorts } from '../base/system-ports.ts';
import { openBlobOperator } from '../blob/blob-operator.ts';
import { letPastGate, processEgressGate } from '../blob/opendal-client.ts';
import { createKeyRing } from './data-keys.ts';
import type { RawStore } from './object-store.ts';
import { createOrphanSweep } from './orphan-sweep.ts';
import { openRawStore, type RawStorePlace } from './raw-store.ts';
import { createSealedStore } from './sealed-store.ts';

const { rng, ids, clock } = systemPorts;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const loopback = '127.0.0.1';
const stores = { local: null, ...blobServers } as const;

for (const [kind, start] of Object.entries(stores))
  describe(`a store of the kind ${kind}`, () => {
    const it = start === null ? itWith() : itWithBlobServer(kind as BlobServerName);
    let server: BlobServer | undefined;
    let last = 0;
    beforeAll(async () => {
      if (start !== null && hasBlobServer(kind as BlobServerName)) server = await start();
    });
    afterAll(() => server?.stop());

    async function place(
      options: { readonly port?: number; readonly isMade?: boolean; readonly host?: string } = {},
    ): Promise<RawStorePlace> {
      const root = temporaryFolder();
      if (!server) return { root };
      const name = `store-${++last}`;
      if (options.isMade !== false) await server.makeContainer(name);
      await letPastGate(rng, [loopback, 'localhost']);
      return {
        root,
        remote: { service: server.service(name, options.port, options.host ?? loopback), credentials: server.credentials, folder: 'cell/' },
      };
    }
    const open = async (): Promise<RawStore> => openRawStore(await place(), rng);

    const name = 'local/tenant/raw/0190000/object';
    function write(store: RawStore, at: string, ...pieces: readonly Uint8Array[]): void {
      const writer = store.create(at);
      for (const piece of pieces) writer.write(piece);
      writer.commit();
    }
    function readAll(store: RawStore, at: string): Buffer {
      const reader = store.open(at);
      const bytes = Buffer.alloc(reader.size + 10);
      const count = reader.read(bytes, 0, bytes.length, 0);
      reader.close();
      return bytes.subarray(0, count);
    }

    it('shows an object after its commit only, whole, and gives any range of it', async () => {
      const store = await open();
      const writer = store.create(name);
      writer.write(Buffer.from('half'));
      expect(store.exists(name)).toBe(false);
      writer.write(Buffer.from(' and half'));
      writer.commit();
      expect(store.exists(name)).toBe(true);
      expect(readAll(store, name).toString()).toBe('half and half');
      const reader = store.open(name);
      const into = Buffer.alloc(8, '.');
      expect(reader.size).toBe(13);
      expect([reader.read(into, 2, 3, 5), into.toString()]).toEqual([3, '..and...']);
      expect(reader.read(into, 0, 8, 9)).toBe(4);
      expect(reader.read(into, 0, 8, 13)).toBe(0);
      reader.close();
    });

    it('takes and gives objects of any size, also empty ones and ones of many parts', async () => {
      const store = await open();
      for (const size of [0, 1, 8 * 1024 * 1024, 20 * 1024 * 1024 + 3]) {
        const content = Buffer.alloc(size, '0123456789abcdef,');
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < size; at += 262_160) pieces.push(content.subarray(at, at + 262_160));
        write(store, `${name}${size}`, ...pieces);
        const reader = store.open(`${name}${size}`);
        expect(reader.size).toBe(size);
        const hash = createHash('sha256');
        const piece = Buffer.alloc(262_160);
        for (let at = 0, count = 1; count > 0; at += count) {
          count = reader.read(piece, 0, piece.length, at);
          hash.update(piece.subarray(0, count));
        }
        expect(hash.digest('hex')).toBe(sha256(content));
      }
    });

    it('never overwrites, and an aborted object leaves nothing', async () => {
      const store = await open();
      const big = Buffer.alloc(9 * 1024 * 1024, 'b');
      write(store, name, Buffer.from('first'));
      expect(() => write(store, name, Buffer.from('other'))).toThrow(expect.objectContaining({ code: 'E_OBJECT_EXISTS' }));
      expect(() => write(store, name, big)).toThrow(expect.objectContaining({ code: 'E_OBJECT_EXISTS' }));
      expect(readAll(store, name).toString()).toBe('first');
      const writer = store.create(`${name}2`);
      writer.write(big);
      writer.abort();
      expect(store.exists(`${name}2`)).toBe(false);
      expect(() => store.open(`${name}2`)).toThrow(expect.objectContaining({ code: 'E_OBJECT_MISSING' }));
    });

    it('writes on the condition that the name is free (If-None-Match, ifGenerationMatch): what began while it was is refused once another has it', async () => {
      const store = await open();
      for (const bytes of [5, 17 * 1024 * 1024]) {
        const at = `${name}${bytes}`;
        // The emulator of S3 knows of an object in one piece only that it is in the way of one in parts.
        const first = Buffer.alloc(kind === 'moto' ? 5 : bytes, 'b');
        const late = store.create(at);
        late.write(Buffer.alloc(bytes, 'a'));
        write(store, at, first);
        expect(() => late.commit()).toThrow(expect.objectContaining({ code: 'E_OBJECT_EXISTS' }));
        expect(sha256(readAll(store, at))).toBe(sha256(first));
      }
    });

    it('removes what is there and what is not, and lists what is there, by the beginning of its name', async () => {
      const store = await open();
      const names = ['local/a/raw/0/x', 'local/a/raw/1/y', 'local/ab/raw/0/z'];
      for (const each of names) write(store, each, Buffer.from(each));
      const listed = (prefix: string) => [...store.list(prefix)].map((object) => object.name).sort();
      expect(listed('')).toEqual(names);
      expect(listed('local/a')).toEqual(names.slice(0, 2));
      expect(listed('local/none')).toEqual([]);
      const [first] = [...store.list('local/a/raw/0')];
      expect(first).toMatchObject({ name: names[0], bytes: names[0]!.length });
      expect(Math.abs(first!.modifiedMs - clock.nowMs())).toBeLessThan(600_000);
      store.remove(names[0]!);
      store.remove(names[0]!);
      expect(listed('')).toEqual(names.slice(1));
    });

    it('takes no name that was not made here', async () => {
      const store = await open();
      for (const bad of ['../x', '/etc/passwd', 'a/../../b', '.incoming/x', 'a//b', 'a/', '', 'A/b', 'a/b\0', 'a\\b', 'ä/b'])
        for (const use of [
          () => store.create(bad),
          () => store.open(bad),
          () => store.exists(bad),
          () => store.remove(bad),
          () => store.removeUnfinished(bad),
        ])
          expect(use).toThrow(expect.objectContaining({ code: 'E_OBJECT_NAME' }));
    });

    it('keeps sealed objects and packs, reads them back, and gives orphans to the sweep', async () => {
      const raw = await open();
      const keyRing = createKeyRing([{ version: 1, bytes: new Uint8Array(32).fill(7) }]);
      const store = createSealedStore({ raw, cell: 'local', keyRing, rng });
      const tenantId = ids.next();
      const content = Buffer.alloc(3 * 1024 * 1024 + 5, 'abc,1.00\n');
      const writer = store.create({ tenantId, objectId: ids.next(), kind: 'raw' });
      writer.write(content);
      const object = writer.commit();
      expect(object.sha256).toBe(sha256(content));
      const reader = store.open(tenantId, object);
      const into = Buffer.alloc(9);
      reader.read(into, 0, 9, 2_000_007);
      expect(into.equals(content.subarray(2_000_007, 2_000_016))).toBe(true);
      reader.close();
      const members = ['one', 'two'].map((text) => ({ objectId: ids.next(), bytes: Buffer.from(text) }));
      const packed = store.createPack({ tenantId, objectId: ids.next(), kind: 'pack' }, members);
      const second = store.open(tenantId, packed[1]!);
      const text = Buffer.alloc(3);
      second.read(text, 0, 3, 0);
      expect(text.toString()).toBe('two');
      second.close();
      let now = clock.nowMs();
      const sweep = createOrphanSweep({
        raw,
        clock: { ...clock, nowMs: () => now, monotonicMs: () => now },
        graceMs: 1_000,
        isReferenced: async () => new Set([object.name]),
        mayWait: () => false,
        removeUnnamed: async (names, remove) => names.forEach(remove),
      });
      await sweep.sweep(new AbortController().signal);
      now += 10_000_000;
      await sweep.sweep(new AbortController().signal);
      expect([...raw.list('')].map((each) => each.name)).toEqual([object.name]);
    });

    if (start !== null) {
      it('is the same for every thread of the process', async () => {
        const where = await place();
        const code = `
          import { workerData, parentPort } from 'node:worker_threads';
          import { openRawStore } from ${JSON.stringify(new URL('./raw-store.ts', import.meta.url).href)};
          import { systemRng } from ${JSON.stringify(new URL('../base/system-ports.ts', import.meta.url).href)};
          const writer = openRawStore(workerData, systemRng).create(${JSON.stringify(name)});
          writer.write(Buffer.from('from a thread'));
          writer.commit();
          parentPort.postMessage('written');`;
        const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: where });
        await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
        expect(readAll(openRawStore(where, rng), name).toString()).toBe('from a thread');
      });

      it('is reached past the gate at each of its hosts', async () => {
        const gate = await processEgressGate(rng);
        const { passed } = gate;
        const store = openRawStore(await place({ host: 'localhost' }), rng);
        write(store, name, Buffer.from('x'));
        expect([readAll(store, name).toString(), gate.passed]).toEqual(['x', passed]);
      });

      it('counts an object that is there already as written when it holds the same bytes: an answer was lost', async () => {
        const store = await open();
        for (const content of [Buffer.from('same'), Buffer.alloc(9 * 1024 * 1024, 's')]) {
          write(store, `${name}${content.length}`, content);
          write(store, `${name}${content.length}`, content);
        }
      });

      for (const how of ['cut-before-forward', 'forward-and-drop-answer'] as const)
        it(`has an object of many parts whole although the connection breaks at one of them (${how})`, async () => {
          const proxy = await startTcpProxy({ host: loopback, port: server!.port });
          const { remote } = await place({ port: proxy.port });
          const operator = openBlobOperator({ ...remote!, timeoutMs: 5_000, retries: 1 });
          const part = 8 * 1024 * 1024;
          const content = Buffer.concat(['1', '2', '3'].map((text) => Buffer.alloc(text === '3' ? 100 : part, text)));
          for (let broken = 0; broken < 3; broken++) {
            const writer = await operator.writer(`${broken}`, { chunk: BigInt(part), ifNotExists: true });
            for (let at = 0; at < 3; at++) {
              if (at === broken) proxy.arm({ match: /^(PUT|POST) /m, how });
              await writer.write(content.subarray(at * part, (at + 1) * part));
            }
            await writer.close();
            expect(proxy.faultsUsed).toBe(broken + 1);
            expect(sha256(await operator.read(`${broken}`))).toBe(sha256(content));
          }
          await proxy.close();
        });

      it('that can not be reached, or has no such bucket or container, says so', async () => {
        const dead = openRawStore(await place({ port: await freePort() }), rng);
        expect(() => dead.exists(name)).toThrow(expect.objectContaining({ code: 'E_STORAGE_IO', retryable: true }));
        const missing = openRawStore(await place({ isMade: false }), rng);
        expect(() => write(missing, name, Buffer.from('x'))).toThrow(expect.objectContaining({ code: 'E_STORAGE_IO', retryable: true }));
      });
    }
  });
