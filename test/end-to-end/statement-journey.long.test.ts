/** The whole way of statements and payments of the banks: the product as it serves, and an auditor who believes none of it. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { account, detailOnly, fileOf } from '../../src/pipeline/formats/bai2/bai2-files.fixture.ts';
import { finMessage, requestFields, statementFields, transferFields } from '../../src/pipeline/formats/swift-mt/swift-files.fixture.ts';
import { auditJob } from '../support/job-audit.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant } from '../support/running-server.ts';

let database: TestDatabase;
let server: RunningTestServer;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database, { chunkBytes: '65536' });
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const formats = {
  bai2: {
    format: '{ type: bai2 }',
    set: '{ key: "string(record.groupNumber) + \'-\' + string(record.detailNumber)", amount: record.amount, text: record.text }',
  },
  statements: {
    format: '{ type: swift-mt, messages: statements }',
    set: '{ key: "string(record.messageNumber) + \'-\' + string(record.entryNumber)", amount: record.bookedAmount, text: record.information }',
  },
  payments: {
    format: '{ type: swift-mt, messages: payments }',
    set: '{ key: "coalesce(record.transactionReference, record.senderReference)", amount: record.amount, text: record.beneficiary }',
  },
} as const;
type Kind = keyof typeof formats;

const documents = (root: string, kind: Kind) => [
  `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: out }
spec: { type: folder, root: ${JSON.stringify(root)} }
`,
  `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: treasury, name: reports, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http, unpack: gzip }]
  format: ${formats[kind].format}
  transform: [{ id: shape, set: ${formats[kind].set} }]
  routes: { default: { to: [out] } }
  targets: { out: { type: file, connection: out, path: out, format: ndjson, name: "{file}-{number}.ndjson" } }
`,
];

interface Given {
  readonly tenant: TestTenant;
  readonly root: string;
}

async function bank(name: string, kind: Kind): Promise<Given> {
  const tenant = await server.tenant(name);
  const root = join(server.out, name);
  mkdirSync(root);
  await tenant.apply(...documents(root, kind));
  return { tenant, root };
}

async function send({ tenant }: Given, text: string) {
  const { json, status } = await server.upload(tenant.key, { flow: 'reports', name: 'in.txt.gz', body: gzipSync(Buffer.from(text)) });
  expect(status).toBe(201);
  return await server.settle(tenant.key, json.jobId);
}

function deliveredTo({ root }: Given): Record<string, string>[] {
  return readdirSync(join(root, 'out'))
    .flatMap((name) => readFileSync(join(root, 'out', name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, string>);
}

async function expectSound(given: Given, jobId: string): Promise<void> {
  expect((await auditJob(server, given.tenant, jobId)).report).toMatchObject({ isSound: true, failures: [] });
}

/** Bigger than what a pack of small files takes, in several chunks. */
const bigReport = fileOf([Array.from({ length: 40 }, () => account)]);

it.each([
  ['bai2', bigReport, 160, { key: '1-1', amount: '15000.0000', text: 'DEALER PAYMENTS' }],
  [
    'statements',
    finMessage('940', statementFields).repeat(2),
    8,
    { key: '1-1', amount: '-800.0000', text: expect.stringMatching(/^008\?00/) },
  ],
  [
    'payments',
    finMessage('103', transferFields) + finMessage('101', requestFields),
    3,
    { key: 'PAYREF123', amount: '1000.5000', text: 'JOHN DOE' },
  ],
] as const)(
  'delivers the records of a file of %s, and the export verifies from the file as received',
  async (kind, text, records, first) => {
    const given = await bank(`bank-${kind}`, kind);
    const job = await send(given, text);
    expect(job).toMatchObject({ state: 'completed', records: { read: records, valid: records, rejected: 0 } });
    const delivered = deliveredTo(given);
    expect(delivered).toHaveLength(records);
    expect(delivered[0]).toEqual(first);
    expect(new Set(delivered.map(({ key }) => key)).size).toBe(records);
    await expectSound(given, job.jobId);
  },
);

it.each([
  [
    'bai2',
    bigReport.replace('16,115,1000,S', '16,115,1000,X'),
    159,
    { code: 'E_BAI2_FIELD', field: 'fundsType', rule: 'funds-type', record: 2 },
  ],
  [
    'payments',
    finMessage('101', requestFields).replace(':71A:SHA', ':71A:ALL'),
    1,
    { code: 'E_SWIFT_FIELD', field: '71A', rule: 'charges-code', record: 1 },
  ],
] as const)('rejects a record of %s for what its pack found, and an auditor finds the same', async (kind, text, valid, finding) => {
  const given = await bank(`bank-partial-${kind}`, kind);
  const job = await send(given, text);
  expect(job).toMatchObject({ state: 'completed', records: { read: valid + 1, valid, rejected: 1 } });
  const { json } = await server.request(`/v1/jobs/${job.jobId}/errors`, { key: given.tenant.key });
  expect(json.items[0]).toMatchObject(finding);
  await expectSound(given, job.jobId);
});

it.each([
  ['bai2', detailOnly('16,475,100,,,,', 100).replace('99,100,', '99,101,'), 1, 'E_BAI2_TOTAL'],
  ['statements', finMessage('940', statementFields).replace('EUR4389,00', 'EUR4390,00'), 4, 'E_SWIFT_TOTAL'],
  ['statements', finMessage('940', statementFields) + finMessage('103', transferFields), 4, 'E_SWIFT_STRUCTURE'],
] as const)('holds a file of %s that does not add up or has other messages: %#', async (kind, text, read, code) => {
  const given = await bank(`bank-held-${kind}-${code.slice(-5).toLowerCase()}`, kind);
  const job = await send(given, text);
  expect(job).toMatchObject({ state: 'held', records: { read } });
  expect(JSON.stringify(job)).toContain(code);
  const path = `/v1/jobs/${job.jobId}/reject`;
  expect((await server.request(path, { key: given.tenant.key, method: 'POST', body: { reason: 'asked for again' } })).status).toBe(200);
  await server.settle(given.tenant.key, job.jobId);
  await expectSound(given, job.jobId);
});
