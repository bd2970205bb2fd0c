/** ACH files of a flow with settings on their way through a process that is killed: each is answered once, with numbers of its own. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { achFile, readAch } from '../../src/pipeline/formats/nacha/ach-files.fixture.ts';
import { sampleBatches } from '../../src/pipeline/formats/nacha/sample-batches.fixture.ts';
import { until } from '../support/delivery-scenario.ts';
import { runHeadgate, serveHeadgate, startHeadgate } from '../support/headgate-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-returns-'));
const dataDir = join(folder, 'data');
const keyFile = join(folder, 'api-key');
const root = join(folder, 'bank');
const env = { HEADGATE_LEASE_MS: '2000', HEADGATE_CHUNK_BYTES: '65536' };
let url = '';
const started: { stop(): Promise<unknown> }[] = [];
afterAll(async () => {
  for (const process of started) await process.stop();
  rmSync(folder, { recursive: true, force: true });
});

const headgate = (...argv: string[]) => runHeadgate([...argv, '--key-file', keyFile], { env: { HEADGATE_URL: url }, cwd: folder });
const json = async (...argv: string[]) => JSON.parse((await headgate(...argv, '--json')).stdout);

const flow = `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank, service: payments, name: ach, version: 1.0.0 }
spec:
  sources: [{ id: drop, type: folder, connection: place, path: in, match: "*.ach", poll: 1s, ready: { stableFor: 1s } }]
  format: { type: nacha, traceNumbers: accept, transactionCodes: warn }
  validate: [{ id: open, assert: "record.DFIAccountNumber != '999'", code: R02, message: "The account is closed" }]
  acknowledge: { format: nacha, levels: [record], to: drop, path: returns, name: "{file}.{number}.{extension}" }
  transform: [{ id: shape, set: { trace: record.traceNumber, amount: record.amount } }]
  routes: { default: { to: [ledger] } }
  targets: { ledger: { type: file, connection: place, path: ledger, format: ndjson, name: "{file}-{number}.ndjson" } }
`;

const entries = 300;
const [entry] = sampleBatches.PPD.entries;
/** Of every third entry the account is closed; the first two come in the wrong order, the last has an unknown transaction code. */
function dayFile(name: string): Buffer {
  const file = achFile({ ...sampleBatches.PPD, entries: Array.from({ length: entries }, () => entry!) });
  file.set('fileHeader', 'referenceCode', name);
  for (let index = 0; index < entries; index += 3) file.set('entryDetail', 'DFIAccountNumber', '999', index);
  const trace = (index: number) => file.get(file.index('entryDetail', index), 'traceNumber');
  const [first, second] = [trace(0), trace(1)];
  file.set('entryDetail', 'traceNumber', second, 0).set('entryDetail', 'traceNumber', first, 1);
  return Buffer.from(file.set('entryDetail', 'transactionCode', 25, entries - 1).text());
}

const points = ['jobs.before-close', 'jobs.before-close-commit', 'jobs.after-close-commit', 'acknowledgements.before-commit'];

it('answers each of two ACH files with one file of returns, through kills while they are closed and answered', async () => {
  for (const name of ['in', 'returns', 'ledger']) mkdirSync(join(root, name), { recursive: true });
  writeFileSync(
    join(folder, 'place.yaml'),
    `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: bank, name: place }\nspec: { type: folder, root: ${root} }\n`,
  );
  writeFileSync(join(folder, 'flow.yaml'), flow);
  let served = await serveHeadgate(dataDir, { env });
  started.push(served);
  url = served.url;
  await runHeadgate(['tenant', 'create', 'bank', '--data-dir', dataDir]);
  const scopes = 'flows:write,flows:read,files:read,jobs:read';
  const made = await runHeadgate(['key', 'create', 'bank', '--scopes', scopes, '--json', '--data-dir', dataDir]);
  writeFileSync(keyFile, JSON.parse(made.stdout).key, { mode: 0o600 });
  expect((await headgate('flow', 'apply', 'place.yaml', 'flow.yaml', '--yes')).code).toBe(0);
  await served.stop();
  for (const name of ['one', 'two']) writeFileSync(join(root, 'in', `${name}.ach`), dayFile(name));
  for (const point of points) {
    const process = startHeadgate(dataDir, { env: { ...env, HEADGATE_TEST_CRASH_AT: point } });
    started.push(process);
    expect([point, (await process.ended()).signal]).toEqual([point, 'SIGKILL']);
  }
  served = await serveHeadgate(dataDir, { env });
  started.push(served);
  url = served.url;
  const told = async () => {
    const files: { fileId: string }[] = await json('file', 'list');
    const all = await Promise.all(files.map(({ fileId }) => json('file', 'get', fileId)));
    return all.length === 2 && all.every(({ acknowledgements }) => acknowledgements[0]?.state === 'sent');
  };
  await until(told, 'the senders were not told', 120_000);
  const answers = readdirSync(join(root, 'returns')).sort();
  expect(answers.map((name) => name.split('.')[0])).toEqual(['one', 'two']);
  const read = answers.map((name) => {
    const { findings, document } = readAch(readFileSync(join(root, 'returns', name)));
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    const { fileHeader, batches } = JSON.parse(document);
    const returned = batches.flatMap(
      (batch: { entryDetails: { traceNumber: string; addenda99: { returnCode: string } }[] }) => batch.entryDetails,
    );
    return {
      modifier: fileHeader.fileIDModifier as string,
      returned: returned as { traceNumber: string; addenda99: { returnCode: string } }[],
    };
  });
  expect(read.map(({ modifier }) => modifier).sort()).toEqual(['A', 'B']);
  for (const { returned } of read) {
    expect(returned).toHaveLength(entries / 3);
    expect(new Set(returned.map(({ addenda99 }) => addenda99.returnCode))).toEqual(new Set(['R02']));
  }
  const numbers = read.flatMap(({ returned }) => returned.map(({ traceNumber }) => Number(traceNumber.slice(-7))));
  expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: (2 * entries) / 3 }, (_, index) => index + 1));
}, 240_000);
