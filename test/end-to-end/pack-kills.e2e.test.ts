/** A message of ISO 20022 on its way through a process that is killed again and again, with a record that kills whoever reads it. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { creditTransfers, readMessage } from '../../src/pipeline/formats/iso20022/iso20022-files.fixture.ts';
import { until } from '../support/delivery-scenario.ts';
import { runHeadgate, serveHeadgate, startHeadgate } from '../support/headgate-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-packs-'));
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
const inBank = (kind: string, name: string, spec: string) =>
  `apiVersion: headgate/v1\nkind: ${kind}\nmetadata: { tenant: bank, name: ${name} }\nspec: ${spec}\n`;

const perPayment = 400;
/** Three payment informations, the last two with one identification; of each the first has a wrong IBAN. */
function message(): string {
  const [, before, payment, , after] = /^([\s\S]*?)(<PmtInf>[\s\S]*?<\/PmtInf>)\n(<PmtInf>[\s\S]*?<\/PmtInf>)([\s\S]*)$/.exec(
    creditTransfers,
  )!;
  const [, head, transaction] = /^([\s\S]*?)(<CdtTrfTxInf>[\s\S]*?<\/CdtTrfTxInf>)/.exec(payment!)!;
  const payments = ['A', 'B', 'B'].map((id, group) => {
    const transactions = Array.from({ length: perPayment }, (_, index) => {
      const own = transaction!.replaceAll('A1', `${group}-${index}`);
      if (index === 0) return own.replace('DE89370400440532013000', 'DE89370400440532013001');
      if (index === 1) return own.replace('>10.10<', '>99.00<');
      return group === 1 && index === 77 ? own.replace('Invoice 4711', marker) : own;
    });
    const sum = (perPayment - 1) * 10.1 + 99;
    return `${head!
      .replace('<PmtInfId>A', `<PmtInfId>${id}`)
      .replace('<NbOfTxs>2', `<NbOfTxs>${perPayment}`)
      .replace('<CtrlSum>30.35', `<CtrlSum>${sum.toFixed(2)}`)}${transactions.join('\n')}</PmtInf>`;
  });
  // What can't be read can't be added up: with a sum of the message it would be held.
  const group = before!.replace('<NbOfTxs>3', `<NbOfTxs>${3 * perPayment}`).replace('<CtrlSum>60.35</CtrlSum>', '');
  return `${group}${payments.join('\n')}${after!}`;
}

const flow = `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank, service: payments, name: transfers, version: 1.0.0 }
spec:
  sources: [{ id: drop, type: folder, connection: place, path: in, match: "*.xml", poll: 1s, ready: { stableFor: 1s } }]
  format: { type: iso20022, message: pain.001 }
  acceptance: { onDamage: reject }
  filter: [{ id: apart, when: "record.amount == decimal('99')", reason: "paid by hand" }]
  acknowledge: { format: pain.002, levels: [record], to: drop, path: answers, name: "{file}.{number}.{extension}" }
  transform: [{ id: shape, set: { id: record.endToEndId, amount: record.amount } }]
  routes: { default: { to: [ledger] } }
  targets: { ledger: { type: file, connection: place, path: ledger, format: ndjson, name: "{file}-{number}-{sequence}.ndjson", batch: { size: 250 } } }
`;

const points = [
  'arrivals.after-read',
  'arrivals.before-pack',
  'arrivals.before-commit',
  'arrivals.after-commit',
  'jobs.after-start',
  'jobs.before-run',
  'jobs.after-segments',
  'jobs.before-commit:2',
  'jobs.after-commit:2',
  'jobs.after-check',
  'jobs.before-check-commit',
  'jobs.after-check-commit',
  'deliveries.after-attempt-commit',
  'deliveries.after-outcome',
  'jobs.before-close-commit',
  'acknowledgements.before-commit',
];

it('delivers each transaction of a message once, and answers it with one report, through kills at every step and a record that kills its reader', async () => {
  for (const name of ['in', 'answers', 'ledger']) mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(folder, 'place.yaml'), inBank('Connection', 'place', `{ type: folder, root: ${root} }`));
  writeFileSync(join(folder, 'flow.yaml'), flow);
  let served = await serveHeadgate(dataDir, { env });
  started.push(served);
  url = served.url;
  await runHeadgate(['tenant', 'create', 'bank', '--data-dir', dataDir]);
  const scopes = 'flows:write,flows:read,files:read,jobs:read,records:reveal';
  const made = await runHeadgate(['key', 'create', 'bank', '--scopes', scopes, '--json', '--data-dir', dataDir]);
  writeFileSync(keyFile, JSON.parse(made.stdout).key, { mode: 0o600 });
  const trust = join(folder, 'trust.json');
  writeFileSync(trust, (await runHeadgate(['trust', '--data-dir', dataDir])).stdout);
  expect((await headgate('flow', 'apply', 'place.yaml', 'flow.yaml', '--yes')).code).toBe(0);
  await served.stop();
  writeFileSync(join(root, 'in', 'day.xml'), message());
  for (const point of points) {
    const process = startHeadgate(dataDir, { env: { ...env, HEADGATE_TEST_CRASH_AT: point } });
    started.push(process);
    const end = await process.ended();
    expect([point, end.signal]).toEqual([point, 'SIGKILL']);
  }
  served = await serveHeadgate(dataDir, { env });
  started.push(served);
  url = served.url;
  await until(async () => (await json('job', 'list'))[0]?.closedAt != null, 'the job did not close', 120_000);
  const [{ jobId, fileId }] = await json('job', 'list');
  await until(async () => (await json('file', 'get', fileId)).acknowledgements[0]?.state === 'sent', 'the sender was not told');
  const job = await json('job', 'get', jobId);
  const rejected = 4;
  const filtered = 3;
  const delivered = 3 * perPayment - rejected - filtered;
  expect(job).toMatchObject({ state: 'completed', records: { read: 3 * perPayment, valid: delivered, rejected, filtered } });
  expect(job.errors.map(({ code, count }: { code: string; count: number }) => [code, count]).sort()).toEqual([
    ['E_ISO20022_BUSINESS', 3],
    ['E_POISON', 1],
  ]);
  const ids = readdirSync(join(root, 'ledger')).flatMap((name) =>
    readFileSync(join(root, 'ledger', name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id as string),
  );
  expect([ids.length, new Set(ids).size]).toEqual([delivered, delivered]);
  const answers = readdirSync(join(root, 'answers'));
  expect(answers).toHaveLength(1);
  const { findings, document } = readMessage(readFileSync(join(root, 'answers', answers[0]!)));
  expect(findings).toEqual([]);
  const { OrgnlGrpInfAndSts: group, OrgnlPmtInfAndSts: payments } = JSON.parse(document).Document.CstmrPmtStsRpt;
  expect([group.GrpSts, group.OrgnlNbOfTxs]).toEqual(['PART', String(3 * perPayment)]);
  const told = payments.map(
    (payment: { OrgnlPmtInfId: string; TxInfAndSts: { OrgnlEndToEndId: string; StsRsnInf: { Rsn: { Cd: string } }[] }[] }) => [
      payment.OrgnlPmtInfId,
      payment.TxInfAndSts.map(({ OrgnlEndToEndId, StsRsnInf }) => [OrgnlEndToEndId, StsRsnInf.map(({ Rsn }) => Rsn.Cd)]),
    ],
  );
  expect(told).toEqual([
    ['A', [['E2E-0-0', ['AC01']]]],
    [
      'B',
      [
        ['E2E-1-0', ['AC01']],
        ['E2E-1-77', ['NARR']],
      ],
    ],
    ['B', [['E2E-2-0', ['AC01']]]],
  ]);
  const verified = await headgate('verify', jobId, '--trust', trust, '--json');
  expect([verified.code, JSON.parse(verified.stdout)]).toMatchObject([0, { isSound: true, failures: [] }]);
  await served.stop();
}, 240_000);
