import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DelimitedPlan, FormatPlan } from '../engine/plan.ts';
import { fieldPlan, delimitedFormat as plainCsv, recordPlan } from '../engine/plans.fixture.ts';
import { delimitedFormat } from './delimited/delimited-format.ts';
import type { Format, SplitResult, SplitterOptions } from './format.ts';
import { jsonLinesFormat } from './json-lines/json-lines-format.ts';
import { RecordRun } from './record-run.ts';

const csv: DelimitedPlan = { ...plainCsv, columns: 'lenient' };
const records = [recordPlan([fieldPlan('a', 'string', { column: 0, header: null }, { required: false })])];

function split(bytes: Buffer, format: FormatPlan, options: Partial<SplitterOptions>, pieceBytes = bytes.length): SplitResult {
  const made = (format.type === 'delimited' ? delimitedFormat : jsonLinesFormat) as Format;
  const splitter = made.createSplitter(format, records, { chunkBytes: 7, ...options });
  for (let at = 0; at < bytes.length; at += pieceBytes) splitter.push(bytes.subarray(at, at + pieceBytes));
  return splitter.end();
}

const one = (bytes: Buffer, format: FormatPlan, options: Partial<SplitterOptions> = {}) =>
  split(bytes, format, { ...options, runsFrom: Number.POSITIVE_INFINITY });

describe('runs of records', () => {
  const texts = ['"', '""', ',', '\n', '\r\n', '\r', 'a', 'bc', '#', '"d,e"', '"f\ng"', '"h""i"', '\\', 'é', '12345678901234567890'];
  const forms: [string, DelimitedPlan][] = [
    ['quotes', csv],
    ['no quotes', { ...csv, quote: null, escape: null }],
    ['comments', { ...csv, comment: 0x23 }],
    ['blank lines that are records', { ...csv, skipBlankLines: false }],
    ['a header row', { ...csv, header: true }],
    ['quotes that nothing escapes', { ...csv, escape: null }],
    ['another escape', { ...csv, escape: 0x5c }],
  ];

  for (const [name, format] of forms) {
    it(`give what records one by one give, however the file is cut into pieces (${name})`, () => {
      const text = fc.array(fc.constantFrom(...texts), { maxLength: 40 }).map((parts) => Buffer.from(parts.join('')));
      fc.assert(
        fc.property(text, fc.integer({ min: 1, max: 30 }), fc.constantFrom(12, 1_000), (bytes, pieceBytes, maxRecordBytes) => {
          const found = split(bytes, format, { maxRecordBytes, runsFrom: 0 }, pieceBytes);
          expect(found).toEqual(one(bytes, format, { maxRecordBytes }));
        }),
        { numRuns: 300 },
      );
    });
  }

  it('go over many blocks, records on their borders and records longer than one', () => {
    const lines = Array.from({ length: 9_000 }, (_, index) => `${index},"${'x'.repeat((index * 37) % 90)}""q""",${'y'.repeat(index % 50)}`);
    lines[4_000] = `"${'long\n'.repeat(40_000)}"`;
    lines[4_001] = 'stray"quote';
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    for (const pieceBytes of [1_000, 65_536, 262_144, bytes.length])
      expect(split(bytes, csv, { chunkBytes: 100_000, runsFrom: 0 }, pieceBytes)).toEqual(one(bytes, csv, { chunkBytes: 100_000 }));
  });

  it('give lines of JSON their numbers', () => {
    const format: FormatPlan = { type: 'json-lines', skipBlankLines: true } as FormatPlan;
    const bytes = Buffer.from('{"a":"\\""}\n\n{"a":"b"}\r\n{"a":1}\n'.repeat(500));
    expect(split(bytes, format, { runsFrom: 0, chunkBytes: 1_000 }, 333)).toEqual(one(bytes, format, { chunkBytes: 1_000 }));
  });
});

it('a file of nothing but unusual records is not copied for each of them', () => {
  const bytes = Buffer.from('\n'.repeat(200_000));
  const run = new RecordRun(csv, 1_000);
  let copied = 0;
  const copy = bytes.copy.bind(bytes);
  bytes.copy = (...to) => {
    copied++;
    return copy(...to);
  };
  for (let at = 0; at < bytes.length; at++) expect(run.over(bytes, at, bytes.length)).toBe(at);
  expect(copied).toBeLessThan(100);
});
