import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../support/delivery-scenario.ts';
import { runHeadgate, serveHeadgate, startHeadgate, uploadFlow } from '../support/headgate-command.ts';
import { type SinkRequest, startHttpSink } from '../support/http-sink.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-redrive-'));
const dataDir = join(folder, 'data');
const keyFile = join(folder, 'api-key');
const trust = join(folder, 'trust.json');
let url = '';

const administer = (...argv: string[]) => runHeadgate([...argv, '--data-dir', dataDir]);
const headgate = (...argv: string[]) => runHeadgate([...argv, '--key-file', keyFile], { env: { HEADGATE_URL: url }, cwd: folder });
const json = async (...argv: string[]) => {
  const { stdout, stderr } = await headgate(...argv, '--json');
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
};
const env = { HEADGATE_LEASE_MS: '2000' };
const inBank = (kind: string, name: string, spec: string) =>
  `apiVersion: headgate/v1\nkind: ${kind}\nmetadata: { tenant: bank, name: ${name} }\nspec: ${spec}\n`;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A served process that kills itself at a point; `ended` says when it has. */
async function doomed(point: string) {
  const process = startHeadgate(dataDir, { env: { ...env, HEADGATE_TEST_CRASH_AT: point } });
  url = (await process.said(/headgate serves (http:\/\/\S+?),/))[1]!;
  return process;
}

beforeAll(async () => {
  writeFileSync(
    join(folder, 'in.csv'),
    `id,account,amount,note\n${Array.from({ length: 30 }, (_, row) => `p${row},62000${row},${row}.50,\n`).join('')}`,
  );
});

it('a service that refuses accounts gets each record once after they are mended, through kills while they are sent again, and the lineage balances', async () => {
  const taken: { readonly key: string; readonly isLabelled: boolean; readonly account: string }[] = [];
  const sink = await startHttpSink(({ body, headers }: SinkRequest) => {
    const record = JSON.parse(body);
    if (record.account.endsWith('7')) return { status: 422 };
    taken.push({
      key: String(headers['idempotency-key']),
      isLabelled: headers['headgate-possible-duplicate'] === 'true',
      account: record.account,
    });
    return { status: 200 };
  });
  writeFileSync(
    join(folder, 'policy.yaml'),
    inBank('TenantPolicy', 'policy', '{ egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }'),
  );
  writeFileSync(join(folder, 'api.yaml'), inBank('Connection', 'api', `{ type: http, baseUrl: "${sink.url}" }`));
  writeFileSync(
    join(folder, 'flow.yaml'),
    `${uploadFlow('payments', { type: 'http', connection: 'api' }).replace(
      'path: payments',
      'path: /payments, mode: single, requestsInFlight: 1',
    )}  acknowledge: { format: csv, levels: [file, record], connection: acks, name: "{file}.{level}.{extension}" }\n`,
  );
  const acks = join(folder, 'acks');
  mkdirSync(acks);
  writeFileSync(join(folder, 'acks.yaml'), inBank('Connection', 'acks', `{ type: folder, root: ${acks} }`));
  let served = await serveHeadgate(dataDir, { env });
  url = served.url;
  await administer('tenant', 'create', 'bank');
  const scopes = 'flows:write,flows:read,files:write,jobs:read,jobs:operate,records:read,records:reveal,policy:write,files:read';
  writeFileSync(keyFile, JSON.parse((await administer('key', 'create', 'bank', '--scopes', scopes, '--json')).stdout).key, { mode: 0o600 });
  writeFileSync(trust, (await administer('trust')).stdout);
  const applied = await headgate('flow', 'apply', 'policy.yaml', 'api.yaml', 'acks.yaml', 'flow.yaml', '--yes');
  expect([applied.code, applied.stderr]).toEqual([0, expect.any(String)]);
  const [{ jobId }] = JSON.parse((await headgate('ingest', 'in.csv', '--flow', 'payments', '--wait', '--json')).stdout);
  const [group] = await json('dead-letter', 'groups', '--flow', 'payments');
  expect(group).toMatchObject({ records: 3, targetId: 'ledger' });
  const keys = (await json('dead-letter', 'list', '--job', jobId)).map(({ deliveryKey }: { deliveryKey: string }) => deliveryKey).sort();
  await served.stop();

  const repair = [
    'dead-letter',
    'repair',
    '--group',
    group.groupId,
    '--set',
    "account=record.account.replace('7', '1')",
    '--reason',
    'accounts moved',
  ];
  const decide = () => headgate(...repair, '--yes', '--idempotency-key', 'once', '--json');
  for (const point of ['redrives.after-seal', 'redrives.before-commit', 'redrives.after-commit']) {
    const process = await doomed(point);
    expect((await decide()).code).not.toBe(0);
    expect((await process.ended()).signal).toBe('SIGKILL');
  }
  // Twice in the middle of the delivery: before the first request is known to have ended, and before its end is written down.
  for (const point of ['deliveries.after-attempt-commit', 'deliveries.after-outcome'])
    expect((await (await doomed(point)).ended()).signal).toBe('SIGKILL');
  served = await serveHeadgate(dataDir, { env });
  url = served.url;
  // The decision was made before the third kill: repeated, it is answered again.
  const made = JSON.parse((await decide()).stdout);
  expect(made).toMatchObject({ records: 3, jobs: [{ ofJobId: jobId, targetId: 'ledger', records: 3 }] });
  const [{ jobId: redriven }] = made.jobs;
  await until(async () => (await json('job', 'get', redriven)).closedAt !== null, 'the job did not close');
  expect(await json('job', 'lineage', redriven)).toMatchObject({
    lineageId: jobId,
    balanced: true,
    targets: { ledger: { routed: 30, delivered: 30, open: 0, redriving: 0 } },
  });
  const again = taken.filter(({ key }) => keys.includes(key));
  expect([...new Set(again.map(({ key }) => key))].sort()).toEqual(keys);
  for (const key of keys) expect(again.filter((one) => one.key === key && !one.isLabelled).length).toBeLessThanOrEqual(1);
  expect(again.every(({ account }) => !account.includes('7'))).toBe(true);
  for (const each of [jobId, redriven]) {
    const verified = await headgate('verify', each, '--trust', trust, '--json');
    expect([verified.code, JSON.parse(verified.stdout)]).toMatchObject([0, { isSound: true, failures: [] }]);
  }
  await served.stop();

  // What is written for a sender, by a process that is killed before that is written down.
  const killed = await doomed('acknowledgements.before-commit');
  writeFileSync(join(folder, 'next.csv'), 'id,account,amount,note\nq1,620001,1.50,\n');
  const [{ fileId }] = JSON.parse((await headgate('ingest', 'next.csv', '--flow', 'payments', '--json')).stdout);
  expect((await killed.ended()).signal).toBe('SIGKILL');
  const names = ['in.csv', 'next.csv'].flatMap((name) => ['file', 'record'].map((level) => `${name}.${level}.csv`));
  expect(readdirSync(acks).toSorted()).toEqual(names);
  served = await serveHeadgate(dataDir, { env });
  url = served.url;
  const told = async () => (await json('file', 'get', fileId)).acknowledgements as { state: string; attempts: number; name: string }[];
  await until(async () => (await told()).every(({ state }) => state === 'sent'), 'the file was not acknowledged');
  expect(await told()).toMatchObject(names.slice(2).map((name) => ({ name, attempts: 1 })));
  // Nothing twice, and nothing of the records that were sent again.
  expect(readdirSync(acks).toSorted()).toEqual(names);
  const asked = await headgate('file', 'acknowledgement', fileId, '--level', 'file', '--format', 'csv');
  expect(readFileSync(join(acks, names[2]!), 'utf8')).toBe(asked.stdout);
  await served.stop();
}, 240_000);
