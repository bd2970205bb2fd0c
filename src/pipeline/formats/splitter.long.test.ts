import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DelimitedPlan, FormatPlan, Plan, RecordPlan } from '../engine/plan.ts';
import { fieldPlan, planOf, recordPlan } from '../engine/plans.fixture.ts';
import { encodeText } from '../engine/reference/random-bytes.fixture.ts';
import { randomEncoding } from '../engine/reference/random-formats.fixture.ts';
import { openReferenceFile } from '../engine/reference/reference-file.ts';
import { ReferenceRun } from '../engine/reference/reference-run.ts';
import { delimitedFormat } from './delimited/delimited-format.ts';
import { fixedWidthFormat } from './fixed-width/fixed-width-format.ts';
import type { Format, SplitResult, SplitterOptions } from './format.ts';
import { jsonLinesFormat } from './json-lines/json-lines-format.ts';

const csv: DelimitedPlan = {
  type: 'delimited',
  delimiter: 0x2c,
  quote: 0x22,
  escape: 0x22,
  comment: null,
  header: false,
  columns: 'lenient',
  skipBlankLines: true,
  discriminator: null,
};
const formats: Record<FormatPlan['type'], Format> = {
  delimited: delimitedFormat as Format,
  'fixed-width': fixedWidthFormat as Format,
  'json-lines': jsonLinesFormat as Format,
};
const oneColumn = [recordPlan([fieldPlan('a', 'string', { column: 0, header: null }, { required: false })])];

function split(
  text: string | Uint8Array,
  format: FormatPlan = csv,
  records: readonly RecordPlan[] = oneColumn,
  options: Partial<SplitterOptions> & { pieceBytes?: number } = {},
): SplitResult {
  const bytes = Buffer.from(text as string);
  const splitter = formats[format.type].createSplitter(format, records, { chunkBytes: 1, ...options });
  const step = options.pieceBytes ?? Math.max(1, bytes.length);
  for (let at = 0; at < bytes.length; at += step) splitter.push(bytes.subarray(at, at + step));
  return splitter.end();
}

const codes = (result: SplitResult) => result.damage.map((damage) => damage.code);
const ranges = (result: SplitResult) => result.chunks.map(({ start, end, firstRecord }) => [start, end, firstRecord]);

describe('delimited splitter', () => {
  it('starts with a small chunk and lets each be twice the one before, up to the size of a chunk', () => {
    const { chunks } = split('a\n'.repeat(100), csv, oneColumn, { firstChunkBytes: 10, chunkBytes: 50 });
    expect(chunks.map(({ start, end }) => end - start)).toEqual([10, 20, 40, 50, 50, 30]);
  });

  it('a line end inside quotes ends no record', () => {
    expect(ranges(split('a,"b\nc"\nd,e\n'))).toEqual([
      [0, 8, 1],
      [8, 12, 2],
    ]);
  });

  it('doubled quotes, delimiters and CRLF inside quotes are content', () => {
    expect(split('"a""\r\n,","b"\r\nc\r\n').records).toBe(2);
  });

  it('an escape byte takes the next byte as it is', () => {
    const format = { ...csv, escape: 0x5c };
    expect(split('"a\\"\n\\\\"\nb\n', format).records).toBe(2);
  });

  it('a quote in the middle of a field opens nothing, so the next line is a record', () => {
    const result = split('a,b"c\nd,e\n"x"y",f\ng\n');
    expect(result.records).toBe(4);
    expect(result.damage).toEqual([]);
  });

  it('the last record needs no line end, and a final line end opens no record', () => {
    expect(split('a\nb').records).toBe(2);
    expect(split('a\nb\n').records).toBe(2);
    expect(ranges(split('a\nb')).at(-1)).toEqual([2, 3, 2]);
  });

  it('blank lines are skipped and counted, or are records', () => {
    const skipping = split('a\n\n\r\nb\n');
    expect([skipping.records, skipping.blankLines]).toEqual([2, 2]);
    expect(split('a\n\n\r\nb\n', { ...csv, skipBlankLines: false }).records).toBe(4);
  });

  it('comments are skipped, quotes in them mean nothing', () => {
    const result = split('#"x\na\n#y\n', { ...csv, comment: 0x23 });
    expect([result.records, result.comments]).toEqual([1, 2]);
  });

  it('the byte order mark and the header row are in no chunk', () => {
    const records = [recordPlan([fieldPlan('a', 'string', { column: 0, header: 'ü' })])];
    const result = split('\ufeff"ü",b\r\n1,2\r\n', { ...csv, header: true }, records);
    expect(result.spans.map(({ kind, start, end }) => [kind, start, end])).toEqual([
      ['bom', 0, 3],
      ['header-row', 3, 9],
    ]);
    expect(ranges(result)).toEqual([[11, 16, 1]]);
    expect(result.chunks[0]!.context).toEqual({ version: 1, columns: ['ü', 'b'] });
  });

  it('a header row with a duplicate or missing column or broken text holds the file and leaves an empty chunk', () => {
    const records = [recordPlan([fieldPlan('a', 'string', { column: 0, header: 'a' })])];
    const header = { ...csv, header: true };
    expect(codes(split('a,b,b\n1,2,3\n', header, records))).toEqual(['E_COLUMN_DUPLICATE']);
    expect(split('b,c\n1,2\n', header, records).damage[0]).toMatchObject({ code: 'E_COLUMN_MISSING', field: 'a' });
    expect(codes(split(Buffer.from([0x61, 0xff, 0x0a, 0x31, 0x0a]), header, records))).toEqual(['E_HEADER_ROW']);
    expect(ranges(split('a,b,b\n1,2,3\n', header, records))).toEqual([[6, 6, 1]]);
  });

  it('a header row of too many columns, or too long, holds the file, as the reference parser says', () => {
    const header = { ...csv, header: true };
    const records = [recordPlan([fieldPlan('a', 'string', { column: 0, header: 'a' })])];
    const plan = planOf({ format: header, records });
    const rows: readonly [row: string, message: string | null][] = [
      [`a${',b'.repeat(9_999)}`.replace(/,b/g, (_, at: number) => `,b${at}`), null],
      [`a${','.repeat(10_000)}`, 'the header row has more than 10000 columns'],
      [`a,"${'b'.repeat(256 * 1024)}"`, 'the header row is longer than 262144 bytes'],
      [`a,"${'b'.repeat(256 * 1024)}`, 'the header row is longer than 262144 bytes'],
    ];
    for (const [row, message] of rows) {
      const found = split(`${row}\n1\n`, header, records).damage.filter(({ code }) => code === 'E_HEADER_ROW');
      expect(found.map((each) => each.message)).toEqual(message === null ? [] : [message]);
      const reference = openReferenceFile(plan, [Buffer.from(`${row}\n1\n`)]).damage.filter(({ code }) => code === 'E_HEADER_ROW');
      expect(reference).toEqual(found);
    }
  });

  it('a quote that is open at the end of the file is damage at its record, which is read', () => {
    const result = split('a\n"b,c\nd\n');
    expect(result.damage).toMatchObject([{ code: 'E_QUOTE_OPEN', record: 2, offset: 2 }]);
    expect(result.records).toBe(2);
  });

  it('a record beyond the limit is damage and ends the split, quoted or not', () => {
    const plain = split(`a\n${'x'.repeat(50)}\nb\n`, csv, oneColumn, { maxRecordBytes: 20 });
    expect(plain.damage).toMatchObject([{ code: 'E_RECORD_TOO_LONG', record: 2, offset: 2 }]);
    expect(ranges(plain)).toEqual([[0, 2, 1]]);
    const quoted = split(`a\n"${'x\n'.repeat(50)}`, csv, oneColumn, { maxRecordBytes: 20 });
    expect(codes(quoted)).toEqual(['E_QUOTE_OPEN']);
  });

  it('a record of exactly the limit is read, with either line end', () => {
    for (const end of ['\n', '\r\n', ''])
      expect(split(`${'x'.repeat(20)}${end}`, csv, oneColumn, { maxRecordBytes: 20 }).damage).toEqual([]);
  });

  it('UTF-16 is damage, an empty file and a lone byte order mark hold nothing', () => {
    expect(codes(split(Buffer.from('\ufeffa\n', 'utf16le')))).toEqual(['E_FILE_ENCODING']);
    expect([split('').records, ranges(split(''))]).toEqual([0, [[0, 0, 1]]]);
    expect([split('\ufeff').records, ranges(split('\ufeff'))]).toEqual([0, [[3, 3, 1]]]);
  });
});

describe('splitters with header and trailer records', () => {
  const envelope = (role: 'header' | 'trailer', tag: string, at: RecordPlan['fields'][number]['at']) =>
    recordPlan([fieldPlan('x', 'string', at, { required: false })], { name: role, role, tag });
  const typed = (at: RecordPlan['fields'][number]['at']) => [
    envelope('header', 'H', at),
    recordPlan([fieldPlan('x', 'string', at, { required: false })], { name: 'd', tag: 'D' }),
    envelope('trailer', 'T', at),
  ];

  it('delimited header and trailer records have no number, unknown and broken ones do', () => {
    const result = split('H,1\nD,1\n"T",x\nX,1\nH,"a"b\n', { ...csv, discriminator: 0 }, typed({ column: 0, header: null }));
    expect(result.records).toBe(3);
    expect(result.spans.map((span) => span.start)).toEqual([0, 8]);
  });

  it('fixed-width header and trailer records have no number', () => {
    const format: FormatPlan = {
      type: 'fixed-width',
      discriminator: { start: 0, length: 2 },
      recordLength: null,
      shortLines: 'reject',
      skipBlankLines: true,
    };
    const result = split('H 1\nD 2\nD 3\nT 2\n', format, typed({ start: 2, length: 1 }));
    expect([result.records, result.spans.length]).toEqual([2, 2]);
  });

  it('json-lines header and trailer records have no number, even when the tag is escaped', () => {
    const format: FormatPlan = { type: 'json-lines', discriminator: 't', unknownKeys: 'ignore', skipBlankLines: true };
    const result = split('{"t":"\\u0048"}\n{"t":"D"}\n{"t":"T"\n{"a":"T","t":"D"}\n{"t":"T"}\n', format, typed({ path: ['x'] }));
    expect([result.records, result.spans.length]).toEqual([3, 2]);
  });

  it('json-lines records that begin with their tag have a number, whatever follows it', () => {
    const format: FormatPlan = { type: 'json-lines', discriminator: 't', unknownKeys: 'ignore', skipBlankLines: true };
    const lines = ['{"t":"D","x":"H"}', '{"t":"D","t":"H"}', '{"t":"D"', '{"t":"DH"}', '{"t":"D\\u0048"}', '{"t":"H","x":"D"}'];
    const result = split(lines.join('\n'), format, typed({ path: ['x'] }));
    expect([result.records, result.spans.length]).toEqual([5, 1]);
  });
});

describe('the start and the lines of a file in another encoding', () => {
  const marks = ['efbbbf', 'fffe', 'feff', '0000feff'].map((hex) => Buffer.from(`${hex}610a620a`, 'hex'));

  it.each(['iso-8859-1', 'iso-8859-15', 'windows-1252'] as const)('of %s with a mark of Unicode is damage', (encoding) => {
    for (const bytes of marks) expect(codes(split(bytes, { ...csv, encoding }))).toEqual(['E_FILE_ENCODING']);
    expect(codes(split(Buffer.from('ef61bb0a', 'hex'), { ...csv, encoding }))).toEqual([]);
  });

  it('of EBCDIC, or without line ends, is never a mark', () => {
    const blocks = {
      type: 'fixed-width',
      lineEnds: false,
      discriminator: null,
      recordLength: 2,
      shortLines: 'reject',
      skipBlankLines: true,
    } as const;
    for (const bytes of marks) {
      expect(codes(split(bytes, { ...csv, encoding: 'ibm500' }))).toEqual([]);
      expect(ranges(split(bytes, blocks, oneColumn, { chunkBytes: 1_000 }))).toEqual([[0, bytes.length, 1]]);
    }
  });

  it('of EBCDIC ends at NL and at LF, with a CR before it or not', () => {
    const bytes = Buffer.from('c1150d15c225c30d15c4', 'hex');
    expect(ranges(split(bytes, { ...csv, encoding: 'ibm1047', skipBlankLines: false }))).toEqual([
      [0, 2, 1],
      [2, 4, 2],
      [4, 6, 3],
      [6, 9, 4],
      [9, 10, 5],
    ]);
  });

  it('names columns in its own encoding', () => {
    const records = [recordPlan([fieldPlan('a', 'string', { column: 0, header: 'Straße' })])];
    const format = { ...csv, header: true, columns: 'exact' as const };
    expect(codes(split(Buffer.from('Straße\nx\n', 'latin1'), { ...format, encoding: 'iso-8859-1' }, records))).toEqual([]);
    expect(codes(split(Buffer.from('Straße\nx\n', 'latin1'), format, records))).toEqual(['E_HEADER_ROW']);
    expect(codes(split(Buffer.from('a\nx\n', 'latin1'), { ...format, encoding: 'windows-1252' }, records))).toEqual(['E_HEADER_ROW']);
  });

  it('without line ends has records of one length, and a last one of what is left', () => {
    const blocks = {
      type: 'fixed-width',
      lineEnds: false,
      discriminator: null,
      recordLength: 3,
      shortLines: 'reject',
      skipBlankLines: true,
    } as const;
    const result = split('abc\n\n\nab', blocks);
    expect([result.records, ranges(result)]).toEqual([
      3,
      [
        [0, 3, 1],
        [3, 6, 2],
        [6, 8, 3],
      ],
    ]);
    expect(codes(split('abcdef', blocks, oneColumn, { maxRecordBytes: 2 }))).toEqual(['E_RECORD_TOO_LONG']);
  });
});

const pieces = ['a', ',', '"', '""', '\n', '\r\n', '\r', '\\', '#', 'é', 'H', 'T', '\0', '{"t":"T"}', ' '];
const randomText = fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join(''));
const randomForm: fc.Arbitrary<FormatPlan> = fc.oneof(
  fc.record({
    type: fc.constant('delimited' as const),
    delimiter: fc.constantFrom(0x2c, 0x3b),
    quote: fc.constantFrom(0x22, null),
    escape: fc.constantFrom(0x22, 0x5c),
    comment: fc.constantFrom(0x23, null),
    header: fc.boolean(),
    columns: fc.constant('lenient' as const),
    skipBlankLines: fc.boolean(),
    discriminator: fc.constantFrom(0, 1),
  }),
  fc.record({
    type: fc.constant('fixed-width' as const),
    discriminator: fc.constant({ start: 0, length: 1 }),
    recordLength: fc.constant(null),
    shortLines: fc.constant('pad' as const),
    skipBlankLines: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('fixed-width' as const),
    positions: fc.constant('characters' as const),
    discriminator: fc.constantFrom({ start: 0, length: 1 }, { start: 1, length: 2 }),
    recordLength: fc.constant(null),
    shortLines: fc.constant('pad' as const),
    skipBlankLines: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('fixed-width' as const),
    lineEnds: fc.constant(false as const),
    discriminator: fc.constant({ start: 0, length: 1 }),
    recordLength: fc.constantFrom(1, 3, 7),
    shortLines: fc.constant('reject' as const),
    skipBlankLines: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('json-lines' as const),
    discriminator: fc.constant('t'),
    unknownKeys: fc.constant('ignore' as const),
    skipBlankLines: fc.boolean(),
  }),
);

const randomFormat: fc.Arbitrary<FormatPlan> = fc
  .tuple(randomForm, randomEncoding)
  .map(([format, encoding]) =>
    format.type === 'json-lines' || ('positions' in format && format.positions) ? format : { ...format, ...encoding },
  );

function tagged(format: FormatPlan): Plan {
  const at =
    format.type === 'delimited' ? { column: 0, header: null } : format.type === 'fixed-width' ? { start: 0, length: 1 } : { path: ['t'] };
  const fields = [fieldPlan('t', 'string', at, { required: false })];
  return planOf({
    format,
    records: [
      recordPlan(fields, { name: 'd', tag: 'a' }),
      recordPlan(fields, { name: 'h', role: 'header', tag: 'H' }),
      recordPlan(fields, { name: 't', role: 'trailer', tag: 'T' }),
    ],
  });
}

describe('laws of every splitter', () => {
  it('however the bytes are cut into pieces, the result is the same', () => {
    fc.assert(
      fc.property(randomText, randomFormat, fc.constantFrom(5, 1_000), (text, format, maxRecordBytes) => {
        const { records } = tagged(format);
        const bytes = encodeText(format, text);
        const whole = split(bytes, format, records, { maxRecordBytes });
        for (let pieceBytes = 1; pieceBytes <= 7; pieceBytes++)
          expect(split(bytes, format, records, { maxRecordBytes, pieceBytes })).toEqual(whole);
      }),
      { numRuns: 400 },
    );
  });

  it.each(['delimited', 'json-lines', 'fixed-width'] as const)('a chunk of %s ends with so many records at the latest', (type) => {
    const format = (type === 'delimited' ? csv : { type, skipBlankLines: true, discriminator: null }) as FormatPlan;
    const text = 'a\nbbbbb\n\nc\n"d\n"\n'.repeat(40_000);
    const options = { chunkBytes: 1_000_000, chunkRecordsMax: 50_000, runsFrom: 0 };
    const whole = split(text, format, oneColumn, options);
    const firsts = whole.chunks.map(({ firstRecord }) => firstRecord);
    expect(firsts).toEqual(Array.from({ length: Math.ceil(whole.records / 50_000) }, (_, index) => 1 + index * 50_000));
    for (const pieceBytes of [70_001, 4_096]) expect(split(text, format, oneColumn, { ...options, pieceBytes })).toEqual(whole);
  });

  it('a cut at any byte position gives the same result', () => {
    const text = Buffer.from('\ufeffa,b\r\n"x\r\ny","q""q"\r\n\r\nü,"",\n1,2,3\n"open\n');
    const whole = split(text);
    for (let cut = 0; cut <= text.length; cut++) {
      const splitter = delimitedFormat.createSplitter(csv, oneColumn, { chunkBytes: 1 });
      splitter.push(text.subarray(0, cut));
      splitter.push(text.subarray(cut));
      expect(splitter.end()).toEqual(whole);
    }
  });

  it('chunks hold the records of the reference parser, under its numbers', () => {
    fc.assert(
      fc.property(
        randomText,
        randomFormat,
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom(5, 1_000),
        (text, format, chunkBytes, maxRecordBytes) => {
          const plan = tagged(format);
          const bytes = encodeText(format, text);
          const result = split(bytes, format, plan.records, { chunkBytes, maxRecordBytes });
          const run = new ReferenceRun(plan, { maxRecordBytes });
          const offsets = [...run.records([bytes])].map((record) => record.offset);
          expect(result.records).toBe(offsets.length);
          for (const chunk of result.chunks) {
            expect(chunk.firstRecord).toBe(offsets.filter((offset) => offset < chunk.start).length + 1);
            expect(chunk.end > chunk.start || result.chunks.length === 1).toBe(true);
          }
          for (const [index, chunk] of result.chunks.entries()) if (index > 0) expect(chunk.start).toBe(result.chunks[index - 1]!.end);
          const found = run.totals().damage.filter((damage) => damage.code !== 'E_ENVELOPE');
          expect(result.damage.map(({ code, offset, record }) => [code, offset, record])).toEqual(
            found.map(({ code, offset, record }) => [code, offset, record]),
          );
        },
      ),
      {
        numRuns: 10_000,
        examples: [
          // Open quotes whose last byte is a carriage return, exactly as long as allowed without it.
          ['"a\r\na\r', { ...csv, discriminator: 0 }, 1, 5],
          // A carriage return that is no part of the line end behind the header row's last quote.
          ['""\r\r\n', { ...csv, header: true, discriminator: 0 }, 1, 5],
        ],
      },
    );
  });
});
