import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type CommandResult, runHeadgate, type ServedHeadgate, serveHeadgate, uploadFlow } from '../../test/support/headgate-command.ts';
import { startHttpSink } from '../../test/support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-decisions-'));
const out = join(folder, 'out');
const late = join(folder, 'late');
let database: TestDatabase;
let served: ServedHeadgate;
const keyFiles: Record<string, string> = {};

const document = (kind: string, name: string, spec: string) =>
  `apiVersion: headgate/v1\nkind: ${kind}\nmetadata: { tenant: bank, name: ${name} }\nspec: ${spec}\n`;

beforeAll(async () => {
  mkdirSync(out);
  database = await createTestDatabase({ connectionsMax: 2 });
  served = await serveHeadgate(join(folder, 'data'), { env: { HEADGATE_DATABASE_URL: database.url } });
  for (const tenant of ['bank', 'other']) {
    expect((await administer('tenant', 'create', tenant)).code).toBe(0);
    keyFiles[tenant] = await makeKey(tenant);
  }
  keyFiles.admin = await makeKey('bank', 'admin');
  keyFiles.policy = await makeKey('bank', 'flows:read', 'flows:write', 'policy:write');
  const documents = {
    'policy.yaml': document('TenantPolicy', 'policy', '{ tier: silver, egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }'),
    'out.yaml': document('Connection', 'out', `{ type: folder, root: ${JSON.stringify(out)} }`),
    'late.yaml': document('Connection', 'late', `{ type: folder, root: ${JSON.stringify(late)} }`),
    'twice.yaml': uploadFlow('twice', { type: 'file', connection: 'out' }).replace(
      '  format:',
      '  duplicates: { onDuplicate: hold }\n  format:',
    ),
    'slow.yaml': uploadFlow('slow', { type: 'file', connection: 'late', more: 'retry: { max: 100, initial: 100ms, cap: 200ms }' }),
  };
  for (const [name, text] of Object.entries(documents)) writeFileSync(join(folder, name), text);
  expect(await headgate('flow', 'apply', 'policy.yaml', '--yes')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('policy:write'),
  });
  expect(await as('policy', 'flow', 'apply', ...Object.keys(documents), '--yes')).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await served?.stop();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

const administer = (...argv: string[]) => runHeadgate(argv, { env: { HEADGATE_DATABASE_URL: database.url } });
const as = (who: string, ...argv: string[]): Promise<CommandResult> =>
  runHeadgate([...argv, '--key-file', keyFiles[who]!], { env: { HEADGATE_URL: served.url }, cwd: folder });
const headgate = (...argv: string[]) => as('bank', ...argv);
const json = async (...argv: string[]) => JSON.parse((await headgate(...argv, '--json')).stdout);
const unknownId = '01900000-0000-7000-8000-000000000001';

async function makeKey(tenant: string, ...scopes: string[]): Promise<string> {
  const more = scopes.length === 0 ? [] : ['--scopes', scopes.join(',')];
  const { stdout, stderr } = await administer('key', 'create', tenant, '--json', ...more);
  if (stdout === '') throw new Error(`no key was made: ${stderr}`);
  const path = join(folder, `${tenant}-${scopes.length}-key`);
  writeFileSync(path, JSON.parse(stdout).key, { mode: 0o600 });
  return path;
}

let files = 0;

function file(): string {
  const path = join(folder, `in-${++files}.csv`);
  writeFileSync(path, `id,account,amount,note\nf${files}r1,6200001234,1.50,\nf${files}r2,6200001234,2.25,\n`);
  return path;
}

describe('arrivals', () => {
  async function held(): Promise<string> {
    const path = file();
    await headgate('ingest', path, '--flow', 'twice', '--wait');
    const [{ state }] = await json('ingest', path, '--flow', 'twice');
    expect(state).toBe('held');
    return (await json('arrival', 'list', '--state', 'held', '--limit', '1'))[0].arrivalId;
  }

  it('that were held are listed, shown, and accepted with a reason; they become jobs', async () => {
    const arrivalId = await held();
    expect((await headgate('arrival', 'list', '--state', 'held', '--fields', 'arrivalId,flow,reasonCode')).stdout).toBe(
      `arrivalId\tflow\treasonCode\n${arrivalId}\ttwice\tE_DUPLICATE\n`,
    );
    expect(await json('arrival', 'get', arrivalId)).toMatchObject({ arrivalId, state: 'held', bytes: expect.any(Number) });
    expect(await headgate('arrival', 'accept', arrivalId, '--yes')).toMatchObject({ code: 2, stderr: expect.stringContaining('--reason') });
    const argv = ['arrival', 'accept', arrivalId, '--reason', 'sent twice on purpose'];
    expect(await json(...argv, '--dry-run')).toMatchObject({ arrivalId, state: 'held' });
    expect(await headgate(...argv)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('E_CONFIRM') });
    const accepted = await json(...argv, '--yes', '--idempotency-key', 'once');
    expect(accepted).toMatchObject({ arrivalId, state: 'accepted' });
    expect(await json(...argv, '--yes', '--idempotency-key', 'once')).toEqual(accepted);
    expect((await headgate('job', 'watch', accepted.jobId)).code).toBe(0);
    expect(await json('file', 'get', accepted.fileId)).toMatchObject({ arrivalId, flow: 'twice', jobIds: [accepted.jobId] });
    expect((await headgate('file', 'list', '--flow', 'twice', '--fields', 'fileId', '--limit', '1')).stdout).toBe(
      `fileId\n${accepted.fileId}\n`,
    );
    expect(await headgate(...argv, '--yes')).toMatchObject({ code: 6, stderr: expect.stringContaining('E_ARRIVAL_STATE') });
  });

  it('that were held are refused with a reason, by nobody of another tenant', async () => {
    const arrivalId = await held();
    const argv = ['arrival', 'refuse', arrivalId, '--reason', 'sent by mistake', '--yes'];
    expect(await as('other', ...argv)).toMatchObject({ code: 5, stdout: '', stderr: expect.stringContaining('E_NOT_FOUND') });
    expect(await json(...argv)).toMatchObject({ arrivalId, state: 'quarantined', jobId: null });
    expect((await headgate('arrival', 'get', arrivalId, '--fields', 'state')).stdout).toBe('state\tquarantined\n');
    expect((await headgate('arrival', 'list', '--state', 'lost')).code).toBe(2);
  });
});

describe('batches', () => {
  it.each([
    ['delivered', 'completed'],
    ['resend', 'completed'],
    ['discard', 'completed_with_failures'],
  ])('that are held are listed, shown and resolved as %s', async (decision, end) => {
    const sink = await startHttpSink((_request, number) => ({ isLost: number === 1 }));
    writeFileSync(join(folder, 'service.yaml'), document('Connection', 'service', `{ type: http, baseUrl: "${sink.url}" }`));
    const flow = uploadFlow('doubtful', { type: 'file', connection: 'out' });
    const target = 'type: http, connection: service, path: /batch, onUnknown: hold';
    writeFileSync(join(folder, 'doubtful.yaml'), flow.replace('type: file, connection: out, path: doubtful', target));
    expect(await headgate('flow', 'apply', 'service.yaml', 'doubtful.yaml', '--yes')).toMatchObject({ code: 0 });
    const [{ jobId }] = await json('ingest', file(), '--flow', 'doubtful');
    const find = async () => (await json('batch', 'list', '--job', jobId, '--state', 'held'))[0];
    const batch = await vi.waitUntil(find, { timeout: 60_000, interval: 100 });
    const { batchId } = batch;
    expect(batch).toMatchObject({ flow: 'doubtful', targetId: 'ledger', records: 2, awaitsDecision: true });
    expect(await json('batch', 'get', batchId)).toMatchObject({
      amounts: { amount: { byCurrency: { XXX: '3.75' } } },
      attemptHistory: [{ outcome: 'unknown' }],
    });
    const text = (await headgate('batch', 'get', batchId)).stdout;
    expect(text).toContain(`batchId\t${batchId}\n`);
    expect(text).toContain('\namounts.amount.byCurrency.XXX\t3.75\namounts.amount.unreadable\t0\n');
    const argv = ['batch', 'resolve', batchId, '--reason', 'asked the bank'];
    expect(await headgate(...argv, '--yes')).toMatchObject({ code: 2, stderr: expect.stringContaining('--as') });
    expect(await as('other', ...argv, '--as', decision, '--yes')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('E_BATCH_UNKNOWN'),
    });
    const unconfirmed = await headgate(...argv, '--as', decision);
    expect([unconfirmed.code, unconfirmed.stdout]).toEqual([2, '']);
    expect(unconfirmed.stderr).toContain('"3.75"');
    const would = { delivered: 'count as delivered, and', resend: 'be sent again, labelled', discard: 'become dead letters, and' }[
      decision
    ];
    expect(unconfirmed.stderr).toMatch(new RegExp(`^records of it that would ${would}.*: 2\n`));
    expect((await headgate(...argv, '--as', decision, '--dry-run')).stderr).toMatch(/^records of it that would /);
    expect(await json(...argv, '--as', decision, '--yes')).toMatchObject({ batchId, decision });
    await headgate('job', 'watch', jobId);
    expect(await json('job', 'get', jobId)).toMatchObject({ state: end, balanced: true });
    expect(sink.requests).toHaveLength(decision === 'resend' ? 2 : 1);
    expect((await headgate(...argv, '--as', decision, '--yes')).code).toBe(6);
  });
});

describe('blocked keys', () => {
  it('are listed and released, once something says which', async () => {
    expect(await headgate('blocked-key', 'list', '--flow', 'twice')).toMatchObject({
      code: 0,
      stdout: 'deadLetterId\tjobId\tflow\ttargetId\trecordNumber\tcause\tcode\tisWholeLane\tblockedAt\n',
    });
    expect(await json('blocked-key', 'release', '--flow', 'twice', '--reason', 'settled', '--yes')).toEqual({ released: 0 });
    expect(await headgate('blocked-key', 'release', '--flow', 'twice', '--reason', 'settled')).toMatchObject({ code: 2, stdout: '' });
    expect(await headgate('blocked-key', 'release', '--reason', 'settled', '--yes')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('say which keys'),
    });
  });
});

describe('a job whose file has no trailer', () => {
  const trailed = `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank, service: payments, name: trailed, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, discriminator: { column: 1 } }
  schema:
    record: { tag: D, key: [id], fields: { id: { column: 2, type: string, required: true } } }
    trailer: { tag: T, fields: { count: { column: 2, type: int } } }
  routes: { default: { to: [out] } }
  targets: { out: { type: file, connection: out, path: trailed } }
`;

  it('is released after a warning of what may be missing', async () => {
    writeFileSync(join(folder, 'trailed.yaml'), trailed);
    expect(await headgate('flow', 'apply', 'trailed.yaml', '--yes')).toMatchObject({ code: 0 });
    writeFileSync(join(folder, 'cut.csv'), 'D,1\nD,2\n');
    const [{ jobId }] = await json('ingest', 'cut.csv', '--flow', 'trailed', '--wait');
    const argv = ['job', 'release', jobId, '--reason', 'the sender says two'];
    expect(await headgate(...argv, '--dry-run', '--json')).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^warning E_TRUNCATED: .*it holds 2 records.*ask the sender/),
    });
    expect(await headgate(...argv)).toMatchObject({ code: 2, stderr: expect.stringContaining('warning E_TRUNCATED') });
    expect(await headgate(...argv, '--yes')).toMatchObject({ code: 0 });
    expect((await headgate('job', 'watch', jobId)).code).toBe(0);
  });
});

describe('a job that does not balance', () => {
  it('is closed by hand once its cause was mended', async () => {
    const setSum = (jobId: string, unscaled: string) =>
      database.adminDb.query(
        `/* plant a sum */ update headgate.jobs set totals = jsonb_set(totals::jsonb, '{checked,check,amounts,valid,amount,byCurrency,XXX}', to_jsonb($2::text)) where job_id = $1`,
        [jobId, unscaled],
      );
    const [{ jobId }] = await json('ingest', file(), '--flow', 'slow');
    await expect.poll(async () => (await json('job', 'get', jobId)).state, { timeout: 60_000 }).toBe('delivering');
    await setSum(jobId, '376');
    mkdirSync(late);
    await expect.poll(async () => (await json('job', 'get', jobId)).reasonCode, { timeout: 60_000 }).toBe('E_UNBALANCED');
    await setSum(jobId, '375');
    const argv = ['job', 'retry-close', jobId, '--reason', 'the sum was mended'];
    expect((await json(...argv, '--dry-run')).allowed).toContain('retry-close');
    expect((await headgate(...argv)).code).toBe(2);
    expect(await json(...argv, '--yes')).toEqual({ jobId, state: 'delivering' });
    expect((await headgate('job', 'watch', jobId)).code).toBe(0);
    expect((await headgate(...argv, '--yes')).code).toBe(6);
  });
});

describe('flows', () => {
  it('are disabled and enabled, after what would change was shown', async () => {
    expect(await json('flow', 'disable', 'twice', '--dry-run')).toEqual({
      name: 'twice',
      version: '1.0.0',
      enabled: { from: true, to: false },
    });
    expect(await headgate('flow', 'disable', 'twice')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('E_CONFIRM') });
    expect((await headgate('flow', 'disable', 'twice', '--yes')).stdout).toBe('name\ttwice\nenabled\tfalse\nchanged\ttrue\n');
    expect(await json('flow', 'disable', 'twice')).toEqual({ name: 'twice', enabled: false, changed: false });
    expect(await headgate('ingest', file(), '--flow', 'twice')).toMatchObject({
      code: 6,
      stderr: expect.stringMatching(/E_FLOW_DISABLED[\s\S]*headgate flow enable/),
    });
    expect(await json('flow', 'enable', 'twice', '--yes')).toEqual({ name: 'twice', enabled: true, changed: true });
    expect((await headgate('ingest', file(), '--flow', 'twice', '--wait')).code).toBe(0);
    expect((await headgate('flow', 'enable', 'nothing', '--yes')).code).toBe(5);
    expect((await as('other', 'flow', 'disable', 'twice', '--yes')).code).toBe(5);
  });
});

describe('keys', () => {
  it('are listed without themselves and revoked by an administrator', async () => {
    const path = await makeKey('bank', 'jobs:read', 'files:read');
    const list = await as('admin', 'key', 'list', '--json');
    const keys = JSON.parse(list.stdout);
    expect(keys.map(({ scopes }: { scopes: string[] }) => scopes.length)).toEqual([2, 3, 1, 8]);
    expect(list.stdout).not.toContain('hg_live_');
    const unprinted = await administer('key', 'create', 'bank', '-o', 'xml');
    expect([unprinted.code, unprinted.stdout]).toEqual([2, '']);
    expect(JSON.parse((await as('admin', 'key', 'list', '--json')).stdout)).toEqual(keys);
    const { keyId } = keys[0];
    expect((await as('admin', 'key', 'list', '--limit', '1')).stdout).toMatch(
      new RegExp(`^keyId\tname\tscopes\tcreatedAt\texpiresAt\trevokedAt\n${keyId}\tcli\t`),
    );
    keyFiles.leaving = path;
    expect((await as('leaving', 'job', 'list')).code).toBe(0);
    expect(JSON.parse((await as('admin', 'key', 'revoke', keyId, '--dry-run', '--json')).stdout)).toEqual(keys[0]);
    expect((await as('admin', 'key', 'revoke', keyId)).code).toBe(2);
    expect(JSON.parse((await as('admin', 'key', 'revoke', keyId, '--yes', '--json')).stdout)).toEqual({ keyId, revoked: true });
    expect((await as('leaving', 'job', 'list')).code).toBe(4);
    for (const id of [keyId, unknownId])
      expect(await as('admin', 'key', 'revoke', id, '--yes')).toMatchObject({ code: 5, stderr: expect.stringContaining('E_KEY_UNKNOWN') });
    for (const argv of [['list'], ['revoke', keyId, '--yes']])
      expect(await headgate('key', ...argv)).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('admin') });
  });
});

describe('a key', () => {
  const list = (argv: readonly string[], env: Record<string, string> = {}) =>
    runHeadgate(['job', 'list', ...argv], { env: { HEADGATE_URL: served.url, ...env } });

  it('comes from the environment or from a file that nobody else may read', async () => {
    const key = readFileSync(keyFiles.bank!, 'utf8').trim();
    expect((await list([], { HEADGATE_API_KEY: key })).code).toBe(0);
    const open = join(folder, 'open-key');
    writeFileSync(open, key);
    chmodSync(open, 0o644);
    expect(await list(['--key-file', open])).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('0600') });
  });

  it.each([
    ['none', [], {}],
    ['a file that is not there', ['--key-file', '/no/such/file'], {}],
    ['something else', [], { HEADGATE_API_KEY: 'secret\r\nx-evil: 1' }],
    ['an unknown one', [], { HEADGATE_API_KEY: `hg_live_${'A'.repeat(43)}` }],
  ])('that is missing or wrong ends with 4, and is not repeated: %s', async (_what, argv, env) => {
    const { code, stdout, stderr } = await list(argv, env);
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).not.toMatch(/secret|AAAA/);
  });

  it('may not be given on the command line', async () => {
    expect(await list(['--key', 'hg_live_x'])).toMatchObject({ code: 2, stderr: expect.stringContaining('E_USAGE') });
  });

  it('without the scope ends with 4', async () => {
    expect(await list(['--key-file', await makeKey('bank', 'files:write', 'files:read', 'flows:read')])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('jobs:read'),
    });
  });
});
