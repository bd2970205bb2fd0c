import { describe, expect, it } from 'vitest';
import type { FieldPlan, FieldType, Plan } from '../../src/pipeline/engine/plan.ts';
import { delimitedFormat, fieldPlan, planOf, recordPlan, targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { ReferenceRun } from '../../src/pipeline/engine/reference/reference-run.ts';
import { runInMemory } from '../../src/pipeline/engine/runs.fixture.ts';

const column = (index: number) => ({ column: index, header: null });

function planFor(type: FieldType, more: Partial<FieldPlan>): Plan {
  const fields = [fieldPlan('id', 'string', column(0)), fieldPlan('value', type, column(1), more)];
  return planOf({ format: delimitedFormat, records: [recordPlan(fields)], targets: [targetPlan('out')] });
}

/** What becomes of one cell, by each of the three readers of records: its value in the output, or the code of its finding. */
function outcomes(plan: Plan, cell: Buffer): unknown[] {
  const bytes = Buffer.concat([Buffer.from('r1,'), cell, Buffer.from('\n')]);
  const outputOf = (output: Uint8Array | undefined) => JSON.parse(Buffer.from(output ?? []).toString('utf8')).value as unknown;
  const ofEngine = (['fast', 'slow'] as const).map((path) => {
    const { targets, findings } = runInMemory({ plan, bytes }, { path });
    return findings.length > 0 ? findings.map(({ code }) => code).join() : outputOf(targets[0]);
  });
  const [record] = [...new ReferenceRun(plan).records([bytes])];
  const { findings, outputs } = record!;
  return [...ofEngine, findings.length > 0 ? findings.map(({ code }) => code).join() : outputOf(outputs.get(0) ?? undefined)];
}

const quoted = (text: string) => Buffer.from(`"${text.replaceAll('"', '""')}"`);

function expectEach(type: FieldType, more: Partial<FieldPlan>, texts: Readonly<Record<string, string | null>>): void {
  const plan = planFor(type, more);
  for (const [text, expected] of Object.entries(texts)) {
    expect([text, outcomes(plan, quoted(text))]).toEqual([text, [expected, expected, expected]]);
  }
}

const each = (texts: readonly string[], code: string) => Object.fromEntries(texts.map((text) => [text, code]));

describe('numbers (B10)', () => {
  it('in the forms of other countries, of accountants, programmers and other scripts are refused by every reader', () => {
    const forms = ['1,234.50', '1.234,50', "1'234.50", '1 234.50', '(5.00)', '5.00-', '5.00CR', '$5.00', '5.00 ZAR', '1_000'];
    const programmers = ['0x10', '0b1', '0o7', '1e3', '1E3', 'NaN', 'Infinity', '-Infinity', 'null', '--5', '+5', '1.', '.5', '1.2.3', '-'];
    const scripts = ['\u0663', '\uff15', '\u0967', '\u22125', '5\u00a0', '\u200b5', '\ufeff5', '5\u202e'];
    expectEach('decimal', { scale: 2 }, each([...forms, ...programmers, ...scripts], 'E_DECIMAL'));
    expectEach('int', {}, each([...forms, ...programmers, ...scripts, '1.0', '5.00'], 'E_INT'));
  });

  it('with more decimals than the flow says are refused, whatever the currency, and with fewer are exact', () => {
    expectEach('decimal', { scale: 0 }, { '100': '100', '100.0': 'E_DECIMAL', '100.50': 'E_DECIMAL' });
    expectEach('decimal', { scale: 3 }, { '1.234': '1.234', '1.2': '1.200', '1.2340': 'E_DECIMAL', '1.2345': 'E_DECIMAL' });
    expectEach('decimal', { scale: 2 }, { '1.234': 'E_DECIMAL', '1.230': 'E_DECIMAL' });
  });

  it('with signs and zeros have one value each, and empty ones none', () => {
    expectEach('decimal', { scale: 2 }, { '-0': '0.00', '-0.00': '0.00', '000': '0.00', '-007.5': '-7.50' });
    expectEach('decimal', { scale: 2, required: true }, { '': 'E_REQUIRED', '   ': 'E_DECIMAL' });
    expectEach('int', { required: true }, { '': 'E_REQUIRED' });
  });
});

describe('dates and times (B11)', () => {
  it('that no calendar has are refused by every reader', () => {
    const dates = [
      '2026-02-30',
      '2026-02-29',
      '1900-02-29',
      '2100-02-29',
      '2026-04-31',
      '2026-00-10',
      '2026-13-01',
      '2026-01-00',
      '2026-01-32',
    ];
    const forms = [
      '0000-01-01',
      '10000-01-01',
      '-0001-01-01',
      '26-01-01',
      '2026-1-1',
      '2026/01/01',
      '20260101',
      '2026-01-01T00:00:00',
      '2026-W01-1',
      '2026-001',
    ];
    const others = ['01-02-2026', '\u0662026-01-01', '2026\u201301\u201301', '2026-01-01 ', ' 2026-01-01', 'today'];
    expectEach('date', {}, each([...dates, ...forms, ...others], 'E_DATE'));
    expectEach(
      'date',
      {},
      { '2024-02-29': '2024-02-29', '2000-02-29': '2000-02-29', '0001-01-01': '0001-01-01', '9999-12-31': '9999-12-31' },
    );
  });

  it('at midnight and in leap seconds are what ISO 8601 writes for them, or refused', () => {
    expectEach(
      'time',
      {},
      each(['24:00:00', '23:59:60', '23:60:00', '12:00', '1:00:00', '12:00:00.1', '12:00:00Z', '12:00:00.0000'], 'E_TIME'),
    );
    expectEach('time', {}, { '00:00:00': '00:00:00', '23:59:59.999': '23:59:59.999' });
    const datetimes = ['2016-12-31T23:59:60Z', '2026-01-01T24:00:00Z', '2026-01-01T24:00:00', '2026-02-30T10:00:00Z', '2026-01-01T10:00Z'];
    expectEach(
      'datetime',
      {},
      each([...datetimes, '2026-01-01t10:00:00z', '2026-01-01 10:00:00Z', '1767261600', '2026-01-01'], 'E_DATETIME'),
    );
  });

  it('with an offset are moved to UTC, over days, months and years, and only by offsets that exist', () => {
    expectEach(
      'datetime',
      {},
      {
        '2026-01-01T00:30:00+14:00': '2025-12-31T10:30:00Z',
        '2024-02-28T23:30:00-01:00': '2024-02-29T00:30:00Z',
        '2023-02-28T23:30:00-01:00': '2023-03-01T00:30:00Z',
        '2026-06-30T12:00:00-00:00': '2026-06-30T12:00:00Z',
        '2026-01-01T00:00:00+05:45': '2025-12-31T18:15:00Z',
      },
    );
    const offsets = [
      '+14:01',
      '-14:01',
      '+24:00',
      '+5:30',
      '+0530',
      '+05',
      '+05:60',
      ' +05:30',
      '+05:30:00',
      'UTC',
      'Europe/Berlin',
      '[UTC]',
      'ZZ',
    ];
    expectEach(
      'datetime',
      {},
      each(
        offsets.map((offset) => `2026-01-01T10:00:00${offset}`),
        'E_DATETIME',
      ),
    );
    expectEach('datetime', {}, each(['0001-01-01T00:00:00+00:01', '9999-12-31T23:59:00-00:01'], 'E_DATETIME'));
  });

  it('in the hour that daylight saving leaves out stay as written: nothing here knows of it', () => {
    expectEach('datetime', {}, { '2026-03-29T02:30:00': '2026-03-29T02:30:00', '2026-10-25T02:30:00': '2026-10-25T02:30:00' });
  });
});

describe('text that is not UTF-8 (B8)', () => {
  const plan = planFor('string', {});
  it.each([
    ['overlong, of two bytes', [0xc0, 0xaf]],
    ['overlong, of two bytes, for a letter', [0xc1, 0x81]],
    ['overlong, of three bytes', [0xe0, 0x80, 0xaf]],
    ['overlong, of four bytes', [0xf0, 0x80, 0x80, 0xaf]],
    ['overlong for NUL', [0xc0, 0x80]],
    ['the first half of a pair', [0xed, 0xa0, 0x80]],
    ['the second half of a pair', [0xed, 0xbf, 0xbf]],
    ['both halves of a pair', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
    ['beyond the last character', [0xf4, 0x90, 0x80, 0x80]],
    ['of five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80]],
    ['a continuation without a beginning', [0x80]],
    ['cut before its end', [0xe2, 0x82]],
    ['cut by another beginning', [0xe2, 0x82, 0xc3, 0xa9]],
    ['Latin-1', [0x4d, 0xfc, 0x6c, 0x6c, 0x65, 0x72]],
    ['EBCDIC', [0xc8, 0x85, 0x93, 0x93, 0x96]],
    ['UTF-16', [0x4d, 0x00, 0xfc, 0x00]],
    ['never a byte of it', [0xfe]],
  ])('is refused where it is %s, by every reader, quoted or not, and never replaced', (_what, bad) => {
    const bytes = Buffer.from(bad);
    const code = ['E_ENCODING', 'E_ENCODING', 'E_ENCODING'];
    for (const cell of [
      bytes,
      Buffer.concat([Buffer.from('"'), bytes, Buffer.from('"')]),
      Buffer.concat([Buffer.from('aé'), bytes, Buffer.from('z')]),
    ])
      expect(outcomes(plan, cell)).toEqual(code);
  });

  it('is text where it is, up to the last character, and U+FFFD only where it was sent', () => {
    for (const text of ['\u{10ffff}', '\u0800', '\u07ff', '\uffff', '\ufffd', '\u{1f600}', 'e\u0301', '\u00e9'])
      expect(outcomes(plan, Buffer.from(text))).toEqual([text, text, text]);
  });
});
