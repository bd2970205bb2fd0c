/** The whole way of files whose flow has a pack as its format: the product as it serves, and an auditor who believes none of it. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { achFile } from '../../src/pipeline/formats/nacha/ach-files.fixture.ts';
import { sampleBatches } from '../../src/pipeline/formats/nacha/sample-batches.fixture.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { auditJob } from '../support/job-audit.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant } from '../support/running-server.ts';
import { tarArchive } from '../support/tar-archive.ts';

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

const documents = (root: string, source = '', more = '') => [
  `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: out }
spec: { type: folder, root: ${JSON.stringify(root)} }
`,
  `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: ach, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http${source} }]
  format: { type: nacha }${more}
  transform:
    - id: shape
      set: { trace: record.traceNumber, amount: record.amount, account: record.DFIAccountNumber, company: record.companyName, code: record.standardEntryClassCode }
  routes: { default: { to: [out] } }
  targets: { out: { type: file, connection: out, path: out, format: ndjson, name: "{file}-{number}.ndjson" } }
`,
];

/** As many entries as make it bigger than what a pack of small files takes. */
function bigFile() {
  const [entry] = sampleBatches.ARC.entries;
  return achFile({ ...sampleBatches.ARC, entries: Array.from({ length: 900 }, () => entry) });
}

async function deliveredTo(root: string): Promise<Record<string, string>[]> {
  const files = readdirSync(join(root, 'out')).map((name) => readFileSync(join(root, 'out', name), 'utf8'));
  return files
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, string>);
}

interface Given {
  readonly tenant: TestTenant;
  readonly root: string;
}

async function bank(name: string, source?: string, more?: string): Promise<Given> {
  const tenant = await server.tenant(name);
  const root = join(server.out, name);
  mkdirSync(root);
  await tenant.apply(...documents(root, source, more));
  return { tenant, root };
}

async function send({ tenant }: Given, name: string, body: Buffer) {
  const { json, status } = await server.upload(tenant.key, { flow: 'ach', name, body });
  expect(status).toBe(201);
  return await server.settle(tenant.key, json.jobId);
}

it.each([
  ['small', () => achFile(sampleBatches.PPD), 3],
  ['big', bigFile, 900],
] as const)('delivers the entries of a %s ACH file, and the export verifies from the file as received', async (size, file, entries) => {
  const given = await bank(`bank-${size}`);
  const bytes = Buffer.from(file().text(), 'latin1');
  const job = await send(given, 'in.ach', bytes);
  expect(job).toMatchObject({ state: 'completed', records: { read: entries, valid: entries, rejected: 0 } });
  const delivered = await deliveredTo(given.root);
  expect(delivered).toHaveLength(entries);
  expect(delivered[0]).toMatchObject({ trace: expect.stringMatching(/^[0-9]{15}$/), company: expect.any(String) });
  const { files, report } = await auditJob(server, given.tenant, job.jobId);
  expect(report).toMatchObject({ isSound: true, failures: [] });
  expect(files.get('container.bin')!.equals(bytes)).toBe(true);
});

it('rejects an entry for what its pack found, and an auditor finds the same', async () => {
  const given = await bank('bank-partial', ', unpack: gzip');
  const file = achFile(sampleBatches.PPD);
  file.set('entryDetail', 'checkDigit', 9);
  const job = await send(given, 'in.ach.gz', gzipSync(Buffer.from(file.text(), 'latin1')));
  expect(job).toMatchObject({ state: 'completed', records: { read: 3, valid: 2, rejected: 1 } });
  const { json } = await server.request(`/v1/jobs/${job.jobId}/errors`, { key: given.tenant.key });
  expect(json.items[0]).toMatchObject({ code: 'E_NACHA_FIELD', field: 'checkDigit', rule: 'check-digit', record: 1 });
  expect((await auditJob(server, given.tenant, job.jobId)).report).toMatchObject({ isSound: true, failures: [] });
});

it('holds a file whose control total is wrong, and says which', async () => {
  const given = await bank('bank-held');
  const file = achFile(sampleBatches.PPD);
  file.set('fileControl', 'totalDebit', 1);
  const job = await send(given, 'in.ach', Buffer.from(file.text(), 'latin1'));
  expect(job).toMatchObject({ state: 'held', records: { read: 3 } });
  expect(JSON.stringify(job)).toContain('E_NACHA_TOTAL');
  const rejected = await server.request(`/v1/jobs/${job.jobId}/reject`, {
    key: given.tenant.key,
    method: 'POST',
    body: { reason: 'totals' },
  });
  expect(rejected.status).toBe(200);
  await server.settle(given.tenant.key, job.jobId);
  expect((await auditJob(server, given.tenant, job.jobId)).report).toMatchObject({ isSound: true, failures: [] });
});

it('takes a file without its header and its control where its flow says so, and an auditor finds the same', async () => {
  const given = await bank('bank-lenient');
  const settings = 'type: nacha, missingFileHeader: accept, missingFileControl: warn';
  await given.tenant.apply(documents(given.root)[1]!.replace('type: nacha', settings).replace('1.0.0', '1.1.0'));
  const text = achFile(sampleBatches.PPD)
    .text()
    .replace(/^[19].*\n/gm, '');
  const job = await send(given, 'in.ach', Buffer.from(text, 'latin1'));
  expect(job).toMatchObject({ state: 'completed', records: { read: 3, valid: 3 }, warnings: [{ rule: 'file-control-missing' }] });
  expect(await deliveredTo(given.root)).toHaveLength(3);
  expect((await auditJob(server, given.tenant, job.jobId)).report).toMatchObject({ isSound: true, failures: [] });
});

it('repairs an entry that its target refused, with the warning of its pack, and sends it again', async () => {
  const tenant = await server.tenant('bank-repair');
  const root = join(server.out, 'bank-repair');
  mkdirSync(root);
  const sink = await startHttpSink(({ body }) => ({ status: body.includes('"account":"7') ? 200 : 422 }));
  const [out, flow] = documents(root);
  const policy =
    'apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }\n';
  const api = `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: api }\nspec: { type: http, baseUrl: "${sink.url}" }\n`;
  await tenant.apply(
    policy,
    api,
    out!,
    flow!.replace(
      /targets: .*/,
      'targets: { out: { type: http, connection: api, path: /entries, mode: single, retry: { max: 0, initial: 100ms, cap: 1s } } }',
    ),
  );
  const text = achFile(sampleBatches.IAT)
    .text()
    .replace(/^(6.{15}).{13}/m, '$1RESERVED     ');
  const job = await send({ tenant, root }, 'in.ach', Buffer.from(text, 'latin1'));
  expect(job).toMatchObject({ state: 'completed_with_failures', records: { read: 2, valid: 2, warned: 1 } });
  const [{ groupId }] = (await server.request('/v1/dead-letters/groups', { key: tenant.key })).json.items;
  const key = await tenant.makeKey(['jobs:operate', 'records:read', 'records:reveal']);
  const body = { group: groupId, set: { DFIAccountNumber: "'7' + record.DFIAccountNumber" }, reason: 'accounts moved' };
  const preview = await server.request('/v1/redrives', { key, method: 'POST', body: { ...body, dryRun: true } });
  const blind = await server.request('/v1/redrives', { key: tenant.key, method: 'POST', body: { ...body, dryRun: true } });
  expect([blind.status, blind.json.code]).toEqual([422, 'E_REPAIR_MASK']);
  for (const field of ['amount', 'currency', 'debit', 'transactionCode', 'addendaRecords', 'offset']) {
    const tied = { ...body, set: { [field]: "'22'" }, dryRun: true };
    const refused = await server.request('/v1/redrives', { key: tenant.key, method: 'POST', body: tied });
    expect([refused.status, refused.json.code]).toEqual([422, 'E_REPAIR_TIED']);
  }
  expect(preview.json).toMatchObject({ sent: { records: 2 }, rejected: { records: 0 } });
  const redriven = await server.request('/v1/redrives', { key, method: 'POST', body });
  const [{ jobId }] = redriven.json.jobs;
  expect(await server.settle(tenant.key, jobId)).toMatchObject({ state: 'completed', records: { read: 2, valid: 2, warned: 1 } });
  for (const each of [job.jobId, jobId])
    expect((await auditJob(server, tenant, each)).report).toMatchObject({ isSound: true, failures: [] });
});

it('takes a file for a duplicate by what the pack was given, not by the lines that it made', async () => {
  const given = await bank('bank-again', ', unpack: gzip');
  const upload = (name: string, body: Buffer) => server.upload(given.tenant.key, { flow: 'ach', name, body: gzipSync(body) });
  const file = achFile(sampleBatches.PPD);
  const right = Buffer.from(file.text(), 'latin1');
  file.set('batchControl', 'totalDebit', 1);
  const wrong = await upload('wrong.ach.gz', Buffer.from(file.text(), 'latin1'));
  expect(await server.settle(given.tenant.key, wrong.json.jobId)).toMatchObject({ state: 'held' });
  // Its records are the same, and so are its lines: only the batch control is another.
  const corrected = await upload('corrected.ach.gz', right);
  expect(corrected.status).toBe(201);
  expect(await server.settle(given.tenant.key, corrected.json.jobId)).toMatchObject({ state: 'completed', records: { valid: 3 } });
  const again = await server.upload(given.tenant.key, { flow: 'ach', name: 'again.ach.gz', body: gzipSync(right, { level: 1 }) });
  expect([again.status, again.json]).toMatchObject([200, { state: 'duplicate', jobId: corrected.json.jobId }]);
  for (const text of ['no ACH file', 'another one'])
    expect((await upload(`${text}.gz`, Buffer.from(text))).json).not.toMatchObject({ state: 'duplicate' });
});

it('tells members of archives apart by what the pack was given', async () => {
  const given = await bank('bank-archives', ', unpack: tar');
  const file = achFile(sampleBatches.PPD);
  const right = Buffer.from(file.text(), 'latin1');
  file.set('batchControl', 'totalDebit', 1);
  const wrong = Buffer.from(file.text(), 'latin1');
  for (const [index, content] of [wrong, right].entries())
    await server.upload(given.tenant.key, { flow: 'ach', name: `${index}.tar`, body: tarArchive([{ name: `${index}.ach`, content }]) });
  const { json } = await server.request('/v1/files', { key: given.tenant.key });
  expect(json.items.map(({ name }: { name: string }) => name).sort()).toEqual(['0.ach', '1.ach']);
});

it('says in an export whose container is another file that it is not what was read', async () => {
  const given = await bank('bank-forged');
  const job = await send(given, 'in.ach', Buffer.from(achFile(sampleBatches.PPD).text(), 'latin1'));
  const { files } = await auditJob(server, given.tenant, job.jobId);
  const { verifiedBy } = await import('../support/served-export.ts');
  const other = Buffer.from(achFile(sampleBatches.ARC).text(), 'latin1');
  const report = await verifiedBy(server, new Map([...files, ['container.bin', other]]));
  expect(report.failures.map(({ code }) => code)).toContain('E_VERIFY_FILE');
});

it('shows what a pack has to say of the file as a whole, wherever the file is shown, and an auditor finds the same', async () => {
  const given = await bank('bank-warned');
  const file = achFile(sampleBatches.PPD);
  const text = file.text().replace(/^9{94}\n/gm, '');
  const job = await send(given, 'in.ach', Buffer.from(text, 'latin1'));
  expect(job).toMatchObject({ state: 'completed', records: { read: 3, valid: 3, warned: 0 } });
  const warning = { code: 'E_NACHA_STRUCTURE', rule: 'filler-count', count: 1, message: expect.stringMatching(/^line \d+/) };
  const { key } = given.tenant;
  expect((await server.request(`/v1/jobs/${job.jobId}`, { key })).json.warnings).toMatchObject([warning]);
  expect((await server.request(`/v1/files/${job.fileId}`, { key })).json.warnings).toMatchObject([warning]);
  const { files, report } = await auditJob(server, given.tenant, job.jobId);
  expect(report).toMatchObject({ isSound: true, failures: [] });
  const { verifiedBy } = await import('../support/served-export.ts');
  const signed = files.get('receipt.json')!.toString('utf8');
  expect(JSON.parse(signed).warnings).toMatchObject([warning]);
  const receipt = signed.replace('filler-count', 'filler-place');
  const forged = await verifiedBy(server, new Map([...files, ['receipt.json', Buffer.from(receipt)]]));
  expect(forged.failures.map(({ code }) => code)).toContain('E_VERIFY_REJECTIONS');
});

it('knows a file again by what its records say, whatever its line ends and its filler are, where its flow asks for that', async () => {
  const given = await bank('bank-records', undefined, '\n  duplicates: { file: [sha256, records] }');
  const file = achFile(sampleBatches.PPD);
  const text = file.text();
  const first = await send(given, 'in.ach', Buffer.from(text, 'latin1'));
  const upload = (name: string, content: string) =>
    server.upload(given.tenant.key, { flow: 'ach', name, body: Buffer.from(content, 'latin1') });
  for (const [name, again] of [
    ['crlf.ach', text.replaceAll('\n', '\r\n')],
    ['no-breaks.ach', text.replaceAll('\n', '')],
    ['no-filler.ach', text.replace(/^9{94}\n/gm, '')],
  ] as const) {
    const { status, json } = await upload(name, again);
    expect([name, status, json]).toMatchObject([name, 200, { state: 'duplicate', jobId: first.jobId }]);
  }
  file.set('fileHeader', 'fileIDModifier', 'B');
  expect((await upload('next.ach', file.text())).status).toBe(201);
  // Of a file that is damaged nothing was released: it makes no later one a duplicate.
  file.set('fileHeader', 'fileIDModifier', 'C').set('fileControl', 'totalDebit', 1);
  expect((await upload('wrong.ach', file.text())).status).toBe(201);
  const right = achFile(sampleBatches.PPD).set('fileHeader', 'fileIDModifier', 'C');
  expect((await upload('corrected.ach', right.text())).status).toBe(201);
});

it.each([
  ['a file', '', (content: Buffer) => content],
  ['a member of an archive', ', unpack: tar', (content: Buffer) => tarArchive([{ name: 'in.ach', content }])],
] as const)('%s that was held is read by its pack when a person accepts it', async (what, source, packed) => {
  const given = await bank(`bank-held-${what.replaceAll(' ', '-')}`, source, '\n  duplicates: { file: [name], onDuplicate: hold }');
  const { key } = given.tenant;
  const upload = (name: string, content: string) => server.upload(key, { flow: 'ach', name, body: packed(Buffer.from(content, 'latin1')) });
  const file = achFile(sampleBatches.PPD);
  await upload('in.ach', achFile(sampleBatches.ARC).text());
  for (const [content, state, warned] of [
    [file.text().replace(/^9{94}\n/gm, ''), 'completed', ['filler-count']],
    [file.set('fileControl', 'totalDebit', 1).text(), 'held', []],
  ] as const) {
    await upload('in.ach', content);
    const { items } = (await server.request('/v1/arrivals?state=held', { key })).json;
    expect(items).toHaveLength(1);
    const accepted = await server.request(`/v1/arrivals/${items[0].arrivalId}/accept`, { key, method: 'POST', body: { reason: 'wanted' } });
    const shown = (await server.request(`/v1/files/${accepted.json.fileId}`, { key })).json;
    const job = await server.settle(key, shown.jobIds[0]);
    expect(job).toMatchObject({ state, records: { read: 3, valid: 3, rejected: 0 } });
    expect(shown.warnings.map(({ rule }: { rule: string }) => rule)).toEqual(warned);
    if (state === 'held') await server.request(`/v1/jobs/${job.jobId}/reject`, { key, method: 'POST', body: { reason: 'totals' } });
    await server.settle(key, job.jobId);
    expect((await auditJob(server, given.tenant, job.jobId)).report).toMatchObject({ isSound: true, failures: [] });
  }
});
