import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ebcdic } from '../../../test/support/ebcdic.ts';
import { pack } from '../../../test/support/packed.ts';
import { zipArchive } from '../../../test/support/zip-archive.ts';

const program = join(import.meta.dirname, '../../../bin/headgate');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-run-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const flow = (
  format: string,
  more = '',
  fields = '{ id: { type: string, required: true, unique: file }, amount: { type: decimal, scale: 2, sum: true, required: true } }',
) => `
apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank, service: payments, name: small, version: 1.0.0, owner: ops }
spec:
  sources: [{ id: api, type: http }]
  format: ${format}
  schema: { record: { key: [id], fields: ${fields} } }
  routes: { default: { to: [ledger] } }
  targets: { ledger: { type: file, connection: out, path: out } }
${more}`;

function file(name: string, text: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function headgate(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(program, ['run', ...args], { encoding: 'utf8', cwd: folder, maxBuffer: 32 * 1024 * 1024 });
  return { exitCode: status, stdout, stderr };
}

const csv = '{ type: delimited, header: true }';

describe('headgate run', () => {
  it('prints the receipt that it writes, and exits 0 for a file that is accepted or partial', () => {
    const out = join(folder, 'out');
    const run = headgate(file('flow.yaml', flow(csv)), file('in.csv', 'id,amount\na,1.00\nb,x\n'), '--out', out, '--json');
    expect([run.exitCode, run.stderr]).toEqual([0, '']);
    const receipt = JSON.parse(run.stdout);
    expect(receipt).toEqual(JSON.parse(readFileSync(join(out, 'receipt.json'), 'utf8')));
    expect(receipt).toMatchObject({ flow: 'small', verdict: 'partial', records: { read: 2, valid: 1, rejected: 1, filtered: 0 } });
    expect(receipt.flowHash).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(readFileSync(join(out, 'ledger.ndjson'), 'utf8')).toBe('{"id":"a","amount":"1.00"}\n');
  });

  it('names every format, a file that is not there, and a header row that cannot be read with why', () => {
    expect(headgate('--format', 'ach', '--parse', 'x').stderr).toMatch(
      /E_FORMAT_OPTION: there is no format "ach"; there are delimited, fixed-width, json-lines, nacha, bai2, .*\ntry: .*docs\/formats\.md/,
    );
    const path = file('flow.yaml', flow(csv));
    expect(headgate(path, 'none.csv', '--out', join(folder, 'n')).stderr).toContain('none.csv cannot be read: there is no such file\n');
    expect(headgate(path, file('page.csv', '<?xml version="1.0"?>\n'), '--out', join(folder, 'n')).stderr).toMatch(
      /E_HEADER_ROW at byte 0: the header row cannot be read: it is no text of the flow's encoding, or a quote in it is misplaced\n/,
    );
  });

  it('exits 1 for a file that is held or rejected', () => {
    const path = file('flow.yaml', flow(csv));
    expect(headgate(path, file('open.csv', 'id,amount\n"a,1.00\n'), '--out', join(folder, 'a')).exitCode).toBe(1);
    expect(headgate(path, file('empty.csv', ''), '--out', join(folder, 'b')).exitCode).toBe(1);
  });

  it('says on stderr why a file is held or rejected, where, and what to do, whatever stdout is', () => {
    const path = file('flow.yaml', flow(csv));
    const cases = [
      [
        'semi.csv',
        'id;amount\na;1.00\n',
        /: error E_COLUMN_MISSING at byte 0: .*"id", "amount": it has no delimiter ",", but ";"\n {2}try: .*delimiter: ";"/,
      ],
      ['semi16.csv', Buffer.from('\ufeffid;amount\na;1.00\n', 'utf16le'), /: error E_FILE_ENCODING at byte 0: .*\n {2}try: .*UTF-8/],
      [
        'packed',
        pack.gzip('id,amount\na,1.00\n'),
        /: error E_HEADER_ROW at byte 0: .*\n {2}the file is packed with gzip\n {2}try: Unpack it \(`gzip -dc /,
      ],
      [
        'packed.zst',
        pack.zstd('id,amount\na,1.00\n'),
        /: error E_\S+ at byte 0: .*\n {2}the file is packed with zstd\n {2}try: Unpack it \(`zstd -dc /,
      ],
      [
        'packed.zip',
        zipArchive([{ name: 'a.csv', content: Buffer.from('id,amount\na,1.00\n') }]),
        /: error E_\S+ .*\n {2}the file is a zip archive\n {2}try: Unpack it/,
      ],
      [
        'packed.tar',
        Buffer.from(`${'a.csv'.padEnd(257, '\0')}ustar\0`),
        /: error E_\S+ .*\n {2}the file is a tar archive\n {2}try: Unpack it/,
      ],
      ['empty.csv', '', /: error E_EMPTY: the file holds no data record\n {2}try: /],
      ['open.csv', 'id,amount\na,1.00\n"b,2.00\n', /: error E_QUOTE_OPEN at byte 17: .*\n {2}try: Close the quote/],
    ] as const;
    for (const [name, bytes, says] of cases) {
      for (const options of [[], ['--json'], ['-o', 'ndjson'], ['--errors']]) {
        const run = headgate(path, file(name, bytes as string), '--out', join(folder, 'out'), ...options);
        expect([name, run.exitCode]).toEqual([name, 1]);
        expect(run.stderr).toMatch(says);
        expect(run.stderr).not.toContain('\n\n');
      }
    }
    expect(headgate(path, file('in.csv', 'id,amount\na,1.00\n'), file('empty.csv', ''), '--out', join(folder, 'out')).stderr).toMatch(
      /^[^\n]*empty\.csv: error E_EMPTY: .*\n {2}try: .*\n$/,
    );
  });

  it('exits 2 for a broken flow, with the place of every mistake', () => {
    const run = headgate(file('flow.yaml', flow('{ type: delimited, hedder: true }')), file('in.csv', ''), '--out', join(folder, 'out'));
    expect(run.exitCode).toBe(2);
    expect(run.stdout).toBe('');
    expect(run.stderr).toMatch(/^error E_FLOW_INVALID: .*\n {2}7:\d+: E_CONFIG_KEY: spec\.format\.hedder: .*\ntry: /);
  });

  it('exits 2 for what it cannot read or write, and for options that it does not take', () => {
    const path = file('flow.yaml', flow(csv));
    const input = file('in.csv', 'id,amount\n');
    for (const args of [
      [path, join(folder, 'absent.csv'), '--out', join(folder, 'out')],
      [path, folder, '--out', join(folder, 'out')],
      [join(folder, 'absent.yaml'), input, '--out', join(folder, 'out')],
      [path, input, '--out', join(input, 'below-a-file')],
      [path, input],
      [path, '--out', join(folder, 'out')],
      [path, input, '--out', join(folder, 'out'), '--threads', '0'],
      [path, input, '--out', join(folder, 'out'), '--wat'],
      [path, input, '--out', join(folder, 'out'), '--json', '--errors'],
      ['--format', 'fixed-width', '--parse', input, '--option', 'lineEnds=false'],
      ['--format', 'fixed-width', '--parse', input, '--option', 'recordLength=10'],
      ['--format', 'fixed-width', '--parse', input, '--option', 'positions=characters'],
      ['--format', 'json-lines', '--parse', input, '--option', 'encoding=ibm037'],
      ['--format', 'delimited', input],
      ['--format', 'delimited', '--parse', input, '--option', 'delimiter=ab'],
      ['--format', 'delimited', '--parse', input, '--option', 'delimiter=\n'],
      ['--format', 'delimited', '--parse', input, '--option', 'quote=,'],
      ['--format', 'delimited', '--parse', input, '--option', 'encoding=ebcdic'],
    ]) {
      const run = headgate(...args);
      expect([args, run.exitCode, run.stdout]).toEqual([args, 2, '']);
      expect(run.stderr).toMatch(/^error E_[A-Z_]+: .+\n(.*\n)*try: .+\n$/);
    }
  });

  it('prints texts in the encoding that an option names, and fixed-width records whole', () => {
    const parsed = (name: string, bytes: Buffer, ...options: string[]) => {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      return JSON.parse(
        headgate(...options.flatMap((option) => ['--option', option]), '--parse', path, '--format', name.split('.')[0]!).stdout,
      );
    };
    expect(parsed('delimited.1', Buffer.from('Zo\u00eb;\u00a4\n', 'latin1'), 'encoding=iso-8859-15', 'delimiter=;')).toEqual({
      rows: [['Zo\u00eb', '\u20ac']],
      errors: [],
    });
    expect(parsed('delimited.2', Buffer.from('a\x81\nb\n', 'latin1'), 'encoding=windows-1252')).toEqual({
      rows: [['b']],
      errors: [{ code: 'E_ENCODING', record: 1, offset: 0 }],
    });
    expect(parsed('fixed-width.1', ebcdic('H1\nD2 A\n'), 'encoding=ibm500')).toEqual({ rows: ['H1', 'D2 A'], errors: [] });
    const blocks = Buffer.concat([ebcdic('AB'), Buffer.from([0, 0x1c]), ebcdic('CD  E')]);
    expect(parsed('fixed-width.2', blocks, 'encoding=ibm037', 'lineEnds=false', 'recordLength=4')).toEqual({
      rows: ['AB\0\u001c', 'CD  '],
      errors: [{ code: 'E_WIDTH', record: 3, offset: 8 }],
    });
  });

  it('says of an EBCDIC header row which delimiter it has', () => {
    const path = file('flow.yaml', flow(csv.replace('type: delimited', 'type: delimited, encoding: ibm037')));
    const input = join(folder, 'in.csv');
    writeFileSync(input, ebcdic('id;amount\na;1.00\n'));
    expect(headgate(path, input, '--out', join(folder, 'out')).stderr).toContain('Say `delimiter: ";"`');
  });

  it('does with the file of a mainframe what its page says', () => {
    const root = join(import.meta.dirname, '../../..');
    const example = readFileSync(join(root, 'docs/formats/code-pages.md'), 'utf8').match(/\$ headgate run[\s\S]*?\n\n/)![0];
    const run = headgate(join(root, 'examples/mainframe.yaml'), join(root, 'examples/mainframe.bin'), '--out', join(folder, 'out'));
    const lines = [
      '$ headgate run examples/mainframe.yaml examples/mainframe.bin --out out',
      ...run.stdout.trimEnd().split('\n'),
      '$ cat out/ledger.ndjson',
      ...readFileSync(join(folder, 'out/ledger.ndjson'), 'utf8').trimEnd().split('\n'),
    ];
    expect(
      example
        .trimEnd()
        .split('\n')
        .map((line) => line.trimStart()),
    ).toEqual(lines);
  });

  it('several files go to folders of their own, one receipt a line, in order', () => {
    const path = file('flow.yaml', flow(csv));
    mkdirSync(join(folder, 'more'));
    const inputs = [file('in.csv', 'id,amount\na,1.00\n'), file('more/in.csv', ''), file('c.csv', 'id,amount\nc,3.00\n')];
    const run = headgate(path, ...inputs, '--out', join(folder, 'out'), '-o', 'ndjson');
    expect(run.exitCode).toBe(1);
    expect(
      run.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).verdict),
    ).toEqual(['accepted', 'rejected', 'accepted']);
    expect(readdirSync(join(folder, 'out')).sort()).toEqual(['1-in.csv', '2-in.csv', '3-c.csv']);
    expect(readFileSync(join(folder, 'out/3-c.csv/ledger.ndjson'), 'utf8')).toBe('{"id":"c","amount":"3.00"}\n');
  });

  it('--errors streams every finding, duplicates in the file included', () => {
    const rows = Array.from({ length: 3_000 }, (_, index) => `k${index % 2_000},${index % 2 === 0 ? 'x' : '1.00'}\n`);
    const run = headgate(
      file('flow.yaml', flow(csv)),
      file('in.csv', `id,amount\n${rows.join('')}`),
      '--out',
      join(folder, 'out'),
      '--errors',
    );
    const findings = run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(run.exitCode).toBe(0);
    expect(findings.length).toBe(2_000);
    expect(findings.filter(({ code }) => code === 'E_DUPLICATE_KEY').length).toBe(500);
    expect(findings[0]).toMatchObject({ record: 1, offset: 10, code: 'E_DECIMAL', field: 'amount', rule: null, severity: 'error' });
  });

  it('--errors says at which line of the file a finding is, beyond what is read of it at once', () => {
    const rows = Array.from({ length: 9_000 }, (_, index) => (index % 3_000 === 7 ? `"k\n${index}",x\n` : `k${index},1.00\n`));
    const text = `id,amount\n${rows.join('')}k7b,1.00\nk7b,1.00\n`;
    const run = headgate(file('flow.yaml', flow(csv)), file('in.csv', text), '--out', join(folder, 'out'), '--errors');
    const found = run.stdout
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each) as { offset: number; line: number; code: string });
    expect(found.map(({ code }) => code)).toEqual(['E_DECIMAL', 'E_DECIMAL', 'E_DECIMAL', 'E_DUPLICATE_KEY']);
    expect(found.map(({ line }) => line)).toEqual(found.map(({ offset }) => text.slice(0, offset).split('\n').length));
    expect(found.map(({ line }) => line)).toEqual([9, 3_010, 6_011, 9_006]);
    const mainframe = headgate(
      file('ebcdic.yaml', flow('{ type: delimited, header: true, encoding: ibm1047 }')),
      file('in.bin', ebcdic('id,amount\nk1,1.00\nk2,x\n')),
      '--out',
      join(folder, 'out'),
      '--errors',
    );
    expect(JSON.parse(mainframe.stdout)).toMatchObject({ record: 2, line: 3, code: 'E_DECIMAL' });
  });

  it('the same records give the same outputs in every format', () => {
    const cases = [
      [csv, 'id,amount\nä1,1.50\nb2,-2\n', undefined],
      ['{ type: json-lines }', '{"amount":1.50,"id":"ä1"}\n{"id":"b2","amount":"-2"}\n', undefined],
      [
        '{ type: fixed-width }',
        'ä1    0000000150\nb2    -000000200\n',
        '{ id: { at: [1, 7], type: string, required: true }, amount: { at: [8, 10], type: decimal, point: implied, scale: 2, required: true } }',
      ],
    ] as const;
    for (const [index, [format, text, fields]] of cases.entries()) {
      const out = join(folder, `out${index}`);
      const bytes = index === 2 ? Buffer.from(text.replace('b2    ', 'b2     ')) : text;
      expect(headgate(file('flow.yaml', flow(format, '', fields)), file('in', bytes), '--out', out).exitCode).toBe(0);
      expect(readFileSync(join(out, 'ledger.ndjson'), 'utf8')).toBe('{"id":"ä1","amount":"1.50"}\n{"id":"b2","amount":"-2.00"}\n');
    }
  });

  it('a line without end, a million columns and an open quote are held or cost one record, with a code and a place', () => {
    const path = file('flow.yaml', flow(csv));
    const cases = [
      [
        'long',
        `id,amount\na,1.00\n${'x'.repeat(17 * 1024 * 1024)}\nb,2.00\n`,
        1,
        { read: 1, valid: 1, rejected: 0, filtered: 0 },
        { code: 'E_RECORD_TOO_LONG', offset: 17 },
      ],
      [
        'wide',
        `id,amount\n${','.repeat(1_000_000)}\nb,2.00\n`,
        0,
        { read: 2, valid: 1, rejected: 1, filtered: 0 },
        { code: 'E_FIELD_COUNT', offset: 10 },
      ],
      [
        'open',
        `id,amount\na,1.00\n"b,2.00\n${'c,3.00\n'.repeat(3_000_000)}`,
        1,
        { read: 1, valid: 1, rejected: 0, filtered: 0 },
        { code: 'E_QUOTE_OPEN', offset: 17 },
      ],
      ['nul', 'id,amount\na\0,1.00\nb,2.00\n', 0, { read: 2, valid: 1, rejected: 1, filtered: 0 }, { code: 'E_CHARACTER', offset: 10 }],
      ['mac', 'id,amount\ra,1.00\rb,2.00\r', 1, { read: 0, valid: 0, rejected: 0, filtered: 0 }, { code: 'E_HEADER_ROW', offset: 0 }],
    ] as const;
    for (const [name, text, exitCode, records, error] of cases) {
      const run = headgate(path, file(name, text), '--out', join(folder, `out-${name}`), '--json');
      expect([name, run.exitCode]).toEqual([name, exitCode]);
      const receipt = JSON.parse(run.stdout);
      expect([name, receipt.records]).toEqual([name, records]);
      expect(receipt.errors[0]).toMatchObject(error);
    }
  });

  it('hostile field names and content change nothing but data', () => {
    const name = '"]+(globalThis.PWN=1)+r["b';
    const fields = `{ ${JSON.stringify(name)}: { type: string }, __proto__: { type: string }, toString: { type: string } }`;
    const text = flow('{ type: delimited }', '', fields).replace('key: [id], ', '');
    const run = headgate(
      file('flow.yaml', text),
      file('in.csv', "${process.exit(7)},=cmd|' /C calc'!A0,\u2028</script>\n"),
      '--out',
      join(folder, 'out'),
    );
    // Either such names are refused with a place, or they are names like any other.
    if (run.exitCode === 2) expect(run.stderr).toMatch(/^error E_FLOW_INVALID/);
    else expect(JSON.parse(readFileSync(join(folder, 'out/ledger.ndjson'), 'utf8'))[name]).toBe('${process.exit(7)}');
  });
});

describe('headgate run --parse', () => {
  it('gives every field as its exact text and every error with its code and place', () => {
    const input = file('in.csv', '\ufeffa,"b\r\nb"\r\n\r\n,\n1,"x"y\n"last""",\u{1f600}');
    const run = headgate('--format', 'delimited', '--parse', input);
    expect([run.exitCode, run.stderr]).toEqual([0, '']);
    expect(JSON.parse(run.stdout)).toEqual({
      rows: [['a', 'b\r\nb'], [''], ['', ''], ['last"', '\u{1f600}']],
      errors: [{ code: 'E_QUOTE', record: 4, offset: 17 }],
    });
  });

  it('keeps numbers of JSON lines as they are written, and refuses what is not strict JSON', () => {
    const input = file('in.ndjson', '{"a": 123456789012345678901234567890.10}\r\n{"a":1,"a":2}\n 1e400 \n{"__proto__":{"x":1}}\n');
    const run = headgate('--format', 'json-lines', '--parse', input);
    expect(run.stdout).toBe(
      '{"rows":[{"a": 123456789012345678901234567890.10},1e400,{"__proto__":{"x":1}}],"errors":[{"code":"E_DUPKEY","record":2,"offset":42}]}\n',
    );
  });

  it('exits 1 where a file is damaged or holds nothing but errors', () => {
    expect(headgate('--format', 'delimited', '--parse', file('open.csv', 'a,b\n"c')).exitCode).toBe(1);
    expect(headgate('--format', 'json-lines', '--parse', file('bad.ndjson', '{\n')).exitCode).toBe(1);
    expect(headgate('--format', 'json-lines', '--parse', file('one.ndjson', '{\n{}\n')).exitCode).toBe(0);
  });

  it('lists every error of a file that holds thousands', () => {
    const run = headgate('--format', 'json-lines', '--parse', file('bad.ndjson', '1\n{\n'.repeat(5_000)));
    const { rows, errors } = JSON.parse(run.stdout);
    expect([rows.length, errors.length, errors.at(-1)]).toEqual([5_000, 5_000, { code: 'E_JSON', record: 10_000, offset: 19_998 }]);
  });
});
