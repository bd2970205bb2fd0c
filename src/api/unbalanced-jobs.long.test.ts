import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import {
  type Answer,
  type RequestOptions,
  type RunningTestServer,
  startTestServer,
  type TestTenant,
  testFlow,
  testRows,
} from '../../test/support/running-server.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
let folders = 0;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database);
  tenant = await server.tenant('alpha');
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const facts = ({ status, json }: Answer) => [status, json.code];
const get = async (jobId: string) => (await server.request(`/v1/jobs/${jobId}`, { key: tenant.key })).json;
const post = (path: string, body: unknown, options: RequestOptions = {}) =>
  server.request(path, { key: tenant.key, method: 'POST', body, ...options });
const retry = (jobId: string, options?: RequestOptions) => post(`/v1/jobs/${jobId}/retry-close`, { reason: 'the sum was mended' }, options);

/** Changes the kept sum of valid amounts, as a fault of the program or of a disk would. */
const setSum = (jobId: string, unscaled: string) =>
  database.adminDb.query(
    `/* plant a sum */ update headgate.jobs set totals = jsonb_set(totals::jsonb, '{checked,check,amounts,valid,amount,byCurrency,XXX}', to_jsonb($2::text)) where job_id = $1`,
    [jobId, unscaled],
  );

async function countEvents(jobId: string, type: string): Promise<number> {
  const select = '/* count events */ select count(*)::int as count from headgate.events where object_id = $1 and type = $2';
  return (await database.adminDb.query<{ count: number }>(select, [jobId, type])).rows[0]!.count;
}

/** Of three valid records (4.50 in all), delivered, and not closed because its sum is another. */
async function unbalanced(): Promise<string> {
  const root = join(server.out, `late-${++folders}`);
  const name = `late-${folders}`;
  const [out, flow] = testFlow({ name, root });
  await tenant.apply(out!, flow!.replace('path: out,', 'path: out, retry: { max: 100, initial: 100ms, cap: 200ms },'));
  const { json } = await server.upload(tenant.key, { flow: name, name: 'a.csv', body: testRows(3, 1, folders) });
  await expect.poll(async () => (await get(json.jobId)).state, { timeout: 60_000 }).toBe('delivering');
  await setSum(json.jobId, '451');
  mkdirSync(root);
  await expect.poll(async () => (await get(json.jobId)).reasonCode, { timeout: 60_000 }).toBe('E_UNBALANCED');
  return json.jobId;
}

describe('a job that does not balance', () => {
  it('stays as it is, is closed once its cause was mended, and leaves its trace in events', async () => {
    const jobId = await unbalanced();
    expect(await get(jobId)).toMatchObject({ state: 'delivering', hasReceipt: false, targets: { out: { delivered: 3 } } });
    const shown = await post(`/v1/jobs/${jobId}/retry-close`, { reason: 'look', dryRun: true });
    expect(shown.json.allowed).toContain('retry-close');
    expect(shown.json.reasons[0]).toMatchObject({ code: 'E_UNBALANCED', message: expect.stringMatching(/.+/) });

    expect(await retry(jobId)).toMatchObject({ status: 200, json: { jobId, state: 'delivering' } });
    await expect.poll(() => countEvents(jobId, 'job.unbalanced'), { timeout: 60_000 }).toBe(2);
    expect(await get(jobId)).toMatchObject({ state: 'delivering', reasonCode: 'E_UNBALANCED', closedAt: null });

    await setSum(jobId, '450');
    const keyed = { headers: { 'idempotency-key': `close-${jobId}` } };
    const { status, json } = await retry(jobId, keyed);
    expect(status).toBe(200);
    expect(await server.settle(tenant.key, jobId)).toMatchObject({
      state: 'completed',
      verdict: 'partial',
      reasonCode: null,
      reason: null,
      balanced: true,
      hasReceipt: true,
      amounts: { valid: { amount: { byCurrency: { XXX: '4.50' } } } },
    });
    expect((await retry(jobId, keyed)).json).toEqual(json);
    expect(await countEvents(jobId, 'job.close_retried')).toBe(2);
    for (const dryRun of [true, false])
      expect(facts(await post(`/v1/jobs/${jobId}/retry-close`, { reason: 'again', dryRun }))).toEqual([409, 'E_JOB_STATE']);
  });

  it('keeps the reason of a decision for its receipt', async () => {
    const [out, flow] = testFlow({
      name: 'strict',
      root: server.out,
      acceptance: '{ mode: partial, maxInvalidRatio: 0.1, onExceed: hold }',
    });
    await tenant.apply(out!, flow!);
    const { json } = await server.upload(tenant.key, { flow: 'strict', name: 'b.csv', body: testRows(3, 3, 90) });
    const { jobId } = json;
    await server.settle(tenant.key, jobId);
    await setSum(jobId, '451');
    expect((await post(`/v1/jobs/${jobId}/reject`, { reason: 'sent by mistake' })).status).toBe(200);
    await expect.poll(() => countEvents(jobId, 'job.unbalanced'), { timeout: 60_000 }).toBe(1);
    expect(await get(jobId)).toMatchObject({ state: 'rejected', reason: 'sent by mistake', hasReceipt: false });
    await setSum(jobId, '450');
    expect((await retry(jobId)).status).toBe(200);
    await expect.poll(async () => (await get(jobId)).hasReceipt, { timeout: 60_000 }).toBe(true);
    expect(await get(jobId)).toMatchObject({ state: 'rejected', reason: 'sent by mistake', reasonCode: null });
    const receipt = await server.request(`/v1/jobs/${jobId}/receipt`, { key: tenant.key });
    expect(JSON.parse(receipt.json.body).job).toMatchObject({ state: 'rejected', decision: { kind: 'reject', reason: 'sent by mistake' } });
  });

  it('is not closed by other tenants, by keys that may not operate, or without a reason', async () => {
    const jobId = await unbalanced();
    const other = await server.tenant('beta');
    expect(facts(await retry(jobId, { key: other.key }))).toEqual([404, 'E_JOB_UNKNOWN']);
    expect(facts(await retry(jobId, { key: await tenant.makeKey(['jobs:read']) }))).toEqual([403, 'E_FORBIDDEN']);
    expect(facts(await post(`/v1/jobs/${jobId}/retry-close`, { reason: ' ' }))).toEqual([422, 'E_REASON_REQUIRED']);
    expect(await countEvents(jobId, 'job.close_retried')).toBe(0);
  });
});
