import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const program = join(import.meta.dirname, '../../../bin/headgate');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-write-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, content: unknown): string {
  writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  return name;
}

function headgate(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: folder, input });
  return { exitCode: status, stdout, stderr };
}

const write = (...args: string[]) => headgate(['write', '--format', 'nacha', ...args]);
const text = (name: string) => readFileSync(join(folder, name), 'utf8');

const fileHeader = {
  immediateDestination: '031300012',
  immediateOrigin: '121042882',
  fileCreationDate: '260816',
  immediateDestinationName: 'Federal Reserve Bank',
  immediateOriginName: 'My Bank Name',
};
const entry = {
  companyName: 'Company',
  companyIdentification: '1234567890',
  standardEntryClassCode: 'PPD',
  companyEntryDescription: 'PAYROLL',
  effectiveEntryDate: '260817',
  ODFIIdentification: '12104288',
  transactionCode: 22,
  RDFIIdentification: '23138010',
  DFIAccountNumber: '12345678',
  amount: 1_050,
  individualName: 'Jane Doe',
};
const document = { fileHeader, entries: [entry] };

describe('headgate write', () => {
  it('writes a file that is read again, and says what is in it', () => {
    const run = write(file('in.json', document), '--out', 'out.ach', '--json');
    expect([run.exitCode, run.stderr]).toEqual([0, '']);
    expect(JSON.parse(run.stdout)).toEqual({
      format: 'nacha',
      file: { name: 'out.ach', sha256: createHash('sha256').update(text('out.ach')).digest('hex'), bytes: 950 },
      records: 1,
      amounts: { credit: { USD: '10.50' }, debit: { USD: '0.00' } },
      controlTotals: {
        batchCount: 1,
        blockCount: 1,
        entryAddendaCount: 1,
        entryHash: 23_138_010,
        totalDebit: '0.00',
        totalCredit: '10.50',
      },
      details: { batches: 1, secCodes: { PPD: 1 } },
      warnings: [],
    });
    const parsed = headgate(['run', '--format', 'nacha', '--parse', 'out.ach']);
    const again = headgate(['write', '--format', 'nacha', '-'], parsed.stdout);
    expect([again.exitCode, again.stdout, again.stderr]).toEqual([0, text('out.ach'), '']);
    expect(write('in.json', '--out', 'out.ach').stdout).toBe('out.ach\twritten\trecords=1\tcredit=10.50 USD\tdebit=0.00 USD\twarnings=0\n');
  });

  it('leaves the file that was there, and nothing else, where the document is refused', () => {
    file('out.ach', 'before');
    const run = write(file('in.json', { ...document, fileControl: { totalCredit: 5 } }), '--out', 'out.ach');
    expect([run.exitCode, run.stdout]).toEqual([1, '']);
    expect(run.stderr).toMatch(/^error E_NACHA_COMPUTED: \/fileControl\/totalCredit: it is 5, computed 1050\ntry: .*computed=keep/);
    expect([readdirSync(folder).sort(), text('out.ach')]).toEqual([['in.json', 'out.ach'], 'before']);
    expect(write('in.json').stdout).toBe('');
    // What the reader finds is for whoever writes the document, not for the sender of a file.
    expect(write(file('in.json', { fileHeader, entries: [{ ...entry, checkDigit: '9' }] })).stderr).toMatch(
      /^error E_NACHA_FIELD: \/entries\/0\/checkDigit: .*\ntry: Correct the document at the JSON pointer .*findings=keep` writes it as it is\.\n$/,
    );
  });

  it('puts files into one, or into as many as its limits ask for', () => {
    const of = (name: string, first: number) =>
      file(`${name}.json`, {
        fileHeader: { ...fileHeader, referenceCode: name },
        entries: [0, 1, 2, 3].map((more) => ({ ...entry, traceNumber: `12104288000000${first + more}` })),
      });
    write(of('A', 1), '--out', 'a.ach');
    write(of('B', 5), '--out', 'b.ach');
    expect(write('--make', 'merge', 'a.ach', 'b.ach', '--out', 'all.ach').stdout).toBe(
      'all.ach\twritten\trecords=8\tcredit=84.00 USD\tdebit=0.00 USD\twarnings=0\n',
    );
    const run = write('--make', 'merge', 'a.ach', 'b.ach', '--out', 'cut.ach', '--option', 'linesMax=10', '--json');
    expect(
      JSON.parse(run.stdout).map(({ file: { name }, records }: { file: { name: string }; records: number }) => [name, records]),
    ).toEqual([
      ['cut.ach', 6],
      ['cut-2.ach', 2],
    ]);
    const refused = write('--make', 'merge', 'a.ach', 'a.ach', '--out', 'twice.ach');
    expect([refused.exitCode, refused.stderr.split('\n')[0]]).toEqual([
      1,
      'error E_NACHA_MERGE: a.ach, line 1: the file is the same as a.ach',
    ]);
    expect(readdirSync(folder).filter((name) => name.startsWith('twice'))).toEqual([]);
  });

  it('leaves none of several files where one of them can not have its name', () => {
    for (const [name, first] of [
      ['a', 1],
      ['b', 5],
    ] as const)
      write(
        file(`${name}.json`, {
          fileHeader: { ...fileHeader, referenceCode: name },
          entries: [0, 1, 2, 3].map((more) => ({ ...entry, traceNumber: `12104288000000${first + more}` })),
        }),
        '--out',
        `${name}.ach`,
      );
    mkdirSync(join(folder, 'all-2.ach'));
    const run = write('--make', 'merge', 'a.ach', 'b.ach', '--out', 'all.ach', '--option', 'linesMax=10');
    expect([run.exitCode, run.stderr]).toEqual([2, expect.stringContaining('all-2.ach cannot be written')]);
    expect(readdirSync(folder).filter((name) => /^all|part$/.test(name))).toEqual(['all-2.ach']);
  });

  it('writes each of two files of one name as a whole, though both are written at once', async () => {
    const many = (individualName: string) => ({
      fileHeader,
      entries: Array.from({ length: 20_000 }, () => ({ ...entry, individualName })),
    });
    file('one.json', many('One'));
    file('other.json', many('Other'));
    const codes = await Promise.all(
      ['one', 'other'].map((name) => {
        const child = spawn(program, ['write', '--format', 'nacha', `${name}.json`, '--out', 'both.ach'], { cwd: folder });
        return new Promise((resolve) => child.on('close', resolve));
      }),
    );
    expect(codes).toEqual([0, 0]);
    const names = text('both.ach').match(/^6.{53}(\S+)/gm)!;
    expect(names).toHaveLength(20_000);
    expect(new Set(names.map((line) => line.slice(54))).size).toBe(1);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('leaves nothing of a file when %s ends it', async (signal) => {
    const name = 'a\\nb\n c.ach';
    const child = spawn(program, ['write', '--format', 'nacha', '-', '--out', name], { cwd: folder, stdio: ['pipe', 'ignore', 'ignore'] });
    const ended = once(child, 'exit');
    child.stdin.write(JSON.stringify(document).slice(0, 100));
    await vi.waitUntil(() => readdirSync(folder).some((each) => each.endsWith('.part')), { timeout: 60_000 });
    child.kill(signal);
    expect((await ended)[1]).toBe(signal);
    await expect.poll(() => readdirSync(folder)).toEqual([]);
  });

  it('answers entries of a file', () => {
    write(file('in.json', document), '--out', 'in.ach');
    const answers = file('answers.json', {
      fileHeader: { fileCreationDate: '260818' },
      entries: [{ traceNumber: '121042880000001', code: 'R03' }],
    });
    expect(write('--make', 'answers', '--document', answers, 'in.ach', '--out', 'back.ach').exitCode).toBe(0);
    expect(text('back.ach')).toContain('\n799R03121042880000001      23138010');
  });

  it.each([
    [['in.json', 'in.json'], /E_USAGE: one document is needed/],
    [[], /E_USAGE: one document is needed/],
    [['in.json', '--json'], /E_USAGE: --json tells of a file that --out names/],
    [['in.json', '--document', 'in.json'], /E_USAGE: --document belongs to --make/],
    [['in.json', '--option', 'lineEnd=X'], /E_FORMAT_OPTION: the option lineEnd is one of document, LF, CRLF, CR, none/],
    [['in.json', '--option', 'linesMax=1'], /E_FORMAT_OPTION: nacha has no option "linesMax"/],
    [['none.json'], /E_INPUT_FILE: none.json cannot be read: there is no such file\n/],
    [['in.json', '--out', 'none/out.ach'], /E_OUTPUT_FOLDER: none\/out.ach cannot be written \(ENOENT\)/],
    [['in.json', '--out', 'folder'], /E_OUTPUT_FOLDER: folder cannot be written/],
    [['--make', 'nothing', 'in.json', '--out', 'x'], /E_FORMAT_OPTION: nacha makes no "nothing"; it makes merge, answers/],
    [['--make', 'answers', 'in.json', '--out', 'x'], /E_USAGE: --document is needed/],
    [['--make', 'merge', '--document', 'in.json', 'in.json', '--out', 'x'], /E_USAGE: --document is not taken/],
    [['--make', 'merge', 'in.json'], /E_USAGE: --out is missing/],
    [['--make', 'merge', '--out', 'x'], /E_USAGE: 1 to 1000 files are needed/],
  ])('exits 2 for %j', (args, message) => {
    file('in.json', document);
    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, 'folder/kept'), '');
    const run = write(...args);
    expect([run.exitCode, run.stdout]).toEqual([2, '']);
    expect(run.stderr).toMatch(message);
    expect(readdirSync(folder).sort()).toEqual(['folder', 'in.json']);
  });

  it('says which formats it writes', () => {
    expect(headgate(['write', '--format', 'csv', 'in.json']).stderr).toMatch(
      /E_FORMAT_OPTION: there is no format "csv" that is written; there are nacha,/,
    );
  });
});
