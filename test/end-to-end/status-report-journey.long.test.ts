/** What the sender of a payment initiation is told: a pain.002 that the flow writes when the file is closed. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { creditTransfers, readMessage } from '../../src/pipeline/formats/iso20022/iso20022-files.fixture.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { auditJob } from '../support/job-audit.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant } from '../support/running-server.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
let root: string;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database);
  tenant = await server.tenant('bank-eu');
  root = join(server.out, 'eu');
  for (const folder of ['in', 'answers']) mkdirSync(join(root, folder), { recursive: true });
  await tenant.apply(...documents());
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const documents = () => [
  `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: out }
spec: { type: folder, root: ${JSON.stringify(root)} }
`,
  `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: transfers, version: 1.0.0 }
spec:
  sources: [{ id: drop, type: folder, connection: out, path: in, match: "*.xml", poll: 1s, ready: { stableFor: 1s } }]
  format: { type: iso20022, message: pain.001 }
  acceptance: { onDamage: reject }
  acknowledge: { format: pain.002, levels: [record], to: drop, path: answers, name: "{file}.{number}.{extension}" }
  transform:
    - id: shape
      set: { id: record.endToEndId, amount: record.amount }
  routes: { default: { to: [ledger] } }
  targets: { ledger: { type: file, connection: out, path: ledger, format: ndjson, name: "{file}-{number}.ndjson" } }
`,
];

/** The answer that the flow writes to a file of that content. */
async function answerTo(name: string, content: string) {
  writeFileSync(join(root, 'in', name), content);
  const answer = await vi.waitUntil(() => readdirSync(join(root, 'answers')).find((each) => each.startsWith(`${name}.`)), {
    timeout: 60_000,
    interval: 50,
  });
  const bytes = readFileSync(join(root, 'answers', answer));
  const { findings, document } = readMessage(bytes);
  expect(findings).toEqual([]);
  const { message, Document } = JSON.parse(document);
  return { message, report: Document.CstmrPmtStsRpt, bytes };
}

async function jobOf(name: string) {
  const { json } = await server.request('/v1/files', { key: tenant.key });
  const { fileId } = json.items.find((each: { name: string }) => each.name === name);
  const jobs = await server.request('/v1/jobs', { key: tenant.key });
  return { fileId, job: jobs.json.items.find((each: { fileId: string }) => each.fileId === fileId) };
}

it('accepts a message, and the same bytes can be asked for', async () => {
  const { message, report, bytes } = await answerTo('good.xml', creditTransfers);
  expect(message).toBe('pain.002.001.10');
  expect(report.OrgnlGrpInfAndSts).toMatchObject({
    OrgnlMsgId: 'M-1',
    OrgnlMsgNmId: 'pain.001.001.09',
    OrgnlNbOfTxs: '3',
    OrgnlCtrlSum: '60.35',
    GrpSts: 'ACSP',
  });
  expect(report.OrgnlPmtInfAndSts).toMatchObject([
    { OrgnlPmtInfId: 'A', PmtInfSts: 'ACSP', OrgnlNbOfTxs: '2', OrgnlCtrlSum: '30.35' },
    { OrgnlPmtInfId: 'B', PmtInfSts: 'ACSP' },
  ]);
  expect(report.OrgnlPmtInfAndSts[0].TxInfAndSts).toBeUndefined();
  const { fileId } = await jobOf('good.xml');
  const path = `/v1/files/${fileId}/acknowledgement?level=record&format=pain.002`;
  const asked = await server.request(path, { key: tenant.key });
  expect([asked.type, asked.body]).toEqual(['application/xml', bytes.toString('utf8')]);
  const file = await server.request(path.replace('record', 'file'), { key: tenant.key });
  const ofFile = JSON.parse(readMessage(file.body).document).Document.CstmrPmtStsRpt;
  expect(ofFile.OrgnlGrpInfAndSts.GrpSts).toBe('ACSP');
  const { job } = await jobOf('good.xml');
  const id = job.jobId.replaceAll('-', '');
  expect([ofFile.GrpHdr.MsgId, report.GrpHdr.MsgId]).toEqual([`${id}-F`, `${id}-R`]);
});

it('says which transactions are rejected and why, by payment information', async () => {
  const wrong = creditTransfers.replace('DE89370400440532013000', 'DE89370400440532013001').replace('M-1', 'M-2');
  const { report } = await answerTo('partial.xml', wrong);
  expect(report.OrgnlGrpInfAndSts).toMatchObject({ OrgnlMsgId: 'M-2', GrpSts: 'PART' });
  const [a, b] = report.OrgnlPmtInfAndSts;
  expect([a.PmtInfSts, b.PmtInfSts]).toEqual(['PART', 'ACSP']);
  expect(a.TxInfAndSts).toMatchObject([
    {
      OrgnlInstrId: 'A1',
      OrgnlEndToEndId: 'E2E-A1',
      TxSts: 'RJCT',
      StsRsnInf: [{ Rsn: { Cd: 'AC01' }, AddtlInf: expect.arrayContaining([expect.stringContaining('IBAN')]) }],
    },
  ]);
  const { job } = await jobOf('partial.xml');
  expect((await auditJob(server, tenant, job.jobId)).report).toMatchObject({ isSound: true, failures: [] });
});

it.each([
  ['not-xml.xml', creditTransfers.slice(0, 900), 'FF01', 'M-1'],
  ['schema.xml', creditTransfers.replace('<PmtMtd>TRF', '<PmtMtd>TRX').replace('M-1', 'M-3'), 'CH16', 'M-3'],
  ['count.xml', creditTransfers.replace('<NbOfTxs>3', '<NbOfTxs>abc').replace('M-1', 'M-5'), 'CH16', 'M-5'],
  ['sum.xml', creditTransfers.replace('<CtrlSum>60.35', '<CtrlSum>60.36').replace('M-1', 'M-4'), 'AM16', 'M-4'],
])('rejects a message as a whole, with the reason: %s', async (name, content, code, messageId) => {
  const { report } = await answerTo(name, content);
  expect(report.OrgnlGrpInfAndSts).toMatchObject({ OrgnlMsgId: messageId, GrpSts: 'RJCT' });
  // Only the fault itself: what could not be read or compared because of it is none of its own.
  expect(report.OrgnlGrpInfAndSts.StsRsnInf.map((reason: { Rsn: { Cd: string } }) => reason.Rsn.Cd)).toEqual([code]);
  expect(existsSync(join(root, 'ledger')) ? readdirSync(join(root, 'ledger')).filter((each) => each.startsWith(name)) : []).toEqual([]);
  const { job } = await jobOf(name);
  expect((await auditJob(server, tenant, job.jobId)).report).toMatchObject({ isSound: true, failures: [] });
});

it('keeps two payment informations of one identification apart', async () => {
  const content = creditTransfers
    .replace('<PmtInfId>B<', '<PmtInfId>A<')
    .replace('DE89370400440532013000', 'DE89370400440532013001')
    .replace('M-1', 'M-6');
  const { report } = await answerTo('twins.xml', content);
  expect(report.OrgnlPmtInfAndSts).toMatchObject([
    { OrgnlPmtInfId: 'A', PmtInfSts: 'PART', OrgnlNbOfTxs: '2', TxInfAndSts: [{ OrgnlInstrId: 'A1' }] },
    { OrgnlPmtInfId: 'A', PmtInfSts: 'ACSP' },
  ]);
});

it('does not say that a cancelled message is rejected of which nobody knows whether it was passed on', async () => {
  const sink = await startHttpSink(({ method }) => (method === 'POST' ? { isLost: true } : {}));
  await tenant.apply(
    `apiVersion: headgate/v1
kind: TenantPolicy
metadata: { tenant: TENANT, name: policy }
spec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }
`,
    `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: api }
spec: { type: http, baseUrl: "${sink.url}" }
`,
    documents()[1]!
      .replace('name: transfers', 'name: posted')
      .replaceAll('path: in', 'path: in-posted')
      .replace(/targets: .*/, 'targets: { ledger: { type: http, connection: api, path: /in, onUnknown: hold, batch: { size: 100 } } }'),
  );
  mkdirSync(join(root, 'in-posted'), { recursive: true });
  writeFileSync(join(root, 'in-posted', 'lost.xml'), creditTransfers.replace('M-1', 'M-7'));
  const batch = await vi.waitUntil(
    async () => {
      const { json } = await server.request('/v1/batches?state=held', { key: tenant.key });
      return json.items?.[0];
    },
    { timeout: 60_000, interval: 50 },
  );
  expect([batch.mayHaveArrived, sink.requests.length]).toEqual([true, 1]);
  const { job, fileId } = await jobOf('lost.xml');
  const cancelled = await server.request(`/v1/jobs/${job.jobId}/cancel`, {
    key: tenant.key,
    method: 'POST',
    body: { reason: 'wrong file' },
  });
  expect(cancelled.status).toBe(200);
  await vi.waitUntil(() => readdirSync(join(root, 'answers')).some((each) => each.startsWith('lost.xml.')), { timeout: 60_000 });
  const asked = await server.request(`/v1/files/${fileId}/acknowledgement?level=record&format=pain.002`, { key: tenant.key });
  const { OrgnlGrpInfAndSts: group } = JSON.parse(readMessage(asked.body).document).Document.CstmrPmtStsRpt;
  expect([group.GrpSts, group.StsRsnInf]).toEqual([
    'PDNG',
    [
      {
        Rsn: { Cd: 'NARR' },
        AddtlInf: ['the message was cancelled; whether 3 of 3 valid transactions were passed on before is not known; ask'],
      },
    ],
  ]);
});

it('says that the profile of the customer was checked, where the flow has its next version say so', async () => {
  const [, flow] = documents();
  await tenant.apply(flow!.replace('version: 1.0.0', 'version: 1.1.0').replace('format: pain.002,', 'format: pain.002, acceptedAs: ACCP,'));
  const { report } = await answerTo('checked.xml', creditTransfers.replace('M-1', 'M-8'));
  expect([report.OrgnlGrpInfAndSts.GrpSts, report.OrgnlPmtInfAndSts[0].PmtInfSts]).toEqual(['ACCP', 'ACCP']);
});

it('is read with the right to reveal alone where the policy masks what it names transactions by', async () => {
  const [, flow] = documents();
  await tenant.apply(
    flow!
      .replace('version: 1.0.0', 'version: 1.2.0')
      .replace('  format:', '  schema: { record: { fields: { endToEndId: { type: string, class: reference } } } }\n  format:'),
  );
  await answerTo('named.xml', creditTransfers.replace('M-1', 'M-9'));
  const { fileId } = await jobOf('named.xml');
  const asked = async (key: string, format = 'pain.002') =>
    (await server.request(`/v1/files/${fileId}/acknowledgement?level=record&format=${format}`, { key })).status;
  expect(await asked(tenant.key)).toBe(200);
  await tenant.apply(
    'apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { masking: { reference: all } }\n',
  );
  const revealing = await tenant.makeKey(['files:read', 'records:reveal']);
  expect([await asked(tenant.key), await asked(tenant.key, 'csv'), await asked(revealing)]).toEqual([403, 200, 200]);
});
