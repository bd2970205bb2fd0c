import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCommand } from '../../test/support/headgate-command.ts';
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
