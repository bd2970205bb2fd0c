import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow } from '../../test/support/running-server.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database, { chunkBytes: '65536' });
  tenant = await server.tenant('alpha');
  const [out, flow] = testFlow({ root: server.out });
  await tenant.apply(out!, flow!.replace('pattern: "^P[0-9]+$"', 'pattern: "^P[0-9]+$", unique: file'));
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const counted = `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: counted, version: 1.0.0, owner: ops }
spec:
  sources:
    - { id: upload, type: http }
  format: { type: delimited, delimiter: ",", discriminator: { column: 1 } }
  schema:
    record:
      tag: D
      key: [id]
      fields:
        id: { column: 2, type: string, required: true }
        account: { column: 3, type: string, required: true }
        amount: { column: 4, type: decimal, scale: 2, required: true, sum: true }
    trailer:
      tag: T
      fields: { total: { column: 2, type: decimal, scale: 2 } }
  validate:
    - { id: sum, scope: file, assert: "trailer.total == stats.sum.amount", code: CTL01, message: totals differ }
  routes: { default: { to: [out] } }
  targets:
    out: { type: file, connection: out, path: out, format: ndjson }
`;

const get = (path: string) => server.request(path, { key: tenant.key });

async function settled(rows: readonly string[]): Promise<string> {
  const body = ['id,account,amount', ...rows].map((line) => `${line}\n`).join('');
  const { json } = await server.upload(tenant.key, { flow: 'payments', name: 'in.csv', body });
  await server.settle(tenant.key, json.jobId);
  return json.jobId;
}

async function all(path: string, limit: number): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  for (let cursor = ''; ; ) {
    const { json } = await get(`${path}${path.includes('?') ? '&' : '?'}limit=${limit}${cursor}`);
    items.push(...json.items);
    if (json.nextCursor === null) return items;
    cursor = `&cursor=${json.nextCursor}`;
  }
}

const numbers = (items: readonly Record<string, unknown>[]) => items.map(({ record }) => record);

describe('a record that the check of the whole file excluded', () => {
  it('is rejected in every list and on its own, as in the counts', async () => {
    const jobId = await settled(['P1,6200001234,1.00', 'P2,6200001234,2.00', 'X3,6200001234,3.00', 'P1,6200001234,4.00', 'P5,1,5.00']);
    expect((await get(`/v1/jobs/${jobId}`)).json.records).toMatchObject({ read: 5, valid: 3, rejected: 2 });
    expect(numbers(await all(`/v1/jobs/${jobId}/records?status=rejected`, 1))).toEqual([3, 4]);
    expect(numbers(await all(`/v1/jobs/${jobId}/records?status=valid`, 1))).toEqual([1, 2, 5]);
    const findings = await all(`/v1/jobs/${jobId}/errors`, 1);
    expect(findings.map(({ record, code }) => [record, code])).toContainEqual([4, 'E_DUPLICATE_KEY']);
    expect(new Set(numbers(findings))).toEqual(new Set([3, 4]));
    const message = 'an earlier record of the file has the same value';
    expect(findings.find(({ record }) => record === 4)).toMatchObject({ severity: 'error', field: 'id', message, offset: 75 });
    expect((await get(`/v1/jobs/${jobId}/records/4`)).json).toMatchObject({
      status: 'rejected',
      targets: [],
      findings: [{ code: 'E_DUPLICATE_KEY', field: 'id', rule: null, message }],
    });
    expect(numbers(await all(`/v1/jobs/${jobId}/errors?code=E_DUPLICATE_KEY`, 50))).toEqual([4]);
    expect(await all(`/v1/jobs/${jobId}/errors?code=E_POISON`, 50)).toEqual([]);
  });

  it('is warned of nowhere', async () => {
    const [, flow] = testFlow({ root: server.out });
    const named = flow!.replace('name: payments', 'name: warned').replace('pattern: "^P[0-9]+$"', 'pattern: "^P[0-9]+$", unique: file');
    const large = `  validate:\n    - { id: small, assert: "record.amount < 100", severity: warn, code: AMT01, message: large }\n  routes:`;
    await tenant.apply(named.replace('  routes:', large));
    const body = 'id,account,amount\nP1,1,1.00\nP1,1,500.00\nP2,1,500.00\nP3,1,1.00\n';
    const { json } = await server.upload(tenant.key, { flow: 'warned', name: 'in.csv', body });
    const { jobId } = json;
    const job = await server.settle(tenant.key, jobId);
    expect(job).toMatchObject({ records: { valid: 3, rejected: 1, warned: 1 }, warnings: [{ rule: 'small', count: 1, firstOffset: 40 }] });
    const records = await all(`/v1/jobs/${jobId}/records`, 50);
    expect(records.map(({ status, warned }) => [status, warned])).toEqual([
      ['valid', false],
      ['rejected', false],
      ['valid', true],
      ['valid', false],
    ]);
    expect((await get(`/v1/jobs/${jobId}/records/2`)).json).toMatchObject({ warned: false, warnings: [] });
    for (const limit of [1, 50]) {
      const findings = await all(`/v1/jobs/${jobId}/errors`, limit);
      expect(findings.map(({ record, code }) => [record, code])).toEqual([
        [2, 'E_DUPLICATE_KEY'],
        [3, 'AMT01'],
      ]);
    }
  });

  it('is found among thousands in files of many chunks', async () => {
    const row = (at: number) => `P${at},6200001234,1.00`;
    const jobId = await settled(Array.from({ length: 9_000 }, (_, at) => row(at % 3 === 2 ? at - 1 : at)));
    expect((await get(`/v1/jobs/${jobId}`)).json.records).toMatchObject({ valid: 6_000, rejected: 3_000 });
    const expected = Array.from({ length: 3_000 }, (_, at) => 3 * at + 3);
    expect(numbers(await all(`/v1/jobs/${jobId}/records?status=rejected`, 200))).toEqual(expected);
    const findings = await all(`/v1/jobs/${jobId}/errors`, 200);
    expect(numbers(findings)).toEqual(expected);
    const offsetOf = new Map((await all(`/v1/jobs/${jobId}/records?status=rejected`, 200)).map(({ record, offset }) => [record, offset]));
    expect(findings.every(({ record, offset }) => offsetOf.get(record) === offset)).toBe(true);
    for (const record of [3, 4_500, 9_000]) expect((await get(`/v1/jobs/${jobId}/records/${record}`)).json.status).toBe('rejected');
    for (const record of [1, 4_501, 8_999]) expect((await get(`/v1/jobs/${jobId}/records/${record}`)).json.status).toBe('valid');
    expect(numbers((await get(`/v1/jobs/${jobId}/records?status=rejected&after=8000&limit=2`)).json.items)).toEqual([8_001, 8_004]);
  });
});

it('records of a file of very many chunks are listed in pages that each look at a part of it', async () => {
  const wide = '6'.repeat(2_000);
  const jobId = await settled([...Array.from({ length: 1_400 }, (_, at) => `P${at},${wide},1.00`), `X1,${wide},1.00`]);
  const rejected = `/v1/jobs/${jobId}/records?status=rejected`;
  const { json } = await get(rejected);
  expect(json).toMatchObject({ items: [], nextCursor: expect.any(String) });
  expect(numbers(await all(rejected, 50))).toEqual([1_401]);
  const valid = numbers(await all(`/v1/jobs/${jobId}/records?status=valid`, 200));
  expect(valid).toEqual(Array.from({ length: 1_400 }, (_, at) => at + 1));
});

it('a record that a rule of its flow rejected is shown with its fields, as one of which a field is wrong', async () => {
  const ruled = counted
    .replaceAll('name: counted', 'name: ruled')
    .replace('account: { column: 3, type: string, required: true }', 'account: { column: 3, type: string, required: true, mask: last4 }')
    .replace('validate:', `validate:\n    - { id: positive, assert: "record.amount > 0", code: AMT01, message: above zero }`);
  await tenant.apply(ruled);
  const body = 'D,P1,6200001234,0.00\nD,P2,6200001234,bC-62.0\nD,P3\n';
  const { json } = await server.upload(tenant.key, { flow: 'ruled', name: 'in.csv', body });
  await server.settle(tenant.key, json.jobId);
  const shown = async (number: number) => (await get(`/v1/jobs/${json.jobId}/records/${number}`)).json;
  expect(await shown(1)).toMatchObject({
    status: 'rejected',
    fields: { id: 'P1', account: '******1234', amount: '0.00' },
    findings: [{ code: 'AMT01', field: null, rule: 'positive' }],
  });
  expect(await shown(2)).toMatchObject({
    fields: { id: 'P2', account: '******1234', amount: 'aA-99.9' },
    findings: [{ code: 'E_DECIMAL' }],
  });
  const { fields, findings } = await shown(3);
  expect({ fields, findings }).toMatchObject({
    fields: { id: null, account: null, amount: null },
    findings: [{ field: null, rule: null }],
  });
});

it('a record under the tag of another type shows the form alone of what is wrong, although only the other type has masks', async () => {
  const typed = counted
    .replaceAll('name: counted', 'name: typed')
    .replace('required: true }\n        amount', 'required: true, mask: last4 }\n        amount')
    .replace(
      '    record:\n',
      '    records:\n     debit: { tag: E, fields: { no: { column: 2, type: int }, note: { column: 3, type: string }, x: { column: 4, type: string } } }\n     credit:\n',
    )
    .replace(/ {2}validate:.*?(?= {2}routes)/s, '');
  await tenant.apply(typed);
  const { json } = await server.upload(tenant.key, {
    flow: 'typed',
    name: 'in.csv',
    body: 'D,P1,6200001234,1.00\nE,6200-X1234,n,y\nT,1.00\n',
  });
  await server.settle(tenant.key, json.jobId);
  const fieldsOf = async (number: number) => (await get(`/v1/jobs/${json.jobId}/records/${number}`)).json.fields;
  expect(await fieldsOf(1)).toMatchObject({ account: '******1234' });
  expect(await fieldsOf(2)).toEqual({ no: '9999-A9999', note: 'n', x: 'y' });
});

it('a field in which something is wrong is masked as much as any other of its flow, whose text it may have', async () => {
  const strict = counted
    .replaceAll('name: counted', 'name: strictest')
    .replace(
      'account: { column: 3, type: string, required: true }',
      'account: { column: 3, type: string, required: true, mask: last4, pattern: "[0-9]+" }',
    )
    .replace('id: {', 'pin: { column: 5, type: string, mask: all }\n        id: {');
  await tenant.apply(strict);
  const { json } = await server.upload(tenant.key, {
    flow: 'strictest',
    name: 'in.csv',
    body: 'D,P1,6200001234,1.00,secret\nD,P2,secret,1.00,6200001234\n',
  });
  await server.settle(tenant.key, json.jobId);
  const fieldsOf = async (number: number) => (await get(`/v1/jobs/${json.jobId}/records/${number}`)).json.fields;
  expect(await fieldsOf(1)).toMatchObject({ account: '******1234', pin: '******' });
  expect(await fieldsOf(2)).toMatchObject({ account: '******', pin: '********' });
});

it('a record that ended its process is shown without being parsed again', async () => {
  const jobId = await settled(['P1,6200001234,1.00', 'X2,6200001234,2.00']);
  await database.adminDb.query(`/* make poison */ update headgate.rejections set code = 'E_POISON', field = null where job_id = $1`, [
    jobId,
  ]);
  expect((await get(`/v1/jobs/${jobId}/records/2`)).json).toMatchObject({
    status: 'rejected',
    type: null,
    fields: {},
    findings: [{ code: 'E_POISON' }],
  });
});

it('a job of which no record could be read is not released, dry or not, and the refusal says what to do', async () => {
  const { json } = await server.upload(tenant.key, { flow: 'payments', name: 'in.csv', body: 'id,note\nP1,text\n' });
  expect(await server.settle(tenant.key, json.jobId)).toMatchObject({
    state: 'held',
    reasonCode: 'E_COLUMN_MISSING',
    reason: 'the header row has no column "account", "amount"',
    records: { read: 0 },
  });
  for (const dryRun of [true, false]) {
    const body = { reason: 'go on', dryRun };
    const answer = await server.request(`/v1/jobs/${json.jobId}/release`, { key: tenant.key, method: 'POST', body });
    expect([answer.status, answer.json.code]).toEqual([409, 'E_JOB_INCOMPLETE']);
    expect(answer.json.actions.join(' ')).toMatch(/Reject the job .* sent again/);
  }
  expect((await get(`/v1/jobs/${json.jobId}`)).json.state).toBe('held');
});

it('a job shows its control totals as declared and computed', async () => {
  await tenant.apply(counted);
  const body = 'D,P1,6200001234,1.50\nD,P2,6200001234,2.25\nT,3.74\n';
  const { json } = await server.upload(tenant.key, { flow: 'counted', name: 'in.csv', body });
  expect(await server.settle(tenant.key, json.jobId)).toMatchObject({
    state: 'held',
    reason: 'totals differ: declared trailer.total 3.74; computed stats.sum.amount 3.75',
    controlTotals: { declared: { total: '3.74' }, computed: { records: '2', 'sum.amount': '3.75' }, balanced: false },
  });
});
