import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runHeadgate } from '../../test/support/headgate-command.ts';
import { type ServedBank, serveBank } from './served-bank.fixture.ts';

let bank: ServedBank;
beforeAll(async () => {
  bank = await serveBank();
});
afterAll(() => bank?.end());

const administer = (...argv: string[]) => bank.administer(...argv);
const headgate = (...argv: string[]) => bank.headgate(...argv);
const file = (...rows: string[]) => bank.file(...rows);
const good = (at: number) => bank.good(at);
const bad = (at: number) => bank.bad(at);

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
      'sources:notify',
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
    [
      'a key of nobody, and say how to make somebody',
      ['key', 'create', 'nobody'],
      5,
      'E_NOT_FOUND: there is no tenant nobody\ntry: See `headgate tenant list`',
    ],
    [
      'a scope by its name',
      ['key', 'create', 'bank', '--scopes', 'jobs:read,root'],
      2,
      'E_KEY_SCOPE: "root" is no scope; scopes are files:write, ',
    ],
    ['a verb that does not exist', ['key', 'steal', 'bank'], 2, 'E_USAGE'],
  ])('refuse %s', async (_what, argv, code, error) => {
    const result = await administer(...argv);
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toContain(`error ${error}`);
  });
});

describe('flows', () => {
  it('and other lists that are empty have fields too, and no others', async () => {
    for (const list of ['flow', 'job', 'batch', 'dead-letter', 'arrival', 'event', 'file', 'blocked-key'])
      expect(await headgate(list, 'list', '--fields', 'nothing')).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(/^error E_USAGE: --fields: there is no "nothing"; there are \w+, \w+, /),
      });
    expect(await headgate('job', 'list', '--fields', 'jobId,records.read')).toMatchObject({ code: 0, stdout: 'jobId\trecords.read\n' });
  });

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
    expect((await headgate('flow', 'get', 'payments', '--source')).stdout).toBe(bank.documents['flow.yaml']);
    const source = JSON.parse((await headgate('flow', 'get', 'payments', '--source', '--json')).stdout);
    expect(source).toMatchObject({ version: '1.0.0', source: bank.documents['flow.yaml'] });
  });

  it('with mistakes name the file, the line and the column', async () => {
    writeFileSync(
      join(bank.folder, 'wrong.yaml'),
      bank.documents['flow.yaml'].replace('to: [ledger]', 'to: [ladger]').replace('1.0.0', '1.1.0'),
    );
    const { code, stderr } = await headgate('flow', 'apply', 'wrong.yaml', '--yes');
    expect(code).toBe(2);
    expect(stderr).toMatch(/error E_FLOW_INVALID: wrong\.yaml: /);
    expect(stderr).toMatch(/ {2}\d+:\d+: E_[A-Z_]+: spec\.routes\.default/);
    expect(stderr).toMatch(/\ntrace: [0-9a-f]{32}\n$/);
  });

  it('that do not fit the other documents of the tenant are refused at their places, and only warned of in a plan', async () => {
    const text = bank.documents['flow.yaml'].replace('name: payments', 'name: misfit');
    writeFileSync(join(bank.folder, 'misfit.yaml'), text.replace('type: file, connection: out', 'type: file, connection: owt'));
    const applied = await headgate('flow', 'apply', 'misfit.yaml', '--yes');
    expect([applied.code, applied.stdout]).toEqual([2, '']);
    expect(applied.stderr).toMatch(/\ntry: .*`headgate flow apply` of a folder applies connections before flows/);
    expect(applied.stderr).toMatch(/ {2}19:39: E_CONFIG_REFERENCE: spec\.targets\.ledger\.connection: no Connection owt/);
    const planned = await headgate('flow', 'plan', 'misfit.yaml');
    expect(planned.code).toBe(0);
    expect(planned.stderr).toContain('misfit:19:39: warning E_CONFIG_REFERENCE: no Connection owt');
  });

  it('of which one is refused are not applied at all', async () => {
    writeFileSync(join(bank.folder, 'fits.yaml'), bank.documents['flow.yaml'].replace('name: payments', 'name: fits'));
    const polling = bank.documents['flow.yaml'].replace('{ id: upload, type: http }', '{ id: drop, type: folder, connection: out }');
    for (const name of ['polling', 'rival'])
      writeFileSync(join(bank.folder, `${name}.yaml`), polling.replace('name: payments', `name: ${name}`));
    for (const [first, refused] of [
      ['fits.yaml', 'wrong.yaml'],
      ['fits.yaml', 'misfit.yaml'],
      ['polling.yaml', 'rival.yaml'],
    ] as const) {
      const applied = await headgate('flow', 'apply', first, refused, '--yes');
      expect([applied.code, applied.stdout]).toEqual([2, '']);
      expect(applied.stderr).toContain(`E_FLOW_INVALID: ${refused}: `);
    }
    for (const name of ['fits', 'polling', 'rival']) expect((await headgate('flow', 'get', name)).code).toBe(5);
    const planned = await headgate('flow', 'plan', 'polling.yaml', 'rival.yaml');
    expect(planned.stderr).toMatch(
      /E_FLOW_INVALID: rival\.yaml: .*\n {2}6:7: E_CONFIG_CONFLICT: .*the source drop of flow polling takes files/,
    );
  });

  it('of which one reads the answers to another are applied together, with the connection of both', async () => {
    const answers = '{ type: answers, of: [{ flow: sent, target: ledger }], key: out.id, status: out.note, accepted: [OK] }';
    const answered = bank.documents['flow.yaml']
      .replace('name: payments', 'name: answered')
      .replace('{ id: upload, type: http }', '{ id: drop, type: folder, connection: both, path: answers }')
      .replace(/ledger: \{.*\}/, `ledger: ${answers}`);
    const sent = bank.documents['flow.yaml'].replace('name: payments', 'name: sent').replace('connection: out', 'connection: both');
    const both = bank.documents['out.yaml'].replace('name: out', 'name: both');
    for (const [name, text] of Object.entries({ answered, sent, both })) writeFileSync(join(bank.folder, `${name}.yaml`), text);
    const documents = ['answered.yaml', 'sent.yaml', 'both.yaml'];
    // Planned together, nothing is missing.
    expect((await headgate('flow', 'plan', ...documents)).stderr).not.toContain('warning');
    const applied = await headgate('flow', 'apply', ...documents, '--yes', '--fields', 'name,outcome');
    expect(applied).toMatchObject({ code: 0, stdout: 'name\toutcome\nboth\tcreated\nanswered\tcreated\nsent\tcreated\n' });
  });

  it('that change without a new version are a conflict', async () => {
    writeFileSync(join(bank.folder, 'changed.yaml'), bank.documents['flow.yaml'].replace('0.5', '0.4'));
    for (const verb of [['apply', '--yes'], ['apply', '--dry-run'], ['plan']]) {
      const { code, stdout, stderr } = await headgate('flow', ...verb, 'changed.yaml');
      expect([code, stdout]).toEqual([6, '']);
      expect(stderr).toMatch(
        /^error E_VERSION_CONFLICT: changed\.yaml: version 1\.0\.0 of payments .*; the next version is 1\.0\.1\n {2}3:\d+: metadata\.version: /,
      );
    }
  });

  it('show what each of their versions changed', async () => {
    const evolving = bank.documents['flow.yaml'].replace('name: payments', 'name: evolving');
    writeFileSync(join(bank.folder, 'evolving.yaml'), evolving);
    expect((await headgate('flow', 'apply', 'evolving.yaml', '--yes')).code).toBe(0);
    writeFileSync(join(bank.folder, 'evolving.yaml'), evolving.replace('version: 1.0.0', 'version: 1.1.0').replace('0.5', '0.4'));
    expect((await headgate('flow', 'apply', 'evolving.yaml', '--yes')).code).toBe(0);
    const { code, stdout } = await headgate('flow', 'history', 'evolving');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^1\.1\.0 {2}active {2}\S+Z {2}key:\S+ {2}1 change since 1\.0\.0\n {2}changed spec\.acceptance\.maxInvalidRatio: .*0\.5.* → .*0\.4/,
    );
    expect(stdout).toMatch(/\n\n1\.0\.0 {2}superseded {2}\S+Z {2}key:\S+ {2}the first\n$/);
    const newest = JSON.parse((await headgate('flow', 'history', 'evolving', '--limit', '1', '--json')).stdout);
    expect(newest).toMatchObject([{ version: '1.1.0', previous: '1.0.0', changeCount: 1 }]);
    expect((await headgate('flow', 'history', 'none')).code).toBe(5);
    expect((await headgate('flow', 'disable', 'evolving', '--yes')).code).toBe(0);
  });

  it('are planned without a policy that the key may not plan, which is said with the command that makes a key', async () => {
    const planned = await headgate('flow', 'plan', 'policy.yaml', 'out.yaml');
    expect([planned.code, planned.stdout]).toEqual([4, 'kind\tname\tversion\toutcome\tchanged\nConnection\tout\t\tunchanged\t0\n']);
    expect(planned.stderr).toMatch(
      /the policy was not planned; everything else was, .*\nerror E_FORBIDDEN: policy\.yaml: the key lacks the scope policy:write\ntry: .*`headgate key create bank --scopes [a-z:,]*flows:write[a-z:,]*,policy:write`/,
    );
    expect((await headgate('flow', 'apply', 'policy.yaml', 'out.yaml')).stdout).toBe('');
  });

  it('of another tenant can not be seen', async () => {
    expect(await headgate('flow', 'get', 'nothing')).toMatchObject({
      code: 5,
      stdout: '',
      stderr: expect.stringContaining('E_FLOW_UNKNOWN'),
    });
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
    expect((await list()).split('\n')[0]).toMatch(/\tcreatedAt\tredriveOf$/);
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
    const listed = await headgate('job', 'list', '--state', 'held', '--limit', '1', '-o', 'csv');
    const [names, values] = listed.stdout.split('\r\n').map((row) => row.split(','));
    expect(values![names!.indexOf('reasonCode')]).toBe('E_ACCEPTANCE');
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
    const unknown = await headgate('job', 'list', '--flow', 'paymets');
    expect([unknown.code, unknown.stdout]).toEqual([5, '']);
    expect(unknown.stderr).toMatch(/E_FLOW_UNKNOWN.*did you mean payments\?/s);
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

  it('leave events that are found by job, by type and from the latest back', async () => {
    const { jobId } = JSON.parse((await headgate('ingest', file(good(1)), '--flow', 'payments', '--wait', '--json')).stdout)[0];
    const typesOf = async (...argv: string[]) =>
      JSON.parse((await headgate('event', 'list', ...argv, '--json')).stdout).map(({ type }: { type: string }) => type);
    await expect.poll(() => typesOf('--about', jobId, '--latest', '--limit', '1'), { timeout: 60_000 }).toEqual(['job.completed']);
    expect((await typesOf('--about', jobId))[0]).toBe('job.created');
    expect(await typesOf('--about', jobId, '--type', 'job.created')).toEqual(['job.created']);
    expect(await typesOf('--type', 'job.unbalanced')).toEqual([]);
    const first = await headgate('event', 'list', '--limit', '1');
    expect(first.stdout).toMatch(/^seq\tat\ttype\tobjectId\tfrom\tto\tactor\n1\t/);
    expect(first.stderr).toBe('stopped, there may be more: --after 1 goes on, --limit N shows more\n');
    expect((await headgate('event', 'list', '--after', 'x')).code).toBe(2);
  });

  it('that were given up are dead letters', async () => {
    const failed = await headgate('ingest', file(good(1), good(2)), '--flow', 'failing', '--wait', '--json');
    const { jobId } = JSON.parse(failed.stdout)[0];
    for (const verb of ['redrive', 'discard'])
      expect(await headgate('dead-letter', verb, '--reason', 'x', '--yes')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('E_USAGE: say which dead letters: ID…, or [--group GROUP]'),
      });
    const list = await headgate('dead-letter', 'list', '--job', jobId, '--json');
    const letters = JSON.parse(list.stdout);
    expect(letters.map(({ targetId }: { targetId: string }) => targetId)).toEqual(['ledger', 'ledger']);
    expect(JSON.parse((await headgate('dead-letter', 'get', letters[0].deadLetterId, '--json')).stdout)).toEqual(letters[0]);
    const groups = await headgate('dead-letter', 'groups', '--job', jobId, '--fields', 'records,amounts');
    expect(groups.stdout).toMatch(/^records\tamounts\n2\t\{/);
    expect((await headgate('dead-letter', 'groups', '--fields', 'groupId')).stdout).toContain(`${letters[0].groupId}\n`);
    expect((await headgate('dead-letter', 'groups', '--job', jobId)).stdout).toMatch(/\trecords\tamounts\tjobs\t/);
    const group = await headgate('dead-letter', 'group', letters[0].groupId);
    expect(group.stdout).toMatch(/\nshape\tthe target answered with status 503\n/);
    expect(group.stdout).toMatch(/\nsamples\t.*"fields":\{.*"account":"\*{6}1234"/);
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
    const trust = join(bank.folder, 'trust.json');
    writeFileSync(trust, (await administer('trust')).stdout);
    const reveal = await bank.makeKey('records:reveal');
    const verify = (key: string, ...argv: string[]) =>
      runHeadgate(['verify', jobId, '--trust', trust, '--key-file', key, ...argv], { env: { HEADGATE_URL: bank.url } });
    const { code, stdout, stderr } = await verify(reveal, '--json');
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ isSound: true, jobId, failures: [] });
    const kept = join(bank.folder, 'kept');
    expect((await verify(reveal, '--out', kept)).stdout).toContain(`sound: job ${jobId}`);
    writeFileSync(join(kept, 'batches.ndjson'), '');
    expect((await runHeadgate(['verify', '--export', kept, '--trust', trust])).code).toBe(1);
    expect(await verify(bank.keyFile)).toMatchObject({ code: 4, stderr: expect.stringContaining('records:reveal') });
  });
});

describe('a server', () => {
  it('that does not answer is named', async () => {
    const result = await runHeadgate(['job', 'list', '--url', 'http://127.0.0.1:9', '--key-file', bank.keyFile]);
    expect([result.code, result.stdout]).toEqual([1, '']);
    expect(result.stderr).toContain('error E_API_UNREACHABLE');
  });

  it('ends on SIGTERM within its time, with 0 and no PostgreSQL left behind', async () => {
    const stopped = await bank.stopServer();
    expect(stopped).toMatchObject({ code: 0, signal: null });
    expect(stopped.seconds).toBeLessThan(8);
    expect(readdirSync(join(bank.dataDir, 'postgres'))).not.toContain('postmaster.pid');
  });
});
