/** A flow whose pack has settings judges a file the same by every way in, and so does an auditor who has only the export. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { creditTransfers } from '../../src/pipeline/formats/iso20022/iso20022-files.fixture.ts';
import { achFile } from '../../src/pipeline/formats/nacha/ach-files.fixture.ts';
import { sampleBatches } from '../../src/pipeline/formats/nacha/sample-batches.fixture.ts';
import { auditJob } from '../support/job-audit.ts';
import { convert, packFlow } from '../support/pack-flows.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant } from '../support/running-server.ts';
import { zipArchive } from '../support/zip-archive.ts';

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

const flow = (name: string, source: string, format: string) => `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: ${name}, version: 1.0.0 }
spec:
  sources: [${source}]
  format: ${format}
  acceptance: { mode: partial, maxInvalidRatio: 1 }
  routes: { default: { to: [out] } }
  targets: { out: { type: file, connection: out, path: ${name}, format: ndjson, name: "{file}-{number}.ndjson" } }
`;

async function bank(name: string, format: string): Promise<TestTenant> {
  const tenant = await server.tenant(name);
  const root = join(server.out, name);
  for (const folder of ['in', 'zipped']) mkdirSync(join(root, folder), { recursive: true });
  const drop = (path: string, more: string) =>
    `{ id: drop, type: folder, connection: out, path: ${path}, match: "*", poll: 1s, ready: { stableFor: 1s }${more} }`;
  await tenant.apply(
    `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: out }
spec: { type: folder, root: ${JSON.stringify(root)} }
`,
    flow('uploaded', '{ id: upload, type: http }', format),
    flow('packed', '{ id: upload, type: http, unpack: gzip }', format),
    flow('dropped', drop('in', ''), format),
    flow('archived', drop('zipped', ', unpack: zip'), format),
  );
  return tenant;
}

const ach = achFile(sampleBatches.PPD)
  .set('entryDetail', 'transactionCode', 25)
  .set('entryDetail', 'traceNumber', '999999990000009', 0)
  .set('entryDetail', 'checkDigit', 9, 1)
  .text()
  .replace(/^[19].*\n/gm, '')
  .replace(/ +$/gm, '');
const bai2 = `01,1,2,260621,0200,1,,,3/
02,,2,1,260620,,USD,/
03,1,,,,,/
16,165,1000,1,,,ONE
16,165,1x0,1,,,TWO
49,7,4/
98,7,1,6/
99,7,1,8/
`;
const statement = `:20:S
:25:1
:28C:1/1
:60F:C260102EUR0,
:61:2601020102C10,00NTRFA
:61:2601320102C10,00NTRFB
:62F:C260102EUR77,00
`;
const initiation = creditTransfers.replace('60.35', '99.99').replace('DE89370400440532013000', 'DE89370400440532013001');

it.each([
  [
    'nacha',
    '{ type: nacha, transactionCodes: accept, traceNumbers: accept, missingFileHeader: accept, missingFileControl: accept, shortLines: accept }',
    ach,
    { read: 3, rejected: 1 },
  ],
  ['bai2', '{ type: bai2, totals: warn, otherVersions: true }', bai2, { read: 2, rejected: 1 }],
  ['swift-mt', '{ type: swift-mt, messages: statements, strictness: lenient, balances: warn }', statement, { read: 2, rejected: 1 }],
  ['iso20022', '{ type: iso20022, message: pain.001, totals: warn, codes: warn }', initiation, { read: 3, rejected: 0 }],
] as const)(
  'a file of %s that only settings take is read the same by every way in, and its export verifies',
  async (name, format, text, records) => {
    const plain = packFlow(`{ type: ${name}${/, messages?: [a-z0-9.]+/.exec(format)?.[0] ?? ''} }`);
    expect((await convert(plain, Buffer.from(text))).damage).not.toEqual([]);
    const tenant = await bank(`bank-${name}`, format);
    const root = join(server.out, `bank-${name}`);
    await server.upload(tenant.key, { flow: 'uploaded', name: 'a.txt', body: Buffer.from(text) });
    await server.upload(tenant.key, { flow: 'packed', name: 'a.txt.gz', body: gzipSync(text) });
    writeFileSync(join(root, 'in', 'a.txt'), text);
    writeFileSync(join(root, 'zipped', 'a.zip'), zipArchive([{ name: 'a.txt', content: text }]));
    const jobs = await vi.waitUntil(
      async () => {
        const { items } = (await server.request('/v1/jobs', { key: tenant.key })).json;
        return items.length === 4 ? items : null;
      },
      { timeout: 60_000, interval: 100 },
    );
    const seen = [];
    for (const { jobId } of jobs) {
      const job = await server.settle(tenant.key, jobId);
      expect(job).toMatchObject({ state: 'completed', verdict: records.rejected > 0 ? 'partial' : 'accepted', records });
      const { report, files } = await auditJob(server, tenant, jobId);
      expect(report).toMatchObject({ isSound: true, failures: [] });
      const receipt = JSON.parse(files.get('receipt.json')!.toString());
      seen.push({ amounts: receipt.amounts, errors: receipt.errors, warnings: receipt.warnings, sha256: receipt.file.member.sha256 });
    }
    for (const one of seen) expect(one).toEqual(seen[0]);
    expect(readFileSync(join(root, 'in', '.headgate-done', 'a.txt'), 'utf8')).toBe(text);
  },
);
