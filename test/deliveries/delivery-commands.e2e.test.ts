/** What the commands say of deliveries that wait for settings to be mended, and how they go on. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type CommandResult, runHeadgate, type ServedHeadgate, serveHeadgate, uploadFlow } from '../support/headgate-command.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-deliveries-'));
let database: TestDatabase;
let served: ServedHeadgate;

const document = (kind: string, name: string, spec: string) =>
  `apiVersion: headgate/v1\nkind: ${kind}\nmetadata: { tenant: bank, name: ${name} }\nspec: ${spec}\n`;
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return name;
};

beforeAll(async () => {
  mkdirSync(join(folder, 'out'));
  database = await createTestDatabase({ connectionsMax: 2 });
  served = await serveHeadgate(join(folder, 'data'), { env: { HEADGATE_DATABASE_URL: database.url } });
  const administer = (...argv: string[]) => runHeadgate(argv, { env: { HEADGATE_DATABASE_URL: database.url } });
  expect((await administer('tenant', 'create', 'bank')).code).toBe(0);
  const scopes = 'files:write,jobs:read,jobs:operate,flows:read,flows:write,policy:write';
  const { stdout } = await administer('key', 'create', 'bank', '--scopes', scopes, '--json');
  writeFileSync(join(folder, 'key'), JSON.parse(stdout).key, { mode: 0o600 });
});
afterAll(async () => {
  await served?.stop();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

const headgate = (...argv: string[]): Promise<CommandResult> =>
  runHeadgate([...argv, '--key-file', join(folder, 'key')], { env: { HEADGATE_URL: served.url }, cwd: folder });
const json = async (...argv: string[]) => JSON.parse((await headgate(...argv, '--json')).stdout);

const policy = document('TenantPolicy', 'policy', '{ tier: silver, egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }');
const flowTo = (name: string, connection: string) =>
  uploadFlow(name, { type: 'http', connection, more: 'retry: { max: 1, initial: 10ms, cap: 20ms }' }).replace('path: ', 'path: /');

it('a batch whose settings are at fault is shown with what its target said last and what to do, and sent again once mended', async () => {
  const sink = await startHttpSink(() => ({ status: 401 }));
  write('policy.yaml', policy);
  write('ledger.yaml', document('Connection', 'ledger', `{ type: http, baseUrl: "${sink.url}" }`));
  write('refused.yaml', flowTo('refused', 'ledger'));
  expect(await headgate('flow', 'apply', 'policy.yaml', 'ledger.yaml', 'refused.yaml', '--yes')).toMatchObject({ code: 0 });
  write('in.csv', 'id,account,amount,note\nr1,6200001234,1.50,\n');
  const [{ jobId }] = await json('ingest', 'in.csv', '--flow', 'refused');
  const find = async () => (await json('batch', 'list', '--job', jobId, '--state', 'held'))[0];
  const batch = await vi.waitUntil(find, { timeout: 60_000, interval: 100 });
  const { batchId } = batch;
  const says = { reasonCode: 'E_TARGET_FORBIDDEN', message: expect.stringContaining('401'), next: expect.stringContaining('secret') };
  expect(batch).toMatchObject(says);
  expect(await json('batch', 'get', batchId)).toMatchObject(says);
  const list = await headgate('batch', 'list', '--job', jobId);
  expect(list.stdout).toMatch(/^batchId\t.*\tmessage\n.*\tE_TARGET_FORBIDDEN\t.*401[^\t]*\n$/);
  const resend = `headgate batch resolve ${batchId} --as resend --reason TEXT`;
  expect(list.stderr).toMatch(/^try: Put a valid secret .*\n$/);
  expect(list.stderr).toContain(resend);
  const got = await headgate('batch', 'get', batchId);
  expect(got.stdout).toMatch(/\nmessage\t.*401.*\n/);
  expect(got.stderr).toContain(resend);
  sink.answer(() => ({ status: 200 }));
  expect(await headgate(...resend.split(' ').slice(1, -1), 'mended', '--yes')).toMatchObject({ code: 0 });
  expect(await headgate('job', 'watch', jobId)).toMatchObject({ code: 0 });
  expect(await headgate('batch', 'resolve', batchId, '--as', 'resend', '--reason', 'again', '--yes')).toMatchObject({
    code: 6,
    stderr: expect.stringMatching(/E_BATCH_STATE: the batch is acked .* are for batches in state held\ntry: /),
  });
});

it('a folder is planned as a whole and in the order of what depends on what, and applied after a yes', async () => {
  mkdirSync(join(folder, 'flows/more'), { recursive: true });
  write('flows/a-flow.yaml', uploadFlow('foldered', { type: 'file', connection: 'foldered-out' }));
  write('flows/more/b-out.yml', document('Connection', 'foldered-out', `{ type: folder, root: ${JSON.stringify(join(folder, 'out'))} }`));
  write('flows/read-me.txt', 'no document');
  const plan = await headgate('flow', 'plan', 'flows', '--exit-code');
  expect([plan.code, plan.stdout]).toEqual([
    3,
    'kind\tname\tversion\toutcome\tchanged\nConnection\tfoldered-out\t\tcreate\t1\nFlowDefinition\tfoldered\t1.0.0\tcreate\t1\n',
  ]);
  expect(plan.stderr).not.toContain('warning');
  const named = await headgate('flow', 'plan', 'flows/a-flow.yaml', 'flows/more/b-out.yml');
  expect([named.code, named.stderr.includes('warning')]).toEqual([0, false]);
  expect((await headgate('flow', 'plan', 'flows/a-flow.yaml')).stderr).toContain('warning E_CONFIG_REFERENCE: no Connection foldered-out');

  const unconfirmed = await headgate('flow', 'apply', 'flows');
  expect([unconfirmed.code, unconfirmed.stdout]).toEqual([2, '']);
  expect(unconfirmed.stderr).toMatch(
    /^kind +name +version +outcome +changed\n─+.*\nConnection +foldered-out +create +1\nFlowDefinition +foldered /,
  );
  expect(unconfirmed.stderr).toMatch(/\nerror E_CONFIRM: nothing was applied yet: .*--yes\ntry: /);
  expect(unconfirmed.stderr).not.toContain('{');
  expect(await headgate('flow', 'apply', 'flows', '--yes')).toMatchObject({ code: 0 });
  expect((await headgate('flow', 'plan', 'flows', '--exit-code')).code).toBe(0);
});

it('a plan names the mistakes of all files, and a folder without documents, or a file that is not there, is named', async () => {
  const flow = uploadFlow('mistaken', { type: 'file', connection: 'out' });
  write('one.yaml', flow.replace('required: true', 'requird: true'));
  write('two.yaml', document('Connection', 'two', '{ type: folder, root: in }'));
  const { code, stdout, stderr } = await headgate('flow', 'plan', 'one.yaml', 'two.yaml');
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/error E_FLOW_INVALID: two\.yaml: .*\n {2}\d+:\d+: E_CONFIG_[A-Z]+: spec\.root: /);
  expect(stderr).toMatch(/error E_FLOW_INVALID: one\.yaml: .*\n {2}\d+:\d+: E_CONFIG_[A-Z]+: spec\..*requird/);
  mkdirSync(join(folder, 'empty'));
  expect(await headgate('flow', 'plan', 'empty')).toMatchObject({ code: 2, stderr: expect.stringContaining('E_USAGE') });
  expect(await headgate('flow', 'plan', 'nowhere.yaml')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^error E_INPUT_FILE: nowhere\.yaml cannot be read/),
  });
});

it('waiting for a job ends with 7 when all that is left of it is held, also behind another job, and says what holds it and what decides', async () => {
  const sink = await startHttpSink(() => ({ status: 403 }));
  write('policy.yaml', policy);
  write('lane.yaml', document('Connection', 'lane', `{ type: http, baseUrl: "${sink.url}" }`));
  write('ordered.yaml', flowTo('ordered', 'lane').replace('path: /ordered', 'path: /ordered, order: file'));
  expect(await headgate('flow', 'apply', 'policy.yaml', 'lane.yaml', 'ordered.yaml', '--yes')).toMatchObject({ code: 0 });
  write('first.csv', 'id,account,amount,note\no1,6200001234,1.50,\n');
  write('second.csv', 'id,account,amount,note\no2,6200001234,1.75,\n');
  const first = await headgate('ingest', 'first.csv', '--flow', 'ordered', '--wait', '--json');
  expect([first.code, JSON.parse(first.stdout)]).toMatchObject([7, [{ state: 'accepted', job: 'delivering' }]]);
  const [{ jobId }] = JSON.parse(first.stdout);
  expect(first.stderr).toMatch(/job \S+: at target ledger 1 record is held \(E_TARGET_FORBIDDEN: .*403/);
  expect(first.stderr).toContain(`\nlist: headgate batch list --job ${jobId} --target ledger --state held\n`);
  const decide = /\ndecide: headgate (batch resolve \S+ --as resend --reason) TEXT/.exec(first.stderr)![1]!;
  const watched = await headgate('job', 'watch', jobId);
  expect([watched.code, watched.stderr]).toEqual([7, expect.stringContaining(decide)]);

  const second = await headgate('ingest', 'second.csv', '--flow', 'ordered', '--wait', '--json');
  expect([second.code, second.stderr]).toEqual([
    7,
    expect.stringContaining('0 records are held, 1 waits behind held ones (E_TARGET_FORBIDDEN'),
  ]);
  expect(second.stderr).toContain(decide);

  sink.answer(() => ({ status: 200 }));
  expect(await headgate(...decide.split(' '), 'mended', '--yes')).toMatchObject({ code: 0 });
  for (const done of [jobId, JSON.parse(second.stdout)[0].jobId])
    await vi.waitUntil(async () => (await headgate('job', 'watch', done)).code === 0, { timeout: 60_000 });
});

it('a job whose records keep their order behind those of a held job says so, and goes on once that is decided', async () => {
  write('out.yaml', document('Connection', 'out', `{ type: folder, root: ${JSON.stringify(join(folder, 'out'))} }`));
  write('lined.yaml', uploadFlow('lined', { type: 'file', connection: 'out', more: 'order: file' }));
  expect(await headgate('flow', 'apply', 'out.yaml', 'lined.yaml', '--yes')).toMatchObject({ code: 0 });
  write('bad.csv', 'id;account;amount;note\nl1;6200001234;1.75;\n');
  write('good.csv', 'id,account,amount,note\nl2,6200001234,1.75,\n');
  const held = await headgate('ingest', 'bad.csv', '--flow', 'lined', '--wait', '--json');
  const [{ jobId }] = JSON.parse(held.stdout);
  const behind = await headgate('ingest', 'good.csv', '--flow', 'lined', '--wait', '--json');
  expect(behind.code).toBe(7);
  expect(behind.stderr).toMatch(
    new RegExp(`at target ledger 1 record waits for job ${jobId}, whose file was accepted earlier and is held\n`),
  );
  expect(behind.stderr).toContain(`\nshow: headgate job get ${jobId}\n`);
  const [{ jobId: waiting }] = JSON.parse(behind.stdout);
  const { next, targets } = JSON.parse((await headgate('job', 'get', waiting, '--json')).stdout);
  expect(next).toContain(`wait for job ${jobId}`);
  expect(Object.values(targets)).toEqual([expect.objectContaining({ behindHeld: 1, behindJob: jobId, inFlight: 1 })]);
  expect(await headgate('job', 'reject', jobId, '--reason', 'sent again', '--yes')).toMatchObject({ code: 0 });
  await vi.waitUntil(async () => (await headgate('job', 'watch', waiting)).code === 0, { timeout: 60_000 });
});

it('waiting for a job that is held ends with 1 and the command that decides it', async () => {
  write('out.yaml', document('Connection', 'out', `{ type: folder, root: ${JSON.stringify(join(folder, 'out'))} }`));
  write('strict.yaml', uploadFlow('strict', { type: 'file', connection: 'out' }));
  expect(await headgate('flow', 'apply', 'out.yaml', 'strict.yaml', '--yes')).toMatchObject({ code: 0 });
  write('bad.csv', 'id,account,amount,note\ns1,6200001234,much,\ns2,6200001234,1.75,\ns3,6200001234,more,\n');
  const { code, stderr } = await headgate('ingest', 'bad.csv', '--flow', 'strict', '--wait');
  expect(code).toBe(1);
  expect(stderr).toMatch(/\njob \S+ is held: .*\nshow: headgate job get /);
  const reject = /decide: headgate job release (\S+) --reason TEXT \(or job reject\)/.exec(stderr)![1]!;
  expect(await headgate('job', 'reject', reject, '--reason', 'sent again', '--yes')).toMatchObject({ code: 0 });
});

it('a batch that is held for its connection goes when the mended connection is applied', async () => {
  const [wrong, right] = [await startHttpSink(() => ({ status: 401 })), await startHttpSink()];
  const connection = (url: string) => write('mended.yaml', document('Connection', 'mended', `{ type: http, baseUrl: "${url}" }`));
  write('policy.yaml', policy);
  write('mending.yaml', flowTo('mending', 'mended'));
  expect(await headgate('flow', 'apply', 'policy.yaml', connection(wrong.url), 'mending.yaml', '--yes')).toMatchObject({ code: 0 });
  write('mend.csv', 'id,account,amount,note\nm1,6200001234,1.50,\n');
  const held = await headgate('ingest', 'mend.csv', '--flow', 'mending', '--wait', '--json');
  expect(held.code).toBe(7);
  const [{ jobId }] = JSON.parse(held.stdout);
  expect(await headgate('flow', 'apply', connection(right.url), '--yes')).toMatchObject({ code: 0 });
  expect(await headgate('job', 'watch', jobId)).toMatchObject({ code: 0 });
  expect(right.lines()).toHaveLength(1);
});

it('targets are listed and shown, and their breakers opened, tried, closed and released, each after a yes', async () => {
  const sink = await startHttpSink();
  write('policy.yaml', policy);
  write('kept-to.yaml', document('Connection', 'kept-to', `{ type: http, baseUrl: "${sink.url}" }`));
  write('kept.yaml', flowTo('kept', 'kept-to'));
  expect(await headgate('flow', 'apply', 'policy.yaml', 'kept-to.yaml', 'kept.yaml', '--yes')).toMatchObject({ code: 0 });
  const of = ['kept', 'ledger'];
  const said = ['--reason', 'maintenance'];
  expect(await headgate('target', 'breaker', 'open', ...of, ...said)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('E_CONFIRM'),
  });
  expect(await headgate('target', 'breaker', 'shut', ...of, ...said)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('E_USAGE'),
  });
  expect(await json('target', 'breaker', 'open', ...of, ...said, '--dry-run')).toMatchObject({ state: 'closed', mode: 'auto' });
  expect(await json('target', 'breaker', 'open', ...of, ...said, '--yes')).toMatchObject({ state: 'open', mode: 'open', concurrency: 0 });

  write('kept.csv', 'id,account,amount,note\nk1,6200001234,1.50,\n');
  const [{ jobId }] = await json('ingest', 'kept.csv', '--flow', 'kept');
  await expect.poll(async () => (await json('target', 'get', ...of)).parkedRecords, { timeout: 60_000 }).toBe(1);
  const [list, got] = await Promise.all([
    headgate('target', 'list', '--flow', 'kept', '--state', 'open'),
    headgate('target', 'get', ...of),
  ]);
  expect(list.stdout).toMatch(/^flow\ttargetId\ttype\tstate\tmode\t.*\nkept\tledger\thttp\topen\topen\t.*\t1\t1\t0\n$/);
  expect(got.stdout).toMatch(/\nstate\topen\nmode\topen\n/);
  expect(got.stdout).toContain('maintenance');
  // A person's word holds: it is not tried.
  expect(await json('target', 'probe', ...of, ...said, '--yes')).toMatchObject({ state: 'open', mode: 'open' });
  expect(sink.requests).toEqual([]);

  expect(await json('target', 'breaker', 'close', ...of, ...said, '--yes')).toMatchObject({ state: 'closed', mode: 'closed' });
  expect(await headgate('job', 'watch', jobId)).toMatchObject({ code: 0 });
  expect(await json('target', 'breaker', 'auto', ...of, ...said, '--yes')).toMatchObject({ state: 'closed', mode: 'auto' });
  expect(sink.lines()).toHaveLength(1);
});
