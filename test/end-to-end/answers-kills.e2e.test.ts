/** Processes that are killed while they match answers: what is known in the end is what one that was never killed finds. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { until } from '../support/delivery-scenario.ts';
import { runHeadgate, serveHeadgate, startHeadgate } from '../support/headgate-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-answers-'));
const dataDir = join(folder, 'data');
const keyFile = join(folder, 'api-key');
const out = join(folder, 'out');
const env = { HEADGATE_LEASE_MS: '2000' };
let url = '';
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const administer = (...argv: string[]) => runHeadgate([...argv, '--data-dir', dataDir]);
const headgate = (...argv: string[]) => runHeadgate([...argv, '--key-file', keyFile], { env: { HEADGATE_URL: url }, cwd: folder });
const json = async (...argv: string[]) => {
  const { stdout, stderr } = await headgate(...argv, '--json');
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
};
const document = (kind: string, metadata: string, spec: string) =>
  `apiVersion: headgate/v1\nkind: ${kind}\nmetadata: { tenant: bank, ${metadata} }\nspec:\n${spec}`;

async function ingest(flow: string, name: string, lines: readonly string[]): Promise<string> {
  writeFileSync(join(folder, name), [...lines, ''].join('\n'));
  return JSON.parse((await headgate('ingest', name, '--flow', flow, '--json')).stdout)[0].jobId;
}

const closed = async (jobId: string) => {
  await until(async () => (await json('job', 'get', jobId)).closedAt !== null, 'the job did not close');
  return await json('job', 'get', jobId);
};

interface BankFile {
  readonly batchId: string;
  readonly name: string;
}

/** A file that the bank has got. */
async function sent(letter: string): Promise<BankFile> {
  const jobId = await ingest('eft-out', `${letter}.csv`, [
    'id,amount',
    ...Array.from({ length: 40 }, (_, row) => `${letter}${row},${row}.50`),
  ]);
  await closed(jobId);
  const [{ batchId }] = await json('batch', 'list', '--job', jobId);
  return { batchId, name: (await json('batch', 'get', batchId)).answer.name };
}

/** What was first said of every record; then answers of which some contradict, some are about nothing, and one is about the rest at once. */
const earlier = (letter: string, name: string) => [`${name},${letter}0,OK,`, `${name},${letter}1,NOK,AC01`, `${name},${letter}2,WAIT,`];
const later = (letter: string, name: string) => [
  `${name},,OK,`,
  `${name},${letter}0,NOK,AM04`,
  `${name},${letter}2,NOK,AC04`,
  `${name},${letter}3,NOK,AC06`,
  `${name},${letter}99,OK,`,
  `,${letter}4,OK,`,
];

/** What is known of the file of a letter, without what differs from one run to the next. */
async function known(letter: string, { batchId }: BankFile, jobId: string) {
  const { answer } = await json('batch', 'get', batchId);
  const { state, accepted, refused, pending, unanswered, contradictions, refusedAsWhole, isLate } = answer;
  const refusals = await json('batch', 'refusals', batchId);
  const letters = await json('dead-letter', 'list', '--job', jobId);
  const events = (await json('event', 'list', '--about', batchId)).filter(({ type }: { type: string }) => type.startsWith('answer.'));
  const { state: jobState, targets } = await json('job', 'get', jobId);
  return {
    answer: { state, accepted, refused, pending, unanswered, contradictions, refusedAsWhole, isLate },
    refusals: refusals.map(({ position, record, code, answerRecord }: Record<string, unknown>) => [position, record, code, answerRecord]),
    letters: letters.map(({ recordNumber, code }: Record<string, unknown>) => `${recordNumber} ${code}`).sort(),
    events: events.map(({ type, from, to }: Record<string, unknown>) => `${type} ${from} ${to}`).sort(),
    job: [jobState, targets.matched.delivered, targets.matched.refused],
    isOfLetter: readFileSync(join(out, 'bank', answer.name), 'utf8').includes(`${letter}39`),
  };
}

it('a process that is killed while it matches answers is followed by another, and nothing is lost, doubled or taken back', async () => {
  mkdirSync(out);
  writeFileSync(join(folder, 'out.yaml'), document('Connection', 'name: out', `  type: folder\n  root: ${out}\n`));
  writeFileSync(
    join(folder, 'eft-out.yaml'),
    document(
      'FlowDefinition',
      'service: payments, name: eft-out, version: 1.0.0',
      `  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema: { record: { key: [id], fields: { id: { type: string, required: true, unique: file }, amount: { type: decimal, scale: 2 } } } }
  routes: { default: { to: [bank] } }
  targets: { bank: { type: file, connection: out, path: bank, format: csv, name: "EFT{sequence:4}.{extension}", answers: { within: 1h, key: out.id } } }
`,
    ),
  );
  writeFileSync(
    join(folder, 'answers.yaml'),
    document(
      'FlowDefinition',
      'service: payments, name: bank-answers, version: 1.0.0',
      `  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema: { record: { fields: { file: { type: string }, id: { type: string }, status: { type: string }, reason: { type: string } } } }
  routes: { default: { to: [matched] } }
  targets:
    matched: { type: answers, of: [{ flow: eft-out, target: bank }], file: out.file, key: out.id, status: out.status, reason: out.reason, accepted: [OK], refused: [NOK], pending: [WAIT] }
`,
    ),
  );
  let served = await serveHeadgate(dataDir, { env });
  url = served.url;
  await administer('tenant', 'create', 'bank');
  const scopes = 'flows:write,flows:read,files:write,jobs:read,records:read';
  writeFileSync(keyFile, JSON.parse((await administer('key', 'create', 'bank', '--scopes', scopes, '--json')).stdout).key, { mode: 0o600 });
  const applied = await headgate('flow', 'apply', 'out.yaml', 'eft-out.yaml', 'answers.yaml', '--yes');
  expect([applied.code, applied.stderr]).toEqual([0, expect.any(String)]);

  const undisturbed = await sent('U');
  await closed(await ingest('bank-answers', 'u1.csv', ['file,id,status,reason', ...earlier('U', undisturbed.name)]));
  const plain = await ingest('bank-answers', 'u2.csv', ['file,id,status,reason', ...later('U', undisturbed.name)]);
  await closed(plain);
  const expected = await known('U', undisturbed, plain);
  expect(expected).toMatchObject({
    answer: { state: 'complete', accepted: 37, refused: 3, pending: 0, unanswered: 0, contradictions: 1 },
    refusals: [
      [1, 2, 'AC01', 2],
      [2, 3, 'AC04', 3],
      [3, 4, 'AC06', 4],
    ],
    letters: ['2 E_ANSWER_CONTRADICTS', '5 E_ANSWER_UNMATCHED'],
    events: [
      'answer.completed awaited complete',
      'answer.contradicted complete complete',
      'answer.expected  awaited',
      'answer.received awaited awaited',
    ],
    job: ['completed_with_failures', 4, 2],
    isOfLetter: true,
  });

  for (const [letter, points] of [
    ['A', ['answers.before-commit']],
    ['B', ['answers.after-commit']],
    ['C', ['deliveries.after-outcome']],
    [
      'D',
      [
        'deliveries.after-attempt-commit',
        'answers.before-commit',
        'answers.after-commit',
        'answers.after-commit',
        'deliveries.after-outcome',
      ],
    ],
  ] as const) {
    const file = await sent(letter);
    await closed(await ingest('bank-answers', `${letter}1.csv`, ['file,id,status,reason', ...earlier(letter, file.name)]));
    await served.stop();
    let jobId = '';
    for (const point of points) {
      const doomed = startHeadgate(dataDir, { env: { ...env, HEADGATE_TEST_CRASH_AT: point } });
      url = (await doomed.said(/headgate serves (http:\/\/\S+?),/))[1]!;
      if (jobId === '') jobId = await ingest('bank-answers', `${letter}2.csv`, ['file,id,status,reason', ...later(letter, file.name)]);
      expect([letter, point, (await doomed.ended()).signal]).toEqual([letter, point, 'SIGKILL']);
    }
    served = await serveHeadgate(dataDir, { env });
    url = served.url;
    await closed(jobId);
    expect([letter, await known(letter, file, jobId)]).toEqual([letter, expected]);
  }
  expect(readdirSync(join(out, 'bank')).length).toBe(5);
  await served.stop();
}, 300_000);
