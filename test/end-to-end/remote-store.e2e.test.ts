import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { checkObjectStore } from '../../src/cli/doctor-object-store.ts';
import { resolveSettings } from '../../src/platform/base/settings.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { openRawStore } from '../../src/platform/storage/raw-store.ts';
import type { BlobServer } from '../support/blob-server.ts';
import { blobServerEntries, itWithBlobServer } from '../support/blob-servers.ts';
import { hasComponent } from '../support/components.ts';
import { type Gnupg, startGnupg } from '../support/gnupg.ts';
import { auditJob } from '../support/job-audit.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from '../support/running-server.ts';
import { zipArchive } from '../support/zip-archive.ts';

let database: TestDatabase;
let gnupg: Gnupg | undefined;
beforeAll(async () => {
  database = await createTestDatabase();
  if (!hasComponent('gpg')) return;
  gnupg = startGnupg();
  for (const user of ['bank@example.org', 'sender@example.org']) gnupg.makeKey(user);
});
afterAll(async () => {
  gnupg?.close();
  await database.drop();
});

const loopback = '127.0.0.1';

/** As settings and their secrets say it. */
function settingsOf(server: BlobServer, container: string) {
  const service = server.service(container, server.port, loopback);
  const endpoint = encodeURIComponent(service.endpoint!);
  const { kind, ...secrets } = server.credentials;
  const objectStore = {
    s3: `s3://${container}/objects?region=us-east-1&endpoint=${endpoint}`,
    'azure-blob': `azure-blob://devstoreaccount1/${container}/objects?endpoint=${endpoint}`,
    gcs: `gcs://${container}/objects?endpoint=${endpoint}`,
  }[service.kind];
  const [first, second] = Object.values(secrets);
  const env: Record<string, string> = {
    HEADGATE_MASTER_KEY: 'env:MASTER',
    MASTER: Buffer.alloc(32, 9).toString('base64'),
    HEADGATE_OBJECT_STORE_SECRET: 'env:STORE_SECRET',
    STORE_SECRET: second ?? first!,
    ...(kind === 'access-key' && { HEADGATE_OBJECT_STORE_KEY_ID: 'env:STORE_KEY_ID', STORE_KEY_ID: first! }),
  };
  return { objectStore, env, service };
}

describe('a served flow with its objects in a container', () => {
  for (const [name, start] of blobServerEntries)
    itWithBlobServer(name)(`of ${name} takes, delivers and gives back files, and keeps nothing here`, async () => {
      const blobs = await start();
      onTestFinished(() => blobs.stop());
      await blobs.makeContainer('cell');
      const { objectStore, env, service } = settingsOf(blobs, 'cell');
      const prefix = `HEADGATE_SECRET_STORE_${name.toUpperCase().replaceAll('-', '_')}__`;
      const server = await startTestServer(database, { objectStore }, undefined, { ...env, ...(gnupg && pgpSecrets(gnupg, prefix)) });
      onTestFinished(() => server.stop());
      const tenant = await server.tenant(`store-${name}`);
      await tenant.apply(...testFlow({ root: server.out }));
      const job = await server.upload(tenant.key, { flow: 'payments', name: 'a.csv', body: testRows(5_000, 2) });
      expect(await server.settle(tenant.key, job.json.jobId)).toMatchObject({
        state: 'completed',
        records: { read: 5_002, valid: 5_000, rejected: 2 },
      });
      const delivered = readdirSync(join(server.out, 'out')).map((name) => readFileSync(join(server.out, 'out', name), 'utf8'));
      expect(delivered.join('').trim().split('\n')).toHaveLength(5_000);
      await expectUnpacked(server, tenant, prefix);
      const ready = await fetch(`${server.url}/readyz`);
      expect(ready.status).toBe(200);
      expect(existsSync(join(server.settings.dataDir, 'objects'))).toBe(false);
      const raw = openRawStore({ root: '', remote: { service, credentials: blobs.credentials, folder: 'objects/' } }, systemPorts.rng);
      const kinds = new Set([...raw.list('')].map(({ name }) => name.split('/')[2]));
      expect([...kinds].sort()).toEqual(expect.arrayContaining(['raw']));
    });
});

const pgpSecrets = (keys: Gnupg, prefix: string) => ({
  [`${prefix}OWN`]: keys.privateKey('bank@example.org'),
  [`${prefix}SENDER`]: keys.publicKey('sender@example.org'),
});

/** An archive, encrypted and signed where there is gpg: what its steps keep meanwhile lies in the store, and each member is proven from it. */
async function expectUnpacked(server: RunningTestServer, tenant: TestTenant, prefix: string): Promise<void> {
  const steps = gnupg ? '[pgp, zip], pgp: keys' : 'zip';
  const keys = `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: keys }
spec: { type: pgp, privateKey: "env:${prefix}OWN", signers: ["env:${prefix}SENDER"] }
`;
  await tenant.apply(keys, testFlow({ name: 'packed', more: `, unpack: ${steps}` })[1]!.replace('path: out,', 'path: packed,'));
  const sent = [3_000, 20].map((rows, index) => ({ name: `part-${index}.csv`, content: testRows(rows, 1, index) }));
  const archive = zipArchive(sent);
  const body = gnupg?.encrypt(archive, { recipients: ['bank@example.org'], signer: 'sender@example.org' }) ?? archive;
  const answer = await server.upload(tenant.key, { flow: 'packed', name: 'day.zip', body });
  expect(answer.json).toMatchObject({ state: 'unpacked' });
  for (const [index, { jobId }] of (answer.json.members as { jobId: string }[]).entries()) {
    expect(await server.settle(tenant.key, jobId)).toMatchObject({ state: 'completed' });
    const { report, files } = await auditJob(server, tenant, jobId);
    expect(report).toMatchObject({ isSound: true, failures: [] });
    expect(files.get('container.bin')!.equals(body)).toBe(true);
    expect(files.get('member.bin')!.toString()).toBe(sent[index]!.content);
  }
}

describe('doctor', () => {
  const findingsOf = (objectStore: string, env: Record<string, string>) =>
    checkObjectStore(resolveSettings({ flags: { objectStore }, env: settingVariables(env) }), env);

  for (const [name, start] of blobServerEntries)
    itWithBlobServer(name)(`uses a store of ${name} and says what it finds`, async () => {
      const blobs = await start();
      onTestFinished(() => blobs.stop());
      await blobs.makeContainer('cell');
      const { objectStore, env } = settingsOf(blobs, 'cell');
      expect(await findingsOf(objectStore, env)).toMatchObject([{ check: 'object store', result: 'ok' }]);
      const { objectStore: missing } = settingsOf(blobs, 'never-made');
      expect(await findingsOf(missing, env)).toMatchObject([
        { result: 'failed', message: expect.stringContaining('no such bucket or container') },
      ]);
      const { STORE_SECRET: _secret, ...rest } = env;
      expect(await findingsOf(objectStore, rest)).toMatchObject([{ result: 'failed', message: expect.stringContaining('E_SECRET') }]);
      if (blobs.otherCredentials === null) return;
      const { kind: _kind, ...other } = blobs.otherCredentials;
      expect(await findingsOf(objectStore, { ...env, STORE_SECRET: Object.values(other)[0]! })).toMatchObject([
        { result: 'failed', message: expect.stringContaining('refused the credentials') },
      ]);
    });
});

/** Without those that only references lead to. */
function settingVariables(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('HEADGATE_')));
}
