import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { itWith } from '../../../../test/support/components.ts';
import { openFence } from '../../../../test/support/open-fence.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { makeSshKey, startSshd } from '../../../../test/support/sshd.ts';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { createSecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { noBlobs } from '../arrivals.fixture.ts';
import { probeSource } from '../source-probe.ts';
import { createSftpPlaces } from './sftp-places.ts';
import { createSftpWorld, type SftpWorld } from './sftp-world.fixture.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const it = itWith('sshd');
const timeoutMs = 10_000;

async function startProbed() {
  const sshd = await startSshd({ folder: '/' });
  onTestFinished(() => sshd.stop());
  const world = await createSftpWorld(database, sshd);
  const sftp = createSftpPlaces({
    secrets: { of: () => createSecretResolver({ env: {}, limits: null }) },
    resolveHost: async () => ['127.0.0.1'],
    ports: systemPorts,
    keptMax: 0,
  });
  onTestFinished(() => sftp.close());
  const probe = async (within = timeoutMs) =>
    probeSource({ folders: openFence, blobs: noBlobs, sftp, ports: systemPorts }, { key: 'probe', ...(await planOf(world)) }, within);
  return { sshd, world, probe };
}

/** As a poll gets it. */
async function planOf({ plans, tenantId, flow }: SftpWorld) {
  const found = await withTenant(database.db, tenantId, (tx) => plans.bySource(tx, flow.flowId, 'inbox'));
  return { flow: found!.flow, source: found!.source };
}

it('a server is logged in to and its folder listed, and no file is read or moved', async () => {
  const { sshd, world, probe } = await startProbed();
  world.put('a.csv', 'x,1.00\n');
  expect(await probe()).toMatchObject({ isReachable: true, message: 'the place can be listed and holds one file' });
  expect([world.names(), await world.jobs()]).toEqual([['a.csv'], 0]);
  expect(await probe()).toMatchObject({ isReachable: true });
  expect([...sshd.log().matchAll(/Accepted publickey/g)]).toHaveLength(2);
});

it('a host key to which it is not pinned is refused', async () => {
  const { world, probe } = await startProbed();
  world.setServer({ hostKeys: [makeSshKey('ed25519').publicKey] });
  expect(await probe()).toMatchObject({ isReachable: false, code: 'E_SOURCE_HOST_KEY' });
});

it('a wrong key is refused, also after a right one', async () => {
  const { world, probe } = await startProbed();
  expect(await probe()).toMatchObject({ isReachable: true });
  writeFileSync(world.secretFile, makeSshKey('ed25519').privateKey);
  expect(await probe()).toMatchObject({ isReachable: false, code: 'E_SOURCE_CREDENTIALS' });
});

it('a server that takes connections and says nothing costs the time of a probe and no more', async () => {
  const { sshd, world, probe } = await startProbed();
  const proxy = await startTcpProxy({ host: sshd.host, port: sshd.port });
  onTestFinished(() => proxy.close());
  proxy.arm({ match: /./s, how: 'hold' });
  world.setServer({ port: proxy.port });
  expect(await probe(200)).toMatchObject({ isReachable: false, code: 'E_SOURCE_TIMEOUT' });
});
