import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CommandResult,
  runHeadgate,
  type ServedHeadgate,
  serveHeadgate,
  startCommand,
  uploadFlow,
} from '../../test/support/headgate-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-cli-'));
const dataDir = join(folder, 'data');
const out = join(folder, 'out');
let served: ServedHeadgate;
let stopped: Awaited<ReturnType<ServedHeadgate['stop']>> | undefined;
let keyFile: string;
/** Refuses everything for now, whenever it is asked. */
const unwell = createServer((request, response) => {
  request.resume().once('end', () => response.writeHead(503).end());
});

beforeAll(async () => {
  mkdirSync(out);
  served = await serveHeadgate(dataDir);
  await administer('tenant', 'create', 'bank');
  keyFile = await makeKey();
  for (const [name, text] of Object.entries(documents)) writeFileSync(join(folder, name), text);
  await new Promise<void>((resolve) => unwell.listen(0, '127.0.0.1', resolve));
  const { port } = unwell.address() as { port: number };
  const unwellText = `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: bank, name: unwell }\nspec: { type: http, baseUrl: "http://127.0.0.1:${port}" }\n`;
  writeFileSync(join(folder, 'unwell.yaml'), unwellText);
  const policyKey = await makeKey('flows:write', 'policy:write');
  const applied = await runHeadgate(['flow', 'apply', 'policy.yaml', 'unwell.yaml', '--yes', '--key-file', policyKey], {
    env: { HEADGATE_URL: served.url },
    cwd: folder,
  });
  expect(applied).toMatchObject({ code: 0 });
});
afterAll(async () => {
  unwell.close();
  stopped ??= await served?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const documents = {
  'out.yaml': `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: bank, name: out }
spec: { type: folder, root: ${JSON.stringify(out)} }
`,
  'nowhere.yaml': `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: bank, name: nowhere }
spec: { type: folder, root: ${JSON.stringify(join(folder, 'nowhere'))} }
`,
  'policy.yaml': `apiVersion: headgate/v1
kind: TenantPolicy
metadata: { tenant: bank, name: policy }
spec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }
`,
  'flow.yaml': uploadFlow('payments', { type: 'file', connection: 'out' }),
  'failing.yaml': uploadFlow('failing', {
    type: 'http',
    connection: 'unwell',
    retry: 'retry: { max: 1, initial: 100ms, cap: 1s }',
  }).replace('path: failing', 'path: /failing'),
  'waiting.yaml': uploadFlow('waiting', { type: 'file', connection: 'nowhere', retry: 'retry: { max: 10, initial: 30s, cap: 60s }' }),
};

/** On the server's database, beside it. */
const administer = (...argv: string[]) => runHeadgate([...argv, '--data-dir', dataDir]);
const headgate = (...argv: string[]): Promise<CommandResult> =>
  runHeadgate([...argv, '--key-file', keyFile], { env: { HEADGATE_URL: served.url }, cwd: folder });

let keys = 0;

async function makeKey(...scopes: string[]): Promise<string> {
  const more = scopes.length === 0 ? [] : ['--scopes', scopes.join(',')];
  const { stdout, stderr } = await administer('key', 'create', 'bank', '--json', ...more);
  if (stdout === '') throw new Error(`no key was made: ${stderr}`);
  const path = join(folder, `key-${++keys}`);
  writeFileSync(path, `${JSON.parse(stdout).key}\n`, { mode: 0o600 });
  return path;
}

let files = 0;

function file(...rows: string[]): string {
  const path = join(folder, `in-${++files}.csv`);
  writeFileSync(path, `id,account,amount,note\n${rows.join('')}`);
  return path;
}

const good = (at: number) => `f${files}r${at},6200001234,${at}.50,\n`;
const bad = (at: number) => `f${files}r${at},6200001234,many,\n`;

async function ingested(name: string, ...rows: string[]): Promise<string> {
  const { stdout, stderr } = await headgate('ingest', file(...rows), '--flow', name, '--wait', '--json');
  expect(stderr).not.toContain('error');
  return JSON.parse(stdout)[0].jobId;
}

describe('tenants and keys', () => {
  it('are made once and listed, a key is shown once', async () => {
    const again = await administer('tenant', 'create', 'bank', '--tier', 'gold', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ tenant: 'bank', tier: 'gold' });
    const { stdout } = await administer('tenant', 'list');
    expect(stdout).toMatch(/^name\ttenantId\nbank\t[0-9a-f-]{36}\n$/);
    const { code, stdout: key } = await administer('key', 'create', 'bank', '--scopes', 'jobs:read');
    expect(code).toBe(0);
    expect(key).toMatch(/^key\thg_live_[A-Za-z0-9_-]{43}\nkeyId\t/);
  });

  it('leave content in the clear out of a usual key', async () => {
    const { stdout } = await administer('key', 'create', 'bank', '--json');
    expect(JSON.parse(stdout).scopes).toEqual([
      'files:write',
      'files:read',
      'jobs:read',
      'jobs:operate',
      'flows:read',
      'flows:write',
      'records:read',
    ]);
  });

  it.each([
    ['a tenant of a bad name', ['tenant', 'create', '../x'], 2, 'E_TENANT_NAME'],
    ['a tier that does not exist', ['tenant', 'create', 'x', '--tier', 'lead'], 2, 'E_USAGE'],
    ['a key of nobody', ['key', 'create', 'nobody'], 5, 'E_NOT_FOUND'],
    ['a scope that does not exist', ['key', 'create', 'bank', '--scopes', 'root'], 2, 'E_KEY_SCOPE'],
    ['a verb that does not exist', ['key', 'steal', 'bank'], 2, 'E_USAGE'],
  ])('refuse %s', async (_what, argv, code, error) => {
    const result = await administer(...argv);
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toContain(`error ${error}`);
  });
});

describe('flows', () => {
  it('are planned, need a yes, are applied and listed', async () => {
    const names = ['failing.yaml', 'waiting.yaml', 'flow.yaml', 'nowhere.yaml', 'out.yaml'];
    const connections = await headgate('flow', 'plan', 'out.yaml', '--exit-code');
    expect(connections.code).toBe(3);
    expect(connections.stdout).toBe('kind\tname\tversion\toutcome\tchanged\nConnection\tout\t\tcreate\t1\n');
    const unconfirmed = await headgate('flow', 'apply', 'out.yaml');
    expect([unconfirmed.code, unconfirmed.stdout]).toEqual([2, '']);
    expect(unconfirmed.stderr).toContain('error E_CONFIRM');
    const applied = await headgate('flow', 'apply', ...names, '--yes', '--json');
    expect([applied.code, applied.stderr]).toEqual([0, '']);
    expect(JSON.parse(applied.stdout).map(({ name, outcome }: { name: string; outcome: string }) => `${name} ${outcome}`)).toEqual([
      'nowhere created',
      'out created',
      'failing created',
      'waiting created',
      'payments created',
    ]);
    expect((await headgate('flow', 'plan', ...names, '--exit-code')).code).toBe(0);
    const list = await headgate('flow', 'list', '--fields', 'name,version,enabled');
    expect(list.stdout).toBe('name\tversion\tenabled\nfailing\t1.0.0\ttrue\npayments\t1.0.0\ttrue\nwaiting\t1.0.0\ttrue\n');
    expect(JSON.parse((await headgate('flow', 'get', 'payments', '--json')).stdout)).toMatchObject({
      name: 'payments',
      versions: [{ state: 'active' }],
    });
    expect((await headgate('flow', 'get', 'payments', '--source')).stdout).toBe(documents['flow.yaml']);
  });

  it('with mistakes name the file, the line and the column', async () => {
    writeFileSync(join(folder, 'wrong.yaml'), documents['flow.yaml'].replace('to: [ledger]', 'to: [ladger]').replace('1.0.0', '1.1.0'));
    const { code, stderr } = await headgate('flow', 'apply', 'wrong.yaml', '--yes');
    expect(code).toBe(1);
    expect(stderr).toMatch(/error E_FLOW_INVALID: wrong\.yaml: /);
    expect(stderr).toMatch(/ {2}\d+:\d+: spec\.routes\.default/);
    expect(stderr).toMatch(/\ntrace: [0-9a-f]{32}\n$/);
  });

  it('that do not fit the other documents of the tenant are refused at their places, and only warned of in a plan', async () => {
    const text = documents['flow.yaml'].replace('name: payments', 'name: misfit');
    writeFileSync(join(folder, 'misfit.yaml'), text.replace('type: file, connection: out', 'type: file, connection: owt'));
    const applied = await headgate('flow', 'apply', 'misfit.yaml', '--yes');
    expect([applied.code, applied.stdout]).toEqual([1, '']);
    expect(applied.stderr).toMatch(/ {2}19:39: spec\.targets\.ledger\.connection: no Connection owt/);
    const planned = await headgate('flow', 'plan', 'misfit.yaml');
    expect(planned.code).toBe(0);
    expect(planned.stderr).toContain('misfit:19:39: warning E_CONFIG_REFERENCE: no Connection owt');
  });

  it('that change without a new version are a conflict', async () => {
    writeFileSync(join(folder, 'changed.yaml'), documents['flow.yaml'].replace('0.5', '0.4'));
    expect(await headgate('flow', 'apply', 'changed.yaml', '--yes')).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('E_VERSION_CONFLICT'),
    });
  });

  it('of another tenant can not be seen', async () => {
    expect(await headgate('flow', 'get', 'nothing')).toMatchObject({
      code: 5,
      stdout: '',
      stderr: expect.stringContaining('E_FLOW_UNKNOWN'),
    });
  });
});

describe('ingest', () => {
  it('brings files in, waits for their jobs, and tells what became of them', async () => {
    const one = file(good(1), good(2));
    const two = file(good(1), bad(2), good(3));
    const { code, stdout, stderr } = await headgate('ingest', one, two, '--flow', 'payments', '--wait');
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('file\tstate\tcode\tjobId\tjob\trecords.read\trecords.valid\trecords.rejected');
    expect(lines[1]).toMatch(new RegExp(`^${one}\taccepted\t\t[0-9a-f-]{36}\tcompleted\t2\t2\t0$`));
    expect(lines[2]).toMatch(new RegExp(`^${two}\taccepted\t\t[0-9a-f-]{36}\tcompleted\t3\t2\t1$`));
    expect(stderr).toContain('in-');
    const delivered = readdirSync(join(out, 'payments')).map((name) => readFileSync(join(out, 'payments', name), 'utf8'));
    expect(delivered.join('').split('\n').filter(Boolean).length).toBe(4);
  });

  it('says when a file is a duplicate, which is no failure', async () => {
    const path = file(good(1));
    const [first] = JSON.parse((await headgate('ingest', path, '--flow', 'payments', '--wait', '--json')).stdout);
    const { code, stdout } = await headgate('ingest', path, '--flow', 'payments', '--wait', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)[0]).toMatchObject({
      state: 'duplicate',
      jobId: first.jobId,
      job: 'completed',
      duplicateOf: first.fileId,
      records: { read: 1 },
    });
  });

  it('of a duplicate waits for the job of the file that was first, and ends as that does', async () => {
    const path = file(good(1));
    const [{ jobId }] = JSON.parse((await headgate('ingest', path, '--flow', 'waiting', '--json')).stdout);
    const again = await headgate('ingest', path, '--flow', 'waiting', '--wait', '--timeout', '1');
    expect([again.code, again.stderr.includes(`job ${jobId} is still delivering`)]).toEqual([8, true]);
    const held = file(bad(1), bad(2), good(3));
    await headgate('ingest', held, '--flow', 'payments', '--wait');
    const result = await headgate('ingest', held, '--flow', 'payments', '--wait', '--json');
    expect([result.code, JSON.parse(result.stdout)[0]]).toMatchObject([1, { state: 'duplicate', job: 'held' }]);
    expect((await headgate('ingest', held, '--flow', 'payments')).code).toBe(0);
  });

  it('that is interrupted says which job goes on, and how to watch it', async () => {
    const path = file(good(1));
    const [{ jobId }] = JSON.parse((await headgate('ingest', path, '--flow', 'waiting', '--json')).stdout);
    const argv = ['ingest', path, '--flow', 'waiting', '--wait', '--key-file', keyFile];
    const waiting = startCommand(argv, { env: { HEADGATE_URL: served.url }, cwd: folder });
    await waiting.said(/: delivering, /);
    // As a terminal and npm send one Ctrl-C.
    waiting.interrupt();
    waiting.interrupt();
    const { code, stdout, stderr } = await waiting.ended;
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toContain(`error E_INTERRUPTED: job ${jobId} goes on; to watch it: headgate job watch ${jobId}`);
  });

  it('with the same key gives the same answer', async () => {
    const path = file(good(1));
    const run = async () =>
      JSON.parse((await headgate('ingest', path, '--flow', 'payments', '--idempotency-key', 'nightly', '--json')).stdout)[0];
    const [first, second] = [await run(), await run()];
    expect(second).toEqual(first);
    expect(first.state).toBe('accepted');
  });

  it('ends with 1 when a job is held or did not complete', async () => {
    const held = await headgate('ingest', file(bad(1), bad(2), good(3)), '--flow', 'payments', '--wait', '--json');
    expect([held.code, JSON.parse(held.stdout)[0].job]).toEqual([1, 'held']);
    const failed = await headgate('ingest', file(good(1)), '--flow', 'failing', '--wait', '--json');
    expect([failed.code, JSON.parse(failed.stdout)[0].job]).toEqual([1, 'completed_with_failures']);
  });

  it('ends with 8 when time runs out', async () => {
    const result = await headgate('ingest', file(good(1)), '--flow', 'waiting', '--wait', '--timeout', '1');
    expect([result.code, result.stdout]).toEqual([8, '']);
    expect(result.stderr).toContain('error E_TIMEOUT');
  });

  it.each([
    ['no flow', () => ['ingest', file(good(1))], 2, 'E_USAGE'],
    ['no file', () => ['ingest', '--flow', 'payments'], 2, 'E_USAGE'],
    ['a file that is not there', () => ['ingest', 'missing.csv', '--flow', 'payments'], 2, 'E_USAGE'],
    ['an unknown flow', () => ['ingest', file(good(1)), '--flow', 'nothing'], 5, 'E_FLOW_UNKNOWN'],
    ['an unknown option', () => ['ingest', file(good(1)), '--flow', 'payments', '--force'], 2, 'E_USAGE'],
  ] as const)('refuses %s', async (_what, argv, code, error) => {
    const result = await headgate(...argv());
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toContain(`error ${error}`);
  });

  it('shows what was taken before one of several failed', async () => {
    const path = file(good(1));
    const { code, stdout, stderr } = await headgate('ingest', path, 'missing.csv', '--flow', 'payments');
    expect(code).toBe(2);
    expect(stdout).toContain(`${path}\taccepted`);
    expect(stderr).toContain('missing.csv');
  });
});

describe('jobs', () => {
  it('are listed in every format, with the fields that were asked for', async () => {
    const jobId = await ingested('payments', good(1), bad(2));
    const list = (...argv: string[]) => headgate('job', 'list', '--limit', '1', '--flow', 'payments', ...argv).then(({ stdout }) => stdout);
    expect(JSON.parse(await list('--json'))).toMatchObject([{ jobId, state: 'completed', records: { read: 2, valid: 1, rejected: 1 } }]);
    expect(JSON.parse(await list('-o', 'ndjson'))).toMatchObject({ jobId });
    expect(await list('-o', 'yaml', '--fields', 'jobId,records.read')).toBe(`- jobId: ${jobId}\n  records.read: 2\n`);
    expect(await list('-o', 'csv', '--fields', 'jobId,state')).toBe(`jobId,state\r\n${jobId},completed\r\n`);
    expect(await list('--fields', 'jobId,records.rejected')).toBe(`jobId\trecords.rejected\n${jobId}\t1\n`);
    expect(await headgate('job', 'list', '-o', 'xml')).toMatchObject({ code: 2, stdout: '' });
    const lost = await headgate('job', 'list', '--state', 'lost');
    expect([lost.code, lost.stdout]).toEqual([2, '']);
    expect(lost.stderr).toContain('/state: must be one of queued, running, ');
    expect(lost.stderr).toContain(', completed_with_failures');
  });

  it('and what else is listed say when there is more than was shown', async () => {
    const jobId = await ingested('payments', good(1), bad(2), good(3));
    const stderrOf = async (...argv: string[]) => (await headgate(...argv, '--json')).stderr;
    expect(await stderrOf('job', 'list', '--limit', '1')).toBe('stopped after 1, there may be more: --limit N shows more\n');
    expect(await stderrOf('record', 'list', jobId, '--limit', '2')).toContain('stopped after 2');
    expect(await stderrOf('record', 'list', jobId)).toBe('');
    expect(await stderrOf('job', 'errors', jobId)).toBe('');
    for (const limit of ['0', '0x1', '1e1', '+1', '1.0', '100000'])
      expect(await headgate('job', 'list', '--limit', limit)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('--limit takes a whole number from 1 to 86400'),
      });
  });

  it('are shown, watched, and explained', async () => {
    const jobId = await ingested('payments', good(1), bad(2));
    expect(JSON.parse((await headgate('job', 'get', jobId, '--json')).stdout)).toMatchObject({
      jobId,
      targets: { ledger: { delivered: 1 } },
      balanced: true,
    });
    expect((await headgate('job', 'get', jobId)).stdout).toMatch(new RegExp(`^jobId\t${jobId}\nflow\tpayments\n`));
    expect((await headgate('job', 'get', jobId)).stdout).toContain('\ncontrolTotals.computed.records\t2\n');
    expect((await headgate('job', 'watch', jobId, '--fields', 'state')).stdout).toBe('state\tcompleted\n');
    const errors = await headgate('job', 'errors', jobId, '--fields', 'record,code,field');
    expect(errors.stdout).toMatch(/^record\tcode\tfield\n2\tE_[A-Z_]+\tamount\n$/);
  });

  it('that are held are released with a reason, after their money was shown', async () => {
    const { stdout } = await headgate('ingest', file(bad(1), bad(2), good(3)), '--flow', 'payments', '--wait', '--json');
    const { jobId } = JSON.parse(stdout)[0];
    expect((await headgate('job', 'watch', jobId)).code).toBe(1);
    expect(await headgate('job', 'release', jobId)).toMatchObject({ code: 2, stderr: expect.stringContaining('--reason') });
    const dry = await headgate('job', 'release', jobId, '--reason', 'agreed', '--dry-run', '--json');
    expect(JSON.parse(dry.stdout)).toMatchObject({ records: { read: 3, valid: 1, rejected: 2 }, targets: [{ id: 'ledger', records: 1 }] });
    const unconfirmed = await headgate('job', 'release', jobId, '--reason', 'agreed');
    expect([unconfirmed.code, unconfirmed.stdout]).toEqual([2, '']);
    expect(unconfirmed.stderr).toContain('"3.50"');
    expect((await headgate('job', 'release', jobId, '--reason', 'agreed', '--yes')).code).toBe(0);
    expect((await headgate('job', 'watch', jobId)).code).toBe(0);
    expect(await headgate('job', 'release', jobId, '--reason', 'agreed', '--yes')).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('E_JOB_STATE'),
    });
  });

  it('that do not exist are not found', async () => {
    expect((await headgate('job', 'get', '01900000-0000-7000-8000-000000000001')).code).toBe(5);
    expect((await headgate('job', 'get', '../flows')).code).toBe(2);
    expect((await headgate('job', 'get')).code).toBe(2);
  });
});

describe('records', () => {
  it('are listed with their outcome and shown masked', async () => {
    const jobId = await ingested('payments', good(1), bad(2), good(3));
    expect((await headgate('record', 'list', jobId, '--fields', 'record,status,targets')).stdout).toBe(
      'record\tstatus\ttargets\n1\tvalid\t["ledger"]\n2\trejected\t[]\n3\tvalid\t["ledger"]\n',
    );
    expect((await headgate('record', 'list', jobId, '--status', 'rejected', '--fields', 'record')).stdout).toBe('record\n2\n');
    expect((await headgate('record', 'list', jobId, '--after', '2', '--fields', 'record')).stdout).toBe('record\n3\n');
    const { stdout } = await headgate('record', 'get', jobId, '1', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ record: 1, fields: { account: '******1234', amount: '1.50' } });
    expect(stdout).not.toContain('6200001234');
    expect((await headgate('record', 'get', jobId, '9')).code).toBe(5);
  });

  it('can not write to the terminal of whoever looks at them', async () => {
    const jobId = await ingested('payments', `e1,1,1.00,\u001b]0;owned\u0007\u001b[2J\u009b31m\u202etxt\n`);
    for (const format of [[], ['--json'], ['-o', 'yaml'], ['-o', 'csv'], ['-o', 'ndjson']]) {
      const { code, stdout } = await headgate('record', 'get', jobId, '1', ...format);
      expect(code).toBe(0);
      expect(stdout).toContain('owned');
      expect(stdout, format.join(' ')).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e]/);
    }
    const { stdout } = await headgate('record', 'get', jobId, '1', '--json');
    expect(JSON.parse(stdout).fields.note).toBe('\u001b]0;owned\u0007\u001b[2J\u009b31m\u202etxt');
  });

  it('that were given up are dead letters', async () => {
    const failed = await headgate('ingest', file(good(1), good(2)), '--flow', 'failing', '--wait', '--json');
    const { jobId } = JSON.parse(failed.stdout)[0];
    const list = await headgate('dead-letter', 'list', '--job', jobId, '--json');
    const letters = JSON.parse(list.stdout);
    expect(letters.map(({ targetId }: { targetId: string }) => targetId)).toEqual(['ledger', 'ledger']);
    expect(JSON.parse((await headgate('dead-letter', 'get', letters[0].deadLetterId, '--json')).stdout)).toEqual(letters[0]);
    const exported = await headgate('dead-letter', 'export', '--job', jobId);
    expect(
      exported.stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).jobId),
    ).toEqual([jobId, jobId]);
  });
});

describe('verify', () => {
  it('recomputes a job from what the server exports, with the trust file of this installation', async () => {
    const jobId = await ingested('payments', ...Array.from({ length: 200 }, (_, at) => (at % 9 === 0 ? bad(at) : good(at))));
    const trust = join(folder, 'trust.json');
    writeFileSync(trust, (await administer('trust')).stdout);
    const reveal = await makeKey('records:reveal');
    const verify = (key: string, ...argv: string[]) =>
      runHeadgate(['verify', jobId, '--trust', trust, '--key-file', key, ...argv], { env: { HEADGATE_URL: served.url } });
    const { code, stdout, stderr } = await verify(reveal, '--json');
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ isSound: true, jobId, failures: [] });
    const kept = join(folder, 'kept');
    expect((await verify(reveal, '--out', kept)).stdout).toContain(`sound: job ${jobId}`);
    writeFileSync(join(kept, 'batches.ndjson'), '');
    expect((await runHeadgate(['verify', '--export', kept, '--trust', trust])).code).toBe(1);
    expect(await verify(keyFile)).toMatchObject({ code: 4, stderr: expect.stringContaining('records:reveal') });
  });
});

describe('a server', () => {
  it('that does not answer is named', async () => {
    const result = await runHeadgate(['job', 'list', '--url', 'http://127.0.0.1:9', '--key-file', keyFile]);
    expect([result.code, result.stdout]).toEqual([1, '']);
    expect(result.stderr).toContain('error E_API_UNREACHABLE');
  });

  it('ends on SIGTERM within its time, with 0 and no PostgreSQL left behind', async () => {
    stopped = await served.stop();
    expect(stopped).toMatchObject({ code: 0, signal: null });
    expect(stopped.seconds).toBeLessThan(8);
    expect(readdirSync(join(dataDir, 'postgres'))).not.toContain('postmaster.pid');
  });
});
