/** BAI2 reports, statements and payments of SWIFT on their way through a process that is killed again and again, and a record that kills whoever reads it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { account, fileOf } from '../../src/pipeline/formats/bai2/bai2-files.fixture.ts';
import { finMessage, requestFields, statementFields, transferFields } from '../../src/pipeline/formats/swift-mt/swift-files.fixture.ts';
import { until } from '../support/delivery-scenario.ts';
import { runHeadgate, serveHeadgate, startHeadgate } from '../support/headgate-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-statements-'));
const dataDir = join(folder, 'data');
const keyFile = join(folder, 'api-key');
const root = join(folder, 'bank');
const marker = 'KILLS-THE-WORKER';
const env = { HEADGATE_LEASE_MS: '2000', HEADGATE_CHUNK_BYTES: '65536', HEADGATE_TEST_POISON: marker };
let url = '';
const started: { stop(): Promise<unknown> }[] = [];
afterAll(async () => {
  for (const process of started) await process.stop();
  rmSync(folder, { recursive: true, force: true });
});

const headgate = (...argv: string[]) => runHeadgate([...argv, '--key-file', keyFile], { env: { HEADGATE_URL: url }, cwd: folder });
const json = async (...argv: string[]) => JSON.parse((await headgate(...argv, '--json')).stdout);

/** In order; the sixth has a fault in a record. */
function many(count: number, part: string, good: string, bad: string): string {
  return Array.from({ length: count }, (_, index) => (index === 5 ? part.replace(good, bad) : part)).join('');
}

interface Case {
  readonly format: string;
  readonly key: string;
  /** Which records are left out. */
  readonly filter: string;
  readonly content: string;
  readonly read: number;
  readonly filtered: number;
  /** With how many records are rejected. */
  readonly errors: readonly (readonly [code: string, count: number])[];
  readonly rejected: number;
}

const cases: Readonly<Record<string, Case>> = {
  reports: {
    format: '{ type: bai2 }',
    key: "string(record.groupNumber) + '-' + string(record.detailNumber)",
    filter: "record.typeCode == '475'",
    content: fileOf([Array.from({ length: 150 }, () => account)]).replace('16,115,1000,S', '16,115,1000,X'),
    read: 600,
    filtered: 150,
    errors: [['E_BAI2_FIELD', 1]],
    rejected: 1,
  },
  statements: {
    format: '{ type: swift-mt, messages: statements }',
    key: "string(record.messageNumber) + '-' + string(record.entryNumber)",
    filter: "record.bookedAmount == decimal('-1')",
    content: many(150, finMessage('940', statementFields), ':61:2601020103DR', ':61:2601320103DR'),
    read: 600,
    filtered: 150,
    errors: [
      ['E_DATE', 1],
      ['E_SWIFT_FIELD', 1],
    ],
    rejected: 1,
  },
  payments: {
    format: '{ type: swift-mt, messages: payments }',
    key: "string(record.messageNumber) + '-' + coalesce(record.transactionReference, record.senderReference)",
    filter: "record.amount == decimal('5')",
    // Its own amount is in no total of the file: what can't be read can't be added up.
    content: many(
      150,
      finMessage('103', transferFields) + finMessage('101', requestFields),
      ':71A:SHA\r\n:71F',
      ':71A:ALL\r\n:71F',
    ).replace('INVOICE 17', marker),
    read: 450,
    filtered: 150,
    errors: [
      ['E_POISON', 1],
      ['E_SWIFT_FIELD', 1],
    ],
    rejected: 2,
  },
};

const documents = [
  `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: bank, name: place }\nspec: { type: folder, root: ${root} }\n`,
  ...Object.entries(cases).map(
    ([name, { format, key, filter }]) => `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank, service: treasury, name: ${name}, version: 1.0.0 }
spec:
  sources: [{ id: drop, type: folder, connection: place, path: in, match: "*.${name}", poll: 1s, ready: { stableFor: 1s } }]
  format: ${format}
  filter: [{ id: apart, when: "${filter}", reason: "booked by hand" }]
  transform: [{ id: shape, set: { key: "${key}" } }]
  routes: { default: { to: [ledger] } }
  targets: { ledger: { type: file, connection: place, path: ${name}, format: ndjson, name: "{file}-{number}-{sequence}.ndjson", batch: { size: 100 } } }
`,
  ),
];

const points = [
  'arrivals.after-read',
  'arrivals.before-commit',
  'arrivals.after-commit',
  'jobs.before-run',
  'jobs.after-segments',
  'jobs.before-commit:2',
  'jobs.after-commit:2',
  'jobs.after-check',
  'jobs.before-check-commit:2',
  'deliveries.after-attempt-commit',
  'deliveries.after-outcome',
  'jobs.before-close-commit',
];

it('delivers each record of reports and messages once, through kills at every step and a record that kills its reader', async () => {
  mkdirSync(join(root, 'in'), { recursive: true });
  const names = documents.map((text, index) => {
    writeFileSync(join(folder, `${index}.yaml`), text);
    return `${index}.yaml`;
  });
  let served = await serveHeadgate(dataDir, { env });
  started.push(served);
  url = served.url;
  await runHeadgate(['tenant', 'create', 'bank', '--data-dir', dataDir]);
  const scopes = 'flows:write,flows:read,files:read,jobs:read,records:reveal';
  const made = await runHeadgate(['key', 'create', 'bank', '--scopes', scopes, '--json', '--data-dir', dataDir]);
  writeFileSync(keyFile, JSON.parse(made.stdout).key, { mode: 0o600 });
  const trust = join(folder, 'trust.json');
  writeFileSync(trust, (await runHeadgate(['trust', '--data-dir', dataDir])).stdout);
  expect(await headgate('flow', 'apply', ...names, '--yes')).toMatchObject({ code: 0 });
  await served.stop();
  for (const [name, { content }] of Object.entries(cases)) writeFileSync(join(root, 'in', `day.${name}`), content);
  for (const point of points) {
    const process = startHeadgate(dataDir, { env: { ...env, HEADGATE_TEST_CRASH_AT: point } });
    started.push(process);
    const end = await process.ended();
    expect([point, end.signal]).toEqual([point, 'SIGKILL']);
  }
  served = await serveHeadgate(dataDir, { env });
  started.push(served);
  url = served.url;
  const jobs = async () => (await json('job', 'list')) as { jobId: string; flow: string; closedAt: string | null }[];
  await until(async () => (await jobs()).filter(({ closedAt }) => closedAt !== null).length === 3, 'not all jobs were closed', 120_000);
  for (const { jobId, flow } of await jobs()) {
    const { read, filtered, rejected, errors } = cases[flow]!;
    const job = await json('job', 'get', jobId);
    const valid = read - filtered - rejected;
    expect([flow, job.state, job.records]).toMatchObject([flow, 'completed', { read, valid, rejected, filtered }]);
    expect(job.errors.map((error: { code: string; count: number }) => [error.code, error.count]).toSorted()).toEqual(errors);
    const keys = readdirSync(join(root, flow)).flatMap((name) =>
      readFileSync(join(root, flow, name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).key as string),
    );
    expect([keys.length, new Set(keys).size]).toEqual([valid, valid]);
    const verified = await headgate('verify', jobId, '--trust', trust, '--json');
    expect([verified.code, JSON.parse(verified.stdout)]).toMatchObject([0, { isSound: true, failures: [] }]);
  }
  await served.stop();
}, 240_000);
