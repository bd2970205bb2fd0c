import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { achFile } from '../../src/pipeline/formats/nacha/ach-files.fixture.ts';
import { sampleBatches } from '../../src/pipeline/formats/nacha/sample-batches.fixture.ts';
import { hasComponent, itWith } from '../support/components.ts';
import { type Gnupg, startGnupg } from '../support/gnupg.ts';
import { auditJob } from '../support/job-audit.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, testFlow, testRows } from '../support/running-server.ts';
import { verifiedBy } from '../support/served-export.ts';
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

itWith('gpg')(
  'ACH files in an encrypted archive verify as far as they can be looked into, a damaged one and one with warnings too',
  async () => {
    const tenant = await server.tenant('acme');
    const root = join(server.out, 'acme-ach');
    mkdirSync(root);
    const out = `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: ach-out }\nspec: { type: folder, root: ${JSON.stringify(root)} }\n`;
    const flow = `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: ach, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http, unpack: [pgp, zip], pgp: bank-keys }]
  format: { type: nacha }
  routes: { default: { to: [out] } }
  targets: { out: { type: file, connection: ach-out, path: out, format: ndjson, name: "{file}-{number}.ndjson" } }
`;
    await tenant.apply(keys, out, flow);
    const text = achFile(sampleBatches.PPD).text();
    const sent = [
      { name: 'warned.ach', content: text.replace(/^9{94}\n/gm, '') },
      { name: 'damaged.ach', content: achFile(sampleBatches.PPD).set('batchControl', 'totalDebit', 1).text() },
    ];
    const message = gnupg.encrypt(zipArchive(sent), { recipients: ['bank@example.org'], signer: 'sender@example.org' });
    const { json } = await server.upload(tenant.key, { flow: 'ach', name: 'ach.zip.pgp', body: message });
    const [warned, damaged] = json.members as { jobId: string }[];
    expect(await server.settle(tenant.key, warned!.jobId)).toMatchObject({ state: 'completed', warnings: [{ rule: 'filler-count' }] });
    expect(await server.settle(tenant.key, damaged!.jobId)).toMatchObject({ state: 'held', reasonCode: 'E_NACHA_TOTAL' });
    await server.request(`/v1/jobs/${damaged!.jobId}/reject`, { key: tenant.key, method: 'POST', body: { reason: 'totals' } });
    await server.settle(tenant.key, damaged!.jobId);
    for (const { jobId } of [warned!, damaged!]) {
      const { files, report } = await auditJob(server, tenant, jobId);
      expect(report).toMatchObject({ isSound: true, failures: [] });
      expect(report.notes.join(' ')).toContain('What the format found about the file as a whole is stated');
      // What no pack can find is not believed.
      const receipt = files
        .get('receipt.json')!
        .toString('utf8')
        .replaceAll('filler-count', 'made-up')
        .replaceAll('E_NACHA_TOTAL', 'E_NACHA_FIELD');
      const forged = await verifiedBy(server, new Map([...files, ['receipt.json', Buffer.from(receipt)]]));
      expect(forged.failures.map(({ code }) => code)).toContain(jobId === warned!.jobId ? 'E_VERIFY_REJECTIONS' : 'E_VERIFY_VERDICT');
    }
  },
);
