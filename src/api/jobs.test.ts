import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from '../../test/support/running-server.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
let key: string;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database);
  tenant = await server.tenant('alpha');
  key = tenant.key;
  await tenant.apply(...testFlow({ root: server.out }));
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

async function job(body: string, name = 'a.csv'): Promise<string> {
  const { status, json } = await server.upload(key, { flow: 'payments', name, body });
  expect(status).toBe(201);
  return json.jobId;
}

describe('a job', () => {
  it('is described from its acceptance to its receipt', async () => {
    const jobId = await job(testRows(3, 1));
    const closed = await server.settle(key, jobId);
    expect(closed).toMatchObject({
      jobId,
      flow: 'payments',
      flowVersion: '1.0.0',
      file: 'a.csv',
      state: 'completed',
      verdict: 'partial',
      records: { read: 4, valid: 3, rejected: 1, filtered: 0 },
      targets: { out: { routed: 3, delivered: 3, inFlight: 0 } },
      balanced: true,
      hasReceipt: true,
    });
    const receipt = await server.request(`/v1/jobs/${jobId}/receipt`, { key });
    expect(JSON.parse(receipt.json.body)).toMatchObject({ job: { id: jobId, state: 'completed' } });
    const { json: findings } = await server.request(`/v1/jobs/${jobId}/errors`, { key });
    expect(findings.items.map((finding: { record: number }) => finding.record)).toContain(4);
  });
});
