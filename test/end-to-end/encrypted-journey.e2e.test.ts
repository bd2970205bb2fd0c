import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { hasComponent, itWith } from '../support/components.ts';
import { type Gnupg, startGnupg } from '../support/gnupg.ts';
import { auditJob } from '../support/job-audit.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, testFlow, testRows } from '../support/running-server.ts';
import { zipArchive } from '../support/zip-archive.ts';

let database: TestDatabase;
let gnupg: Gnupg;
let server: RunningTestServer;
beforeAll(async () => {
  if (!hasComponent('gpg')) return;
  gnupg = startGnupg();
  gnupg.makeKey('bank@example.org', { passphrase: 'bank phrase' });
  gnupg.makeKey('sender@example.org');
  const env = {
    HEADGATE_SECRET_ACME__OWN: gnupg.privateKey('bank@example.org', 'bank phrase'),
    HEADGATE_SECRET_ACME__PHRASE: 'bank phrase',
    HEADGATE_SECRET_ACME__SENDER: gnupg.publicKey('sender@example.org'),
  };
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database, { chunkBytes: '65536' }, undefined, env);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
  gnupg?.close();
});

const keys = `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: bank-keys }
spec:
  type: pgp
  privateKey: env:HEADGATE_SECRET_ACME__OWN
  passphrase: env:HEADGATE_SECRET_ACME__PHRASE
  signers: [env:HEADGATE_SECRET_ACME__SENDER]
`;

itWith('gpg')('an archive that GnuPG encrypted and signed is delivered, and each file in it has its receipt', async () => {
  const tenant = await server.tenant('acme');
  const root = join(server.out, 'acme');
  mkdirSync(root);
  const [out, flow] = testFlow({ root, more: ', unpack: [pgp, zip], pgp: bank-keys' });
  await tenant.apply(keys, out!, flow!);
  const sent = [1, 2].map((number) => ({ name: `part-${number}.csv`, content: testRows(2_000, number, number) }));
  const message = gnupg.encrypt(zipArchive(sent), { recipients: ['bank@example.org'], signer: 'sender@example.org' });
  const { json, status } = await server.upload(tenant.key, { flow: 'payments', name: 'day.zip.pgp', body: message });
  expect([status, json.state]).toEqual([201, 'unpacked']);
  for (const [index, { jobId }] of (json.members as { jobId: string }[]).entries()) {
    expect(await server.settle(tenant.key, jobId)).toMatchObject({ state: 'completed', records: { valid: 2_000 } });
    const { files, report } = await auditJob(server, tenant, jobId);
    expect(report).toMatchObject({ isSound: true, failures: [] });
    expect(report.notes.join(' ')).toContain('The container is encrypted');
    expect(files.get('container.bin')!.equals(message)).toBe(true);
    expect(files.get('member.bin')!.toString()).toBe(sent[index]!.content);
    expect(JSON.parse(files.get('receipt.json')!.toString()).file).toMatchObject({
      container: { name: 'day.zip.pgp' },
      via: ['pgp', 'zip'],
      member: { name: sent[index]!.name },
    });
  }
  const delivered = readdirSync(join(root, 'out')).map((name) => readFileSync(join(root, 'out', name), 'utf8'));
  expect(delivered.join('').trim().split('\n')).toHaveLength(4_000);
  const unsigned = gnupg.encrypt(zipArchive(sent), { recipients: ['bank@example.org'] });
  const refused = await server.upload(tenant.key, { flow: 'payments', name: 'unsigned.zip.pgp', body: unsigned });
  expect([refused.status, refused.json.code]).toEqual([422, 'E_PGP_UNSIGNED']);
});
