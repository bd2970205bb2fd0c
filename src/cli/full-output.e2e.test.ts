import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CommandResult } from '../../test/support/headgate-command.ts';
import { type ServedBank, serveBank } from './served-bank.fixture.ts';

const program = join(import.meta.dirname, '../../bin/headgate');
const ledger = 'ledger: { type: postgres, connection: ledger, table: pay.credit, mode: upsert, keys: [id] }';

let bank: ServedBank;
let fileId: string;

beforeAll(async () => {
  bank = await serveBank();
  const applied = await bank.headgate('flow', 'apply', 'out.yaml', 'flow.yaml', '--yes');
  const file = bank.file(bank.good(1), bank.bad(2));
  const sent = await bank.headgate('ingest', file, '--flow', 'payments', '--wait', '--json');
  fileId = JSON.parse(sent.stdout)[0].fileId;
  expect([applied.code, fileId]).toEqual([0, expect.any(String)]);
  writeFileSync(join(bank.folder, 'ddl.yaml'), bank.documents['flow.yaml'].replace(/ledger: \{.*\}/, ledger));
});
afterAll(() => bank?.end());

/** With its stdout where a shell puts it. */
function headgate(to: string, argv: readonly string[]): Promise<CommandResult> {
  const env = { ...process.env, HEADGATE_URL: bank.url, HEADGATE_DATA_DIR: bank.dataDir };
  return new Promise((resolve) => {
    const words = ['-c', `"$0" "$@" ${to}`, program, ...argv];
    const child = execFile('/bin/sh', words, { cwd: bank.folder, env }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
    child.stdin?.end('kind:   Connection\n');
  });
}

const commands: readonly [string, () => readonly string[]][] = [
  ['flow get --source', () => ['flow', 'get', 'payments', '--source', ...key()]],
  ['job list', () => ['job', 'list', ...key()]],
  ['job list --json', () => ['job', 'list', '--json', ...key()]],
  ['dead-letter export', () => ['dead-letter', 'export', '--flow', 'payments', '-o', 'csv', ...key()]],
  ['file acknowledgement', () => ['file', 'acknowledgement', fileId, ...key()]],
  ['trust', () => ['trust']],
  ['version', () => ['version']],
  ['version --help', () => ['version', '--help']],
  ['flow', () => ['flow']],
  ['help', () => ['--help']],
  ['flow fmt', () => ['flow', 'fmt', '-']],
  ['target ddl', () => ['target', 'ddl', 'ddl.yaml', 'ledger']],
  ['run --parse', () => ['run', '--format', 'delimited', '--parse', 'in-1.csv']],
  ['run --errors', () => ['run', 'flow.yaml', 'in-1.csv', '--out', 'checked', '--errors']],
];
const key = () => ['--key-file', bank.keyFile];

it.each(commands)('%s fails with a code and a next step where stdout is on a full disk', async (_name, argv) => {
  const { code, stderr } = await headgate('> /dev/full', argv());
  expect(stderr).toMatch(/^error E_STDOUT: what the command prints can't be written \(ENOSPC\)\ntry: .+\n$/m);
  expect(stderr.match(/E_STDOUT/g)).toHaveLength(1);
  expect(stderr).not.toMatch(/^ +at /m);
  expect(code).toBe(1);
});

it('a key that nobody could see is an error, which says how it is revoked', async () => {
  const argv = ['key', 'create', 'bank', '--name', 'unseen'];
  const env = { ...process.env, HEADGATE_DATA_DIR: bank.dataDir };
  const unread = spawn(program, argv, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  unread.stdout.destroy();
  const [full, [stderr, code]] = await Promise.all([
    headgate('> /dev/full', argv),
    Promise.all([text(unread.stderr), new Promise((resolve) => unread.once('close', resolve))]),
  ]);
  const says = (why: string) =>
    new RegExp(
      String.raw`^error E_STDOUT: the key \S+ was made, and is not shown again: .+ \(${why}\)\ntry: .+: headgate (key revoke \S+)\n$`,
    );
  expect([full.code, code, full.stderr, stderr]).toEqual([
    1,
    1,
    expect.stringMatching(says('ENOSPC')),
    expect.stringMatching(says('EPIPE')),
  ]);
  const admin = await bank.makeKey('admin');
  for (const [said, why] of [
    [full.stderr, 'ENOSPC'],
    [stderr, 'EPIPE'],
  ] as const)
    expect(await bank.as(admin, ...says(why).exec(said)![1]!.split(' '), '--yes')).toMatchObject({ code: 0 });
});

it.each([['version'], ['--help'], ['run', '--format', 'delimited', '--parse', 'in-1.csv']])(
  '%s ends well where its reader has seen enough',
  async (...argv) => {
    const child = spawn(program, argv, { cwd: bank.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      stderr += piece;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, stderr]).toEqual([0, '']);
  },
);
