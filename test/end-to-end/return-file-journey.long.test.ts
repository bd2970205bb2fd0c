/** What the sender of an ACH file gets back: a file of returns, with an entry for each one that the flow rejected. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { achFile, readAch } from '../../src/pipeline/formats/nacha/ach-files.fixture.ts';
import { sampleBatches } from '../../src/pipeline/formats/nacha/sample-batches.fixture.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant } from '../support/running-server.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
/** A file of returns holds accounts in the clear. */
let revealing: string;
let root: string;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database);
  tenant = await server.tenant('bank-us');
  revealing = await tenant.makeKey(['files:read', 'records:reveal']);
  root = join(server.out, 'us');
  for (const folder of ['in', 'returns']) mkdirSync(join(root, folder), { recursive: true });
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
metadata: { tenant: TENANT, service: payments, name: ach, version: 1.0.0 }
spec:
  sources:
    - { id: drop, type: folder, connection: out, path: in, match: "*.ach", poll: 1s, ready: { stableFor: 1s } }
    - { id: upload, type: http }
  format: { type: nacha }
  validate:
    - { id: account-open, assert: "record.DFIAccountNumber != '999'", code: R02, message: "The account is closed" }
    - { id: amount-limit, assert: "record.amount < 4000", code: LIMIT, message: "The amount is above the limit" }
  acknowledge: { format: nacha, levels: [record], to: drop, path: returns, name: "{file}.{number}.{extension}" }
  transform:
    - id: shape
      set: { trace: record.traceNumber, amount: record.amount }
  routes: { default: { to: [ledger] } }
  targets: { ledger: { type: file, connection: out, path: ledger, format: ndjson, name: "{file}-{number}.ndjson" } }
`,
];

async function closed(name: string, text: string) {
  writeFileSync(join(root, 'in', name), text, 'latin1');
  return await vi.waitUntil(
    async () => {
      const files = await server.request('/v1/files', { key: tenant.key });
      const file = files.json.items.find((each: { name: string }) => each.name === name);
      const { json } = await server.request('/v1/jobs', { key: tenant.key });
      const job = json.items.find(
        (each: { fileId: string; closedAt: string | null }) => each.fileId === file?.fileId && each.closedAt !== null,
      );
      return job === undefined ? null : { job, fileId: file.fileId };
    },
    { timeout: 60_000, interval: 50 },
  );
}

it('returns rejected entries with the codes of the rules, their amounts and their trace numbers', async () => {
  const file = achFile(sampleBatches.PPD, sampleBatches.WEB);
  file.set('entryDetail', 'DFIAccountNumber', '999', 0);
  const entry = (index: number) => file.get(file.index('entryDetail', index), 'traceNumber');
  file.set('entryDetail', 'checkDigit', 9, 1);
  const { job, fileId } = await closed('some.ach', file.text());
  expect(job).toMatchObject({ state: 'completed', records: { rejected: 2 } });
  const name = await vi.waitUntil(() => readdirSync(join(root, 'returns')).find((each) => each.startsWith('some.ach.')), {
    timeout: 60_000,
  });
  const bytes = readFileSync(join(root, 'returns', name));
  const { findings, document } = readAch(bytes);
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  const { fileHeader, batches } = JSON.parse(document);
  const { fileHeader: sent } = JSON.parse(readAch(Buffer.from(achFile(sampleBatches.PPD).text())).document);
  expect([fileHeader.immediateDestination, fileHeader.immediateOrigin]).toEqual([sent.immediateOrigin, sent.immediateDestination]);
  const returned = batches.flatMap((batch: { entryDetails: unknown[] }) => batch.entryDetails);
  expect(returned).toMatchObject([
    {
      DFIAccountNumber: '999',
      category: 'Return',
      addenda99: { returnCode: 'R02', originalTrace: entry(0), addendaInformation: expect.stringMatching(/^The account is closed *$/) },
    },
    { category: 'Return', addenda99: { returnCode: 'R28', originalTrace: entry(1) } },
  ]);
  const asked = await server.request(`/v1/files/${fileId}/acknowledgement?level=record&format=nacha`, { key: revealing });
  expect([asked.type, asked.body]).toEqual(['text/plain', bytes.toString('latin1')]);
  for (const key of [tenant.key, await tenant.makeKey(['admin'])]) {
    const refused = await server.request(`/v1/files/${fileId}/acknowledgement?level=record&format=nacha`, { key });
    expect([refused.status, refused.json.code]).toEqual([403, 'E_FORBIDDEN']);
  }
});

it('gives files of returns of one day their own ID modifiers, and no two entries the same trace number', async () => {
  const answers: { modifier: unknown; traces: string[] }[] = [];
  for (const name of ['first.ach', 'second.ach', 'third.ach']) {
    const file = achFile(sampleBatches.PPD, sampleBatches.WEB).set('fileHeader', 'referenceCode', name.slice(0, 5));
    file.set('entryDetail', 'DFIAccountNumber', '999', 0).set('entryDetail', 'checkDigit', 9, 1);
    const { fileId } = await closed(name, file.text());
    const written = await vi.waitUntil(() => readdirSync(join(root, 'returns')).find((each) => each.startsWith(`${name}.`)), {
      timeout: 60_000,
    });
    const bytes = readFileSync(join(root, 'returns', written));
    const { fileHeader, batches } = JSON.parse(readAch(bytes).document);
    const entries = batches.flatMap((batch: { entryDetails: { traceNumber: string }[] }) => batch.entryDetails);
    answers.push({
      modifier: fileHeader.fileIDModifier,
      traces: entries.map(({ traceNumber }: { traceNumber: string }) => traceNumber),
    });
    const asked = await server.request(`/v1/files/${fileId}/acknowledgement?level=record&format=nacha`, { key: revealing });
    expect(asked.body).toBe(bytes.toString('latin1'));
  }
  expect(new Set(answers.map(({ modifier }) => modifier)).size).toBe(3);
  const traces = answers.flatMap((answer) => answer.traces);
  expect(traces).toHaveLength(6);
  expect(traces.map(Number)).toEqual([...new Set(traces)].map(Number).toSorted((a, b) => a - b));
});

it('writes nothing where every entry was taken, and tells who asks that other files can not be answered so', async () => {
  const { job, fileId } = await closed('good.ach', achFile(sampleBatches.PPD).text());
  expect(job.records.rejected).toBe(0);
  const { json } = await server.request(`/v1/files/${fileId}`, { key: tenant.key });
  expect(json.acknowledgements).toEqual([]);
  const asked = await server.request(`/v1/files/${fileId}/acknowledgement?format=pain.002`, { key: tenant.key });
  expect([asked.status, asked.json.code]).toEqual([400, 'E_ACKNOWLEDGEMENT_FORMAT']);
  const returns = await server.request(`/v1/files/${fileId}/acknowledgement?level=record&format=nacha`, { key: revealing });
  expect([returns.status, returns.json.code]).toEqual([422, 'E_NACHA_ANSWER']);
});

it('returns no entry of a file that was rejected as a whole, though some were rejected by themselves', async () => {
  const strict = documents()[1]!
    .replace('name: ach,', 'name: ach-strict,')
    .replace(/ {4}- \{ id: drop.*\n/, '')
    .replace('to: drop', 'connection: out')
    .replace('  format: { type: nacha }', '  format: { type: nacha }\n  acceptance: { maxInvalid: 0, onExceed: reject }');
  await tenant.apply(strict);
  const body = Buffer.from(
    achFile(sampleBatches.PPD).set('fileHeader', 'referenceCode', 'STRICT').set('entryDetail', 'checkDigit', 9, 1).text(),
  );
  const { json: sent } = await server.upload(tenant.key, { flow: 'ach-strict', name: 'strict.ach', body });
  const closedFile = await vi.waitUntil(
    async () => {
      const { json } = await server.request('/v1/jobs', { key: tenant.key });
      return json.items.find((each: { fileId: string; closedAt: string | null }) => each.fileId === sent.fileId && each.closedAt !== null);
    },
    { timeout: 60_000, interval: 50 },
  );
  expect(closedFile).toMatchObject({ state: 'rejected', records: { rejected: 1 } });
  const asked = await server.request(`/v1/files/${sent.fileId}/acknowledgement?level=record&format=nacha`, { key: revealing });
  expect([asked.status, asked.json.code, asked.json.detail]).toEqual([
    422,
    'E_NACHA_ANSWER',
    expect.stringContaining('rejected as a whole'),
  ]);
});

it('gives an answer up at once that can not be made, however often it is tried', async () => {
  const file = achFile(sampleBatches['PPD returned']);
  file.set('entryDetail', 'checkDigit', 9);
  const { job, fileId } = await closed('of-returns.ach', file.text());
  expect(job.records.rejected).toBe(1);
  const told = await vi.waitUntil(
    async () => {
      const { json } = await server.request(`/v1/files/${fileId}`, { key: tenant.key });
      return json.acknowledgements.find(({ attempts }: { attempts: number }) => attempts > 0);
    },
    { timeout: 60_000, interval: 50 },
  );
  expect(told).toMatchObject({ state: 'failed', attempts: 1, reasonCode: 'E_NACHA_ANSWER' });
});

it('takes no upload that it could not answer: one with a Content-Encoding', async () => {
  const text = achFile(sampleBatches.PPD).set('entryDetail', 'checkDigit', 9, 1).text();
  const upload = (body: Uint8Array, headers: Record<string, string> = {}) =>
    server.upload(tenant.key, { flow: 'ach', name: 'sent.ach', body, headers });
  const packed = await upload(gzipSync(text), { 'content-encoding': 'gzip' });
  expect([packed.status, packed.json.code]).toEqual([415, 'E_CONTENT_ENCODING']);
  expect(packed.json.detail).toContain('send it without a Content-Encoding');
  const { status, json } = await upload(Buffer.from(text));
  expect(status).toBe(201);
  const told = await vi.waitUntil(
    async () => {
      const file = await server.request(`/v1/files/${json.fileId}`, { key: tenant.key });
      return file.json.acknowledgements.find(({ state }: { state: string }) => state !== 'pending');
    },
    { timeout: 60_000, interval: 50 },
  );
  expect(told).toMatchObject({ state: 'sent' });
});
