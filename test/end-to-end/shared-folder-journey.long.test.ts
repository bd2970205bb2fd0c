/** Two flows of packs that take files from one folder: each its own, and what becomes of a file that both of them want. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { account, fileOf } from '../../src/pipeline/formats/bai2/bai2-files.fixture.ts';
import { creditTransfers } from '../../src/pipeline/formats/iso20022/iso20022-files.fixture.ts';
import { achFile } from '../../src/pipeline/formats/nacha/ach-files.fixture.ts';
import { sampleBatches } from '../../src/pipeline/formats/nacha/sample-batches.fixture.ts';
import { finMessage, statementFields } from '../../src/pipeline/formats/swift-mt/swift-files.fixture.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant } from '../support/running-server.ts';

let database: TestDatabase;
let server: RunningTestServer;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const documents = (root: string, flows: Readonly<Record<string, { readonly format: string; readonly match: string }>>) => [
  `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: out }\nspec: { type: folder, root: ${JSON.stringify(root)} }\n`,
  ...Object.entries(flows).map(
    ([name, { format, match }]) => `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: ${name}, version: 1.0.0 }
spec:
  sources: [{ id: drop, type: folder, connection: out, path: in, match: "${match}", poll: 1s, ready: { stableFor: 1s } }]
  format: ${format}
  routes: { default: { to: [ledger] } }
  targets: { ledger: { type: file, connection: out, path: ledger-${name}, format: ndjson, name: "{file}-{number}.ndjson" } }
`,
  ),
];

async function bank(name: string, flows: Parameters<typeof documents>[1]): Promise<{ tenant: TestTenant; root: string }> {
  const tenant = await server.tenant(name);
  const root = join(server.out, name);
  mkdirSync(join(root, 'in'), { recursive: true });
  await tenant.apply(...documents(root, flows));
  return { tenant, root };
}

it('each takes the files of its own pattern', async () => {
  const { tenant, root } = await bank('bank-apart', {
    ach: { format: '{ type: nacha }', match: '*.ach' },
    transfers: { format: '{ type: iso20022, message: pain.001 }', match: '*.xml' },
    reports: { format: '{ type: bai2 }', match: '*.bai' },
    statements: { format: '{ type: swift-mt, messages: statements }', match: '*.fin' },
  });
  writeFileSync(join(root, 'in', 'a.ach'), achFile(sampleBatches.PPD).text());
  writeFileSync(join(root, 'in', 'a.xml'), creditTransfers);
  writeFileSync(join(root, 'in', 'a.bai'), fileOf([[account]]));
  writeFileSync(join(root, 'in', 'a.fin'), finMessage('940', statementFields));
  await vi.waitUntil(
    async () => {
      const { items } = (await server.request('/v1/jobs', { key: tenant.key })).json;
      return items.length === 4 && items.every((job: { closedAt: string | null }) => job.closedAt !== null);
    },
    { timeout: 60_000, interval: 100 },
  );
  const { items } = (await server.request('/v1/jobs', { key: tenant.key })).json;
  const told = items.map(({ flow, state, records }: { flow: string; state: string; records: { valid: number } }) => [
    flow,
    state,
    records.valid,
  ]);
  expect(told.toSorted()).toEqual([
    ['ach', 'completed', 3],
    ['reports', 'completed', 4],
    ['statements', 'completed', 4],
    ['transfers', 'completed', 3],
  ]);
  expect(readdirSync(join(root, 'in', '.headgate-done'))).toEqual(['a.ach', 'a.bai', 'a.fin', 'a.xml']);
  expect(readdirSync(join(root, 'in'))).toEqual(['.headgate-done']);
});

it.each([
  ['match: "a*.ach"', 'path: in', true],
  ['match: "*"', 'path: in', true],
  ['match: "*.xml"', 'path: in', false],
  ['match: "*.ach"', 'path: in-2', false],
])('a flow that wants files which another one takes is refused, before payments go out twice: %s, %s', async (match, path, isRefused) => {
  const { tenant, root } = await bank(`bank-${match.length}-${path.length}`, { one: { format: '{ type: nacha }', match: '*.ach' } });
  const [, two] = documents(root, { two: { format: '{ type: nacha }', match: '*' } });
  const applied = tenant.apply(two!.replace('match: "*"', match).replace('path: in', path));
  if (isRefused)
    await expect(applied).rejects.toMatchObject({
      code: 'E_FLOW_INVALID',
      details: [
        expect.objectContaining({
          code: 'E_CONFIG_CONFLICT',
          line: 5,
          message: expect.stringContaining('the source drop of flow one takes files'),
        }),
      ],
    });
  else await applied;
});

it('two that leave files as they are may read the same ones', async () => {
  const { tenant, root } = await bank('bank-leaves', {});
  const leaving = documents(root, { one: { format: '{ type: nacha }', match: '*' }, two: { format: '{ type: nacha }', match: '*' } });
  await tenant.apply(...leaving.slice(1).map((text) => text.replace('poll: 1s', 'afterwards: leave, poll: 1s')));
});
