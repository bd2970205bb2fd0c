import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { sourceOf } from '../../src/pipeline/ledger/export/export-entries.ts';
import { readTar } from '../../src/pipeline/ledger/export/tar-stream.ts';
import { readSigningKey } from '../../src/pipeline/ledger/signing-key.ts';
import { parseTrustFile, printTrustFile } from '../../src/pipeline/ledger/trust-file.ts';
import { unpackContainer } from '../../src/pipeline/ledger/verification/container-check.ts';
import { verifyExport } from '../../src/pipeline/ledger/verification/verify-export.ts';
import { packingNames } from '../../src/platform/packing/packings.ts';
import { Secret } from '../../src/platform/secrets/secret.ts';
import { pack } from '../support/packed.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from '../support/running-server.ts';

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

/** As an auditor does it: from the export and the trust file alone. */
async function verified(tenant: TestTenant, jobId: string) {
  const authorization = `Bearer ${await tenant.makeKey(['records:reveal'])}`;
  const answer = await fetch(`${server.url}/v1/jobs/${jobId}/export?reason=test`, { headers: { authorization } });
  const files = new Map<string, Buffer>();
  let name = '';
  await readTar(answer.body!, {
    start(started) {
      name = started;
      files.set(name, Buffer.alloc(0));
    },
    piece: (bytes) => void files.set(name, Buffer.concat([files.get(name)!, bytes])),
    end() {},
  });
  const reader = { names: () => [...files.keys()], open: (wanted: string) => sourceOf(files.get(wanted)!) };
  const trust = parseTrustFile(printTrustFile([readSigningKey(new Secret(readFileSync(join(server.settings.dataDir, 'signing.pem'))))]));
  const compile = (definition: Uint8Array) => loadFlow(Buffer.from(definition).toString('utf8')).plan!;
  return { files, report: verifyExport({ reader, trust, container: await unpackContainer(reader), compile }) };
}

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
  const { files, report } = await verified(tenant, job.jobId);
  expect(report).toMatchObject({ isSound: true, failures: [] });
  expect(files.get('container.bin')!.equals(packed)).toBe(true);
  expect(files.get('member.bin')!.toString()).toBe(rows);
  await vi.waitUntil(() => !existsSync(join(root, 'in', 'a.packed')), { timeout: 20_000, interval: 50 });
  expect(readFileSync(join(root, 'in', '.headgate-done', 'a.packed')).equals(packed)).toBe(true);
});
