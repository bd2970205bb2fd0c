/** An archive of payment messages that its sender encrypted and signed, and the status reports and payments that leave encrypted and signed for it. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { creditTransfers, readMessage } from '../../src/pipeline/formats/iso20022/iso20022-files.fixture.ts';
import { hasComponent, itWith } from '../support/components.ts';
import { type Gnupg, startGnupg } from '../support/gnupg.ts';
import { auditJob } from '../support/job-audit.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer } from '../support/running-server.ts';
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
    HEADGATE_SECRET_BANK__OWN: gnupg.privateKey('bank@example.org', 'bank phrase'),
    HEADGATE_SECRET_BANK__PHRASE: 'bank phrase',
    HEADGATE_SECRET_BANK__SENDER: gnupg.publicKey('sender@example.org'),
  };
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database, { chunkBytes: '65536' }, undefined, env);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
  gnupg?.close();
});

const documents = (root: string) => [
  `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: bank-keys }
spec:
  type: pgp
  privateKey: env:HEADGATE_SECRET_BANK__OWN
  passphrase: env:HEADGATE_SECRET_BANK__PHRASE
  signers: [env:HEADGATE_SECRET_BANK__SENDER]
`,
  `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: sender }
spec:
  type: folder
  root: ${JSON.stringify(root)}
  pgpRecipients: [env:HEADGATE_SECRET_BANK__SENDER]
  pgpSigningKey: env:HEADGATE_SECRET_BANK__OWN
  pgpPassphrase: env:HEADGATE_SECRET_BANK__PHRASE
`,
  `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: transfers, version: 1.0.0 }
spec:
  sources: [{ id: drop, type: folder, connection: sender, path: in, match: "*.zip.pgp", unpack: [pgp, zip], pgp: bank-keys, poll: 1s, ready: { stableFor: 1s } }]
  format: { type: iso20022, message: pain.001 }
  acceptance: { onDamage: reject }
  acknowledge: { format: pain.002, levels: [record], to: drop, path: answers, name: "{file}.{number}.{extension}", encrypt: true, sign: true }
  transform: [{ id: shape, set: { id: record.endToEndId, amount: record.amount } }]
  routes: { default: { to: [ledger] } }
  targets: { ledger: { type: file, connection: sender, path: ledger, format: ndjson, name: "{number}.{extension}", encrypt: true, sign: true } }
`,
];

itWith('gpg')('answers each message of an encrypted archive with a status report that only its sender can read', async () => {
  const tenant = await server.tenant('bank');
  const root = join(server.out, 'bank');
  for (const folder of ['in', 'answers']) mkdirSync(join(root, folder), { recursive: true });
  await tenant.apply(...documents(root));
  const messages = [
    creditTransfers,
    creditTransfers.replace('DE89370400440532013000', 'DE89370400440532013001').replace('M-1', 'M-2'),
    creditTransfers.replace('<CtrlSum>60.35', '<CtrlSum>60.36').replace('M-1', 'M-3'),
  ];
  const members = messages.map((content, index) => ({ name: `message-${index + 1}.xml`, content }));
  const sent = gnupg.encrypt(zipArchive(members), { recipients: ['bank@example.org'], signer: 'sender@example.org' });
  writeFileSync(join(root, 'day.part'), sent);
  renameSync(join(root, 'day.part'), join(root, 'in', 'day.zip.pgp'));
  const answers = await vi.waitUntil(
    () => {
      const names = readdirSync(join(root, 'answers')).filter((name) => !name.startsWith('.'));
      return names.length === 3 ? names.toSorted() : null;
    },
    { timeout: 60_000, interval: 100 },
  );
  expect(answers).toEqual(['day.zip.pgp.1.xml.pgp', 'day.zip.pgp.2.xml.pgp', 'day.zip.pgp.3.xml.pgp']);
  const opened = (path: string): Buffer => {
    const { content, status } = gnupg.decrypt(readFileSync(path));
    expect(status.join('\n')).toMatch(/^GOODSIG .*bank@example\.org/m);
    return content;
  };
  const told = answers.map((name) => {
    const { findings, document } = readMessage(opened(join(root, 'answers', name)));
    expect(findings).toEqual([]);
    const { OrgnlGrpInfAndSts: group } = JSON.parse(document).Document.CstmrPmtStsRpt;
    return [group.OrgnlMsgId, group.GrpSts];
  });
  expect(told.toSorted()).toEqual([
    ['M-1', 'ACSP'],
    ['M-2', 'PART'],
    ['M-3', 'RJCT'],
  ]);
  const paid = readdirSync(join(root, 'ledger')).map(
    (name) =>
      opened(join(root, 'ledger', name))
        .toString()
        .trim()
        .split('\n').length,
  );
  expect(paid.toSorted()).toEqual([2, 3]);
  const { json } = await server.request('/v1/jobs', { key: tenant.key });
  expect(json.items).toHaveLength(3);
  for (const { jobId } of json.items) expect((await auditJob(server, tenant, jobId)).report).toMatchObject({ isSound: true, failures: [] });
});
