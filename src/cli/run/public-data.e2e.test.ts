import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { expectedVerdicts, itWithPublicData } from '../../../test/support/public-data.ts';

const program = join(import.meta.dirname, '../../../bin/headgate');

interface Parsed {
  readonly rows: readonly unknown[];
  readonly errors: readonly { readonly code: string; readonly record: number; readonly offset: number }[];
}

/** One process for all files; a document each, in order. Rows stay text, so that no number is rounded by the test. */
function parse(
  args: readonly string[],
  paths: readonly string[],
): { readonly exitCode: number | null; readonly documents: readonly string[] } {
  const { status, stdout, stderr } = spawnSync(program, ['run', ...args, '--parse', '-o', 'ndjson', ...paths], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(stderr).toBe('');
  return { exitCode: status, documents: stdout.trimEnd().split('\n') };
}

interface CsvVerdict {
  readonly file: string;
  readonly expect: string;
  readonly records?: string;
  readonly json?: string;
  readonly rows?: number;
  readonly columnsPerRow?: readonly number[];
  readonly firstRow?: readonly string[];
}

/** The first row names the columns of the others. */
function asObjects(rows: readonly (readonly string[])[]): Record<string, string | undefined>[] {
  const [names, ...rest] = rows;
  return rest.map((row) => Object.fromEntries(names!.map((name, index) => [name, row[index]])));
}

/** CSV on the Web, minimal mode: an empty cell is null and is left out. */
function describedRows(document: { tables: { row: { describes: Record<string, string>[] }[] }[] }): Record<string, string>[] {
  return document.tables[0]!.row.map((row) => row.describes[0]!);
}

function withoutEmpty(record: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(record).filter(([, text]) => text !== ''));
}

/** The one stored pair that disagrees in a value: what the CSV says, and what its JSON does. */
const disagreeing = {
  file: 'csv-spectrum/csvs/location_coordinates.csv',
  column: 'Contact Phone Number',
  csv: '2095257564',
  json: '1234567890',
};

function expectRecords({ file }: CsvVerdict, records: Record<string, string | undefined>[], wanted: unknown): void {
  const list = (Array.isArray(wanted) ? wanted : [wanted]) as Record<string, string>[];
  if (file === disagreeing.file) {
    expect(list.map((record) => record[disagreeing.column])).toEqual([disagreeing.json]);
    list[0]![disagreeing.column] = disagreeing.csv;
  }
  expect([file, records]).toEqual([file, list]);
}

describe('public CSV files through headgate run --format delimited --parse', () => {
  itWithPublicData('csv', 'every file gives the records that the independent programs read', (folder) => {
    const verdicts = expectedVerdicts<CsvVerdict>(folder);
    const { exitCode, documents } = parse(
      ['--format', 'delimited'],
      verdicts.map(({ file }) => join(folder, file)),
    );
    expect(exitCode).toBe(0);
    expect(documents.length).toBe(verdicts.length);
    for (const [index, verdict] of verdicts.entries()) {
      const { rows, errors } = JSON.parse(documents[index]!) as { rows: string[][]; errors: unknown[] };
      expect([verdict.file, errors]).toEqual([verdict.file, []]);
      if (verdict.rows !== undefined) expect([verdict.file, rows.length]).toEqual([verdict.file, verdict.rows]);
      if (verdict.columnsPerRow !== undefined) expect([...new Set(rows.map((row) => row.length))].sort()).toEqual(verdict.columnsPerRow);
      if (verdict.firstRow !== undefined) expect(rows[0]!.slice(0, verdict.firstRow.length)).toEqual(verdict.firstRow);
      // The stored CSV has LF where its JSON has CRLF (README of the data).
      const read = (path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8').replaceAll('\\r\\n', '\\n'));
      if (verdict.records !== undefined) expectRecords(verdict, asObjects(rows), read(verdict.records));
      if (verdict.json !== undefined)
        expect(asObjects(rows).map(withoutEmpty)).toEqual(describedRows(read(verdict.json)).map(withoutEmpty));
    }
    expect(verdicts.length).toBeGreaterThan(20);
    expect(verdicts.map(({ file }) => file)).toContain(disagreeing.file);
  });

  itWithPublicData('csv', 'the header option takes the first row out of the rows', (folder) => {
    const { documents } = parse(
      ['--format', 'delimited', '--option', 'header=true'],
      [join(folder, 'papaparse/tests/utf-8-bom-sample.csv')],
    );
    expect(JSON.parse(documents[0]!)).toMatchObject({ columns: ['A', 'B', 'C'], errors: [] });
  });
});

describe('public JSON documents through headgate run --format json-lines --parse', () => {
  // A document is one line. A file that spans lines is several records, so an accepted one would have to be joined first: none is.
  // An empty file holds no document: refused means that there is not exactly one row without an error.
  itWithPublicData('json', 'what must be accepted is one row, what must be refused is none, with a code', (folder) => {
    const verdicts = expectedVerdicts<{ file: string; expect: 'accept' | 'refuse' | 'free' }>(folder);
    const paths = verdicts.map(({ file }) => join(folder, file));
    const { documents } = parse(['--format', 'json-lines'], paths);
    expect(documents.length).toBe(verdicts.length);
    for (const [index, verdict] of verdicts.entries()) {
      const { rows, errors } = JSON.parse(documents[index]!) as Parsed;
      const isAccepted = rows.length === 1 && errors.length === 0;
      if (verdict.expect === 'free') expect(rows.length + errors.length).toBeGreaterThan(0);
      else expect([verdict.file, isAccepted]).toEqual([verdict.file, verdict.expect === 'accept']);
      // Nothing is changed in passing: the row is the line, byte for byte, without the white space around it.
      if (isAccepted)
        expect(documents[index]).toContain(
          `{"rows":[${readFileSync(paths[index]!, 'utf8')
            .replace(/^\ufeff/, '')
            .trim()}]`,
        );
    }
    expect(verdicts.length).toBeGreaterThan(60);
  });
});

describe('hostile text through headgate run --parse', () => {
  itWithPublicData('attack', 'every naughty string comes back byte for byte', (folder) => {
    const path = join(folder, 'blns/blns.txt');
    const wanted = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => !/^ *$/.test(line) && !line.startsWith('#'));
    const { documents } = parse(
      ['--format', 'delimited', '--option', 'quote=', '--option', 'comment=#', '--option', 'delimiter=\u001f'],
      [path],
    );
    const { rows, errors } = JSON.parse(documents[0]!) as { rows: string[][]; errors: unknown[] };
    expect(rows.map((row) => row.join('\u001f')).filter((line) => !/^ *$/.test(line))).toEqual(wanted);
    expect([errors, wanted.length]).toEqual([[], 515]);
  });

  itWithPublicData('attack', 'spreadsheet formulas and XML entities are text like any other', (folder) => {
    for (const file of ['payloadbox-csv/Intruder/csv-payload.txt', 'payloadbox-xxe/Intruder/xxe-injection-payload-list.txt.txt']) {
      const path = join(folder, file);
      const { documents } = parse(['--format', 'delimited', '--option', 'quote=', '--option', 'delimiter=\u001f'], [path]);
      const { rows } = JSON.parse(documents[0]!) as { rows: string[][] };
      const text = readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
      expect(rows.flat()).toEqual((text.endsWith('\n') ? text.slice(0, -1) : text).split('\n'));
    }
  });
});
