import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, vi } from 'vitest';
import type { BlobServer } from '../../../../test/support/blob-server.ts';
import { blobServerEntries, hasBlobServer, itWithBlobServer } from '../../../../test/support/blob-servers.ts';
import { openFence } from '../../../../test/support/open-fence.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { type ProxyFault, startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import type { BlobService } from '../../../platform/blob/blob-service.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { noSftp } from '../arrivals.fixture.ts';
import { probeSource } from '../source-probe.ts';
import { type BlobWorld, createBlobWorld, duringReads } from './blob-world.fixture.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

for (const [name, start] of blobServerEntries)
  describe(`a connection to ${name}`, () => {
    const it = itWithBlobServer(name);
    let server: BlobServer;
    let world: BlobWorld;
    beforeAll(async () => {
      if (hasBlobServer(name)) server = await start();
    });
    afterAll(() => server?.stop());
    beforeEach(async () => {
      if (hasBlobServer(name)) world = await createBlobWorld(database, server);
    });

    async function startBreakable() {
      const proxy = await startTcpProxy({ host: '127.0.0.1', port: server.port });
      onTestFinished(() => proxy.close());
      world.setPort(proxy.port);
      return proxy;
    }
    const big = Buffer.alloc(6 * 1024 * 1024, '0123456789,1.00\n');

    for (const how of ['cut-before-forward', 'forward-and-drop-answer', 'cut-in-answer'] as const)
      it(`that breaks in the middle of a big file (${how}) is made again, and the read goes on`, async () => {
        const proxy = await startBreakable();
        await world.put('big.csv', big);
        const blobs = duringReads(world.blobs, (_entry, index) => {
          if (index === 0) proxy.arm({ match: /^GET .*big/, how });
        });
        expect((await world.poll({ blobs })).verdicts.accepted).toBe(1);
        expect(proxy.faultsUsed).toBe(1);
        expect((await world.files())[0]!.object.bytes).toBe(big.length);
      });

    it('that breaks in the middle of a file that is replaced then does not mix two contents', async () => {
      const proxy = await startBreakable();
      await world.put('big.csv', big);
      let isReplaced = false;
      const blobs = duringReads(world.blobs, async () => {
        if (isReplaced) return;
        isReplaced = true;
        proxy.arm({ match: /^GET .*big/, how: 'cut-in-answer' });
        await world.put('big.csv', Buffer.alloc(big.length, 'other,2.00\n'));
      });
      expect((await world.poll({ blobs })).verdicts.accepted).toBe(0);
      expect((await world.arrivals())[0]!.state).toBe('growing');
    });

    it('that breaks while a file is moved leaves it accepted once, and moved by that poll or the next', async () => {
      const faults: ProxyFault[] = [
        { match: /x-ms-copy-source|x-amz-copy-source|rewriteTo/i, how: 'cut-before-forward' },
        { match: /x-ms-copy-source|x-amz-copy-source|rewriteTo/i, how: 'forward-and-drop-answer' },
        { match: /^DELETE/, how: 'cut-before-forward' },
        { match: /^DELETE/, how: 'forward-and-drop-answer' },
      ];
      const proxy = await startBreakable();
      for (const [index, fault] of faults.entries()) {
        await world.put('a.csv', `x,${index}.00\n`);
        proxy.arm(fault);
        await world.poll().catch(() => {});
        expect(proxy.faultsUsed).toBe(index + 1);
        await world.poll();
        expect(await world.names()).toEqual([]);
        expect(await world.jobs()).toBe(index + 1);
      }
    });

    it('that falls silent is left in time, and used again when the service answers', async () => {
      const proxy = await startBreakable();
      await world.put('a.csv', 'x,1.00\n');
      const silent = await startTcpProxy({ host: '127.0.0.1', port: server.port });
      for (let armed = 0; armed < 2; armed++) {
        world.setPort(silent.port);
        silent.arm({ match: /./s, how: 'hold' });
        const failure = world.poll().catch((error: { code: string }) => error.code);
        await silentFaults(silent, armed * 2 + 1);
        silent.arm({ match: /./s, how: 'hold' });
        expect(await failure).toBe('E_SOURCE_TIMEOUT');
      }
      await silent.close();
      await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_UNREACHABLE' });
      world.setPort(proxy.port);
      expect((await world.poll()).verdicts.accepted).toBe(1);
    });

    it('is made to no address that the policy of the tenant closes, and without TLS only where it allows that', async () => {
      await world.put('a.csv', 'x,1.00\n');
      const open = world.settings.blob!;
      world.settings.blob = { ...open, egress: { allowPrivate: [], allowPlain: true } };
      await expect(world.poll()).rejects.toMatchObject({ code: 'E_SSRF' });
      world.settings.blob = { ...open, egress: { ...open.egress, allowPlain: false } };
      await expect(world.poll()).rejects.toMatchObject({ code: 'E_TARGET', message: expect.stringContaining('allowPlain') });
      world.settings.blob = open;
      expect((await world.poll()).verdicts.accepted).toBe(1);
    });

    it('whose credentials are refused reads nothing until they are exchanged', async () => {
      if (server.otherCredentials === null) return;
      await world.put('a.csv', 'x,1.00\n');
      world.setCredentials(server.otherCredentials);
      await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_CREDENTIALS' });
      world.setCredentials({ kind: 'account-key', accountKey: 'no base64 at all' });
      await expect(world.poll()).rejects.toMatchObject({ code: 'E_SOURCE_CREDENTIALS' });
      world.setCredentials(server.credentials);
      expect((await world.poll()).verdicts.accepted).toBe(1);
    });

    it('is probed by listing, with the credentials as they are, and nothing is read or taken', async () => {
      await world.put('a.csv', 'x,1.00\n');
      const probe = async () => {
        const found = await withTenant(database.db, world.tenantId, (tx) => world.plans.bySource(tx, world.flow.flowId, 'in'));
        const places = { folders: openFence, sftp: noSftp, blobs: world.blobs, ports: systemPorts };
        return probeSource(places, { key: 'probe', flow: found!.flow, source: found!.source }, 30_000);
      };
      expect(await probe()).toMatchObject({ isReachable: true, message: expect.stringContaining('one file') });
      expect([await world.names(), await world.arrivals()]).toEqual([['a.csv'], []]);
      world.settings.blob = { ...world.settings.blob!, egress: { allowPrivate: [], allowPlain: true } };
      expect(await probe()).toMatchObject({ isReachable: false, code: 'E_SSRF' });
    });

    it('to a bucket or container that is not there says so', async () => {
      const { blob, ...rest } = world.settings.blob!;
      const service: BlobService = server.service('never-made');
      world.settings.blob = { ...rest, blob: { ...blob, service } };
      await expect(world.poll()).rejects.toMatchObject({
        code: 'E_SOURCE',
        message: expect.stringContaining('no such bucket or container'),
      });
    });
  });

async function silentFaults(proxy: { readonly faultsUsed: number }, count: number): Promise<void> {
  await vi.waitUntil(() => proxy.faultsUsed >= count, { timeout: 60_000, interval: 10 });
}
