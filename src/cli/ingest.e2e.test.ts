import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startCommand, uploadFlow } from '../../test/support/headgate-command.ts';
import { startHttpSink } from '../../test/support/http-sink.ts';
import { type ServedBank, serveBank } from './served-bank.fixture.ts';

let bank: ServedBank;
beforeAll(async () => {
  bank = await serveBank();
  const documents = ['out.yaml', 'nowhere.yaml', 'flow.yaml', 'failing.yaml', 'waiting.yaml'];
  expect(await bank.headgate('flow', 'apply', ...documents, '--yes')).toMatchObject({ code: 0 });
});
afterAll(() => bank?.end());

const headgate = (...argv: string[]) => bank.headgate(...argv);
const file = (...rows: string[]) => bank.file(...rows);
const good = (at: number) => bank.good(at);
const bad = (at: number) => bank.bad(at);

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
    const delivered = readdirSync(join(bank.out, 'payments')).map((name) => readFileSync(join(bank.out, 'payments', name), 'utf8'));
    expect(delivered.join('').split('\n').filter(Boolean).length).toBe(4);
  });

  it('says when a file is a duplicate, which is no failure', async () => {
    const path = file(good(1));
    const [first] = JSON.parse((await headgate('ingest', path, '--flow', 'payments', '--wait', '--json')).stdout);
    const { code, stdout, stderr } = await headgate('ingest', path, '--flow', 'payments', '--wait', '--json');
    expect(code).toBe(0);
    expect(stderr).toContain(
      `${path} is a duplicate, nothing was taken now: the flow accepted the same file before, as job ${first.jobId}\n`,
    );
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
    const [{ jobId: rejected }] = JSON.parse(result.stdout);
    await headgate('job', 'reject', rejected, '--reason', 'the flow is wrong', '--yes');
    const after = await headgate('ingest', held, '--flow', 'payments', '--wait');
    expect([after.code, after.stderr]).toEqual([1, expect.stringContaining('To have the same file run again: headgate error E_DUPLICATE')]);
  });

  it('that is interrupted says which job goes on, and how to watch it', async () => {
    const path = file(good(1));
    const [{ jobId }] = JSON.parse((await headgate('ingest', path, '--flow', 'waiting', '--json')).stdout);
    const argv = ['ingest', path, '--flow', 'waiting', '--wait', '--key-file', bank.keyFile];
    const waiting = startCommand(argv, { env: { HEADGATE_URL: bank.url }, cwd: bank.folder });
    await waiting.said(/: delivering, /);
    // As a terminal and npm send one Ctrl-C.
    waiting.interrupt();
    waiting.interrupt();
    const { code, stdout, stderr } = await waiting.ended;
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toContain(`error E_INTERRUPTED: job ${jobId} goes on; to watch it: headgate job watch ${jobId}`);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('that %s ends while a file is on its way says what was taken, and how to send that one again', async (signal, exitCode) => {
    const [taken, lost] = [file(good(1)), `${file(good(2))} of today's`];
    writeFileSync(lost, 'id,amount\n');
    const sink = await startHttpSink();
    const answer = { state: 'accepted', arrivalId: 'a', fileId: 'f', jobId: 'j' };
    const isSecond = Promise.withResolvers<string>();
    sink.answer(({ headers }, number) => {
      if (number === 1) return { status: 201, body: JSON.stringify(answer), headers: { 'content-type': 'application/json' } };
      isSecond.resolve(headers['idempotency-key'] as string);
      return { isSilent: true };
    });
    const argv = ['ingest', taken, lost, '--flow', 'payments', '--key-file', bank.keyFile, '--url', sink.url];
    const sending = startCommand(argv, { env: {}, cwd: bank.folder });
    const key = await isSecond.promise;
    sending.signal(signal);
    const { code, stdout, stderr } = await sending.ended;
    expect([code, stdout.split('\n')[1]]).toEqual([exitCode, `${taken}\taccepted\t\tj`]);
    expect(stderr).toContain(`error E_INTERRUPTED: ${lost} was on its way, and may have been taken\n`);
    expect(stderr).toContain(`headgate ingest '${lost.replace("'", "'\\''")}' --flow payments --idempotency-key ${key}\n`);
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
    if (_what === 'a file that is not there') expect(result.stderr).toContain('\ntry: Correct the path, which is taken from /');
  });

  it('shows what was taken before one of several failed', async () => {
    const path = file(good(1));
    const { code, stdout, stderr } = await headgate('ingest', path, 'missing.csv', '--flow', 'payments');
    expect(code).toBe(2);
    expect(stdout).toContain(`${path}\taccepted`);
    expect(stderr).toContain('missing.csv');
  });
});

describe('ingest says what became of a file, and what can be done', () => {
  const flowOf = (name: string, more: (text: string) => string = (text) => text) => {
    writeFileSync(join(bank.folder, `${name}.yaml`), more(uploadFlow(name, { type: 'file', connection: 'out' })));
    return `${name}.yaml`;
  };
  /** As the flow `waiting`, with a target that nothing was sent to yet: its breaker is closed, however long the tests before took. */
  const refused = (name: string) => {
    const target = { type: 'http', connection: 'unwell', more: 'retry: { max: 10, initial: 30s, cap: 60s }' };
    writeFileSync(join(bank.folder, `${name}.yaml`), uploadFlow(name, target).replace(`path: ${name}`, `path: /${name}`));
    return `${name}.yaml`;
  };
  beforeAll(async () => {
    const documents = [
      refused('unwell'),
      refused('ending'),
      flowOf('strict', (text) => text.replace('onExceed: hold', 'onExceed: reject')),
      flowOf('packed', (text) => text.replace('type: http }', 'type: http, unpack: gzip }')),
      flowOf('twice', (text) => text.replace('  format:', '  duplicates: { onDuplicate: hold }\n  format:')),
    ];
    expect(await headgate('flow', 'apply', ...documents, '--yes')).toMatchObject({ code: 0 });
  });
  const json = async (...argv: string[]) => JSON.parse((await headgate(...argv, '--json')).stdout);

  it('of one whose records were given up, where they are listed', async () => {
    const failed = await headgate('ingest', file(good(1)), '--flow', 'failing', '--wait', '--json');
    const [{ jobId, reason }] = JSON.parse(failed.stdout);
    expect(reason).toBe('records not delivered at target ledger: 1 given up');
    expect(failed.stderr).toContain(`\njob ${jobId} is completed_with_failures: ${reason}\ntry: `);
    expect(failed.stderr).toContain(`headgate dead-letter list --job ${jobId}`);
    expect(await json('job', 'get', jobId)).toMatchObject({ reason, next: expect.stringContaining('dead-letter list'), allowed: [] });
    const [batch] = await json('batch', 'list', '--job', jobId);
    expect(batch).toMatchObject({
      state: 'dead',
      reasonCode: 'E_TARGET_BUSY',
      next: expect.stringMatching(/headgate dead-letter redrive/),
    });
    const [{ deadLetterId }] = await json('dead-letter', 'list', '--job', jobId);
    expect((await json('dead-letter', 'get', deadLetterId)).next).toMatch(
      /The record is not tried again by itself: .* `headgate dead-letter redrive/,
    );
  });

  it('of one that is rejected, why', async () => {
    const { code, stderr } = await headgate('ingest', file(bad(1), bad(2), good(3)), '--flow', 'strict', '--wait');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/\njob \S+ is rejected: 2 of 3 records are invalid.*\ntry: Correct .*headgate job errors /),
    ]);
  });

  it('of one that cannot be released, that it is to be rejected', async () => {
    const path = file(good(1));
    writeFileSync(path, 'id,account,note\nr1,6200001234,\n');
    const { code, stderr } = await headgate('ingest', path, '--flow', 'payments', '--wait');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/ is held: .*\nshow: .*\ntry: Add the column .*\ndecide: headgate job reject /),
    ]);
    expect(stderr).not.toContain('job release');
  });

  it('of one in quarantine, why, and its arrival', async () => {
    for (const wait of [[], ['--wait']]) {
      const { code, stdout, stderr } = await headgate('ingest', file(good(1)), '--flow', 'packed', ...wait, '--json');
      const [{ arrivalId }] = JSON.parse(stdout);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/ is in quarantine \(E_ARCHIVE\): the file is not packed with gzip.*\nshow: /),
      ]);
      expect(stderr).toContain(`show: headgate arrival get ${arrivalId}\ntry: Pack the file as its source says`);
    }
  });

  it('of a duplicate that is held, how it is accepted; exit 7 with --wait and without', async () => {
    const path = file(good(1));
    const [first] = await json('ingest', path, '--flow', 'twice', '--wait');
    for (const wait of [[], ['--wait']]) {
      const { code, stdout, stderr } = await headgate('ingest', path, '--flow', 'twice', ...wait, '--json');
      const [{ arrivalId }] = JSON.parse(stdout);
      expect([code, stderr]).toEqual([7, expect.stringMatching(/ is held \(E_DUPLICATE\): /)]);
      expect(stderr).toContain(`headgate arrival accept ${arrivalId} --reason TEXT`);
      expect(await json('arrival', 'get', arrivalId)).toMatchObject({ state: 'held', next: expect.stringContaining('arrival accept') });
      const accepted = await headgate('arrival', 'accept', arrivalId, '--reason', 'sent again', '--yes', '--json');
      const { jobId } = JSON.parse(accepted.stdout);
      expect(jobId).not.toBe(first.jobId);
      expect(await headgate('job', 'watch', jobId)).toMatchObject({ code: 0 });
    }
  });

  it('while its target is unwell, what that says, and at the end of its time the command that shows it', async () => {
    const [{ jobId }] = await json('ingest', file(good(1)), '--flow', 'unwell');
    const lastRefusal = async () => (await json('job', 'get', jobId)).targets.ledger?.lastRefusal;
    const said = await vi.waitUntil(lastRefusal, { timeout: 60_000, interval: 200 });
    expect(said).toMatchObject({ code: 'E_TARGET_BUSY', message: expect.stringContaining('503'), tries: expect.any(Number) });
    const late = await headgate('job', 'watch', jobId, '--timeout', '1');
    const says = String.raw`ledger said last E_TARGET_BUSY \(.*503\), \d+ tr(?:y|ies)`;
    expect(late.stderr).toMatch(new RegExp(`^job ${jobId}: delivering, 1 records read, 0 of 1 delivered, ${says}\n`));
    expect(late.stderr).toMatch(new RegExp(`\nerror E_TIMEOUT: job ${jobId} is still delivering after 1 s; ${says}\n`));
    expect(late.stderr).toContain(`\ntry: \`headgate batch list --job ${jobId}\` shows`);
    const list = await headgate('batch', 'list', '--job', jobId);
    expect(list.stderr).toMatch(/^try: .* The batch is tried again by itself\.\n$/);
  });

  it('while the breaker of its target is open, how many are parked there, and why', async () => {
    const sink = await startHttpSink(() => ({ status: 503 }));
    const connection = `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: bank, name: down }\nspec: { type: http, baseUrl: "${sink.url}" }\n`;
    writeFileSync(join(bank.folder, 'down.yaml'), connection);
    const breaking = { type: 'http', connection: 'down', more: 'retry: { max: 50, initial: 20ms, cap: 100ms }' };
    const flow = uploadFlow('breaking', breaking).replace('path: breaking', 'path: /breaking, breaker: { minCalls: 2, probeEvery: 60s }');
    writeFileSync(join(bank.folder, 'breaking.yaml'), flow);
    expect(await headgate('flow', 'apply', 'down.yaml', 'breaking.yaml', '--yes')).toMatchObject({ code: 0 });
    const [{ jobId }] = await json('ingest', file(good(1)), '--flow', 'breaking');
    await vi.waitUntil(async () => (await json('job', 'get', jobId)).targets.ledger?.parked === 1, { timeout: 60_000, interval: 200 });
    const parked = String.raw`1 parked at ledger, whose breaker is open, and tries it at 20\S+Z`;
    const said = String.raw`ledger said last E_TARGET_BUSY \(.*status 503\), [0-9]+ tries`;
    const { code, stderr } = await headgate('job', 'watch', jobId, '--timeout', '1');
    expect([code, stderr]).toEqual([
      8,
      expect.stringMatching(new RegExp(`^job ${jobId}: delivering, 1 records read, 0 of 1 delivered, ${parked}, ${said}\n`)),
    ]);
    expect(stderr).toMatch(new RegExp(`\nerror E_TIMEOUT: job ${jobId} is still delivering after 1 s; ${parked}; ${said}\n`));
    // As it stands when time runs out, not as it stood at the first look.
    const argv = ['job', 'watch', jobId, '--timeout', '4', '--key-file', bank.keyFile];
    const watch = startCommand(argv, { env: { HEADGATE_URL: bank.url }, cwd: bank.folder });
    await watch.said(/whose breaker is open/);
    expect(await headgate('target', 'breaker', 'open', 'breaking', 'ledger', '--reason', 'x', '--yes')).toMatchObject({ code: 0 });
    expect((await watch.ended).stderr).toMatch(/\nerror E_TIMEOUT: .*; 1 parked at ledger, whose breaker a person keeps open; /);
  });

  it('of a batch of unknown outcome that is held, to ask the target first', async () => {
    const sink = await startHttpSink(() => ({ isLost: true }));
    const connection = `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: bank, name: losing }\nspec: { type: http, baseUrl: "${sink.url}" }\n`;
    writeFileSync(join(bank.folder, 'losing.yaml'), connection);
    const flow = uploadFlow('unsure', { type: 'http', connection: 'losing' }).replace('path: unsure', 'path: /unsure, onUnknown: hold');
    writeFileSync(join(bank.folder, 'unsure.yaml'), flow);
    expect(await headgate('flow', 'apply', 'losing.yaml', 'unsure.yaml', '--yes')).toMatchObject({ code: 0 });
    const held = await headgate('ingest', file(good(1)), '--flow', 'unsure', '--wait', '--json');
    expect(held.code).toBe(7);
    const [{ jobId }] = JSON.parse(held.stdout);
    const [{ batchId, outcomeUnknown }] = await json('batch', 'list', '--job', jobId);
    expect(outcomeUnknown).toBe(true);
    expect(sink.requests[0]!.headers['headgate-batch-id']).toBe(batchId);
    const asks = new RegExp(
      `try: Ask the target first .*headgate-batch-id ${batchId}.* --as delivered .* --as discard.* --as resend.* pay twice\\.\n`,
    );
    for (const argv of [
      ['job', 'watch', jobId],
      ['batch', 'list', '--job', jobId],
      ['batch', 'get', batchId],
    ]) {
      const { stderr } = await headgate(...argv);
      expect(stderr.replaceAll('`', '')).toMatch(asks);
      expect(stderr).not.toContain('To send it again');
      expect(stderr).not.toContain('decide:');
    }
    expect((await json('job', 'get', jobId)).targets.ledger.heldReasons[0].next).toMatch(/^Ask the target first/);
  });

  it('when the server ends meanwhile, as which job it was accepted', async () => {
    const argv = ['ingest', file(good(1)), '--flow', 'ending', '--wait', '--key-file', bank.keyFile];
    const waiting = startCommand(argv, { env: { HEADGATE_URL: bank.url }, cwd: bank.folder });
    await waiting.said(/: delivering, .* ledger said last E_TARGET_BUSY/);
    await bank.stopServer();
    const { code, stderr } = await waiting.ended;
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/error E_API_UNREACHABLE: .*; .* was accepted as job (\S+), to go on waiting: headgate job watch \1\n/),
    ]);
  });
});
