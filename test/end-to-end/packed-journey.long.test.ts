import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { packingNames } from '../../src/platform/packing/packings.ts';
import { auditJob } from '../support/job-audit.ts';
import { pack } from '../support/packed.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, testFlow, testRows } from '../support/running-server.ts';

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

it.each(packingNames)('a file packed with %s that a folder took is delivered, and its export verifies offline', async (packing) => {
  const tenant = await server.tenant(`bank-${packing}`);
  const root = join(server.out, packing);
  mkdirSync(join(root, 'in'), { recursive: true });
  const source = `type: folder, connection: out, path: in, match: "*.packed", unpack: ${packing}, poll: 1s, ready: { stableFor: 1s }`;
  const [out, flow] = testFlow({ root });
  await tenant.apply(out!, flow!.replace('{ id: upload, type: http }', `{ id: drop, ${source} }`));
  const rows = testRows(4_000, 3);
  const packed = pack[packing](rows);
  writeFileSync(join(root, 'in', 'a.packed'), packed);
  const job = await vi.waitUntil(async () => (await server.request('/v1/jobs', { key: tenant.key })).json.items[0], {
    timeout: 60_000,
    interval: 100,
  });
  expect(await server.settle(tenant.key, job.jobId)).toMatchObject({
    state: 'completed',
    records: { read: 4_003, valid: 4_000, rejected: 3 },
  });
  const delivered = readdirSync(join(root, 'out')).map((name) => readFileSync(join(root, 'out', name), 'utf8'));
  expect(delivered.join('').trim().split('\n')).toHaveLength(4_000);
  const { files, report } = await auditJob(server, tenant, job.jobId);
  expect(report).toMatchObject({ isSound: true, failures: [] });
  expect(files.get('container.bin')!.equals(packed)).toBe(true);
  expect(files.get('member.bin')!.toString()).toBe(rows);
  await vi.waitUntil(() => !existsSync(join(root, 'in', 'a.packed')), { timeout: 60_000, interval: 50 });
  expect(readFileSync(join(root, 'in', '.headgate-done', 'a.packed')).equals(packed)).toBe(true);
});
