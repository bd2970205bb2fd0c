import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FormatPlan, Plan } from '../plan.ts';
import { delimitedFormat, fieldPlan, planOf, recordPlan } from '../plans.fixture.ts';
import { createRecordReader } from '../records/record-reader.ts';
import { createRecordText } from '../records/record-text.ts';
import { compileRepair } from './compile-repair.ts';

const jsonLines: FormatPlan = { type: 'json-lines', discriminator: null, unknownKeys: 'ignore', skipBlankLines: true };
const fixedWidth: FormatPlan = { type: 'fixed-width', discriminator: null, recordLength: null, shortLines: 'reject', skipBlankLines: true };

const places = {
  delimited: (column: number) => ({ column, header: null }),
  'fixed-width': (column: number) => ({ start: column * 10, length: 10 }),
  'json-lines': (column: number) => ({ path: column === 1 ? ['in', 'note'] : [`f${column}`] }),
} as const;

function planIn(format: FormatPlan): Plan {
  const at = places[format.type];
  const fields = [
    fieldPlan('id', 'string', at(0)),
    fieldPlan('note', 'string', at(1), { required: false }),
    fieldPlan('amount', 'decimal', at(2)),
  ];
  return planOf({ format, records: [recordPlan(fields)] });
}

const repaired = (format: FormatPlan, content: string, set: Record<string, string>) => {
  const { content: written, problem, changes } = compileRepair(planIn(format), null, set).apply(Buffer.from(content));
  return { text: written?.toString('utf8') ?? null, code: problem?.code ?? null, changes };
};

describe('a repair', () => {
  it.each([
    [delimitedFormat, 'P1, x ,1,50', { note: 'record.note.trim()' }, null],
    [delimitedFormat, 'P1, x ,"1,50"', { amount: "record.amount.replace(',', '.')" }, 'P1, x ,1.50'],
    [delimitedFormat, 'P1,,2', { note: '\'a "quoted", one\'' }, 'P1,"a ""quoted"", one",2'],
    [delimitedFormat, 'P1,"two\nlines",2', { id: "'P2'" }, 'P2,"two\nlines",2'],
    [
      fixedWidth,
      `${'P1'.padEnd(10)}${'old'.padEnd(10)}${'7'.padStart(10)}`,
      { note: "record.id + '-n'" },
      `${'P1'.padEnd(10)}${'P1-n'.padEnd(10)}${'7'.padStart(10)}`,
    ],
    [
      jsonLines,
      '{"f0":"P1","in":{"note":null,"more":[1.50]},"f2":123456789012345678901.10,"z":1}',
      { note: 'record.id' },
      '{"f0":"P1","in":{"note":"P1","more":[1.50]},"f2":123456789012345678901.10,"z":1}',
    ],
    [
      jsonLines,
      '{"f0":"P1","f2":"1,5"}',
      { amount: "record.amount.replace(',', '.')", note: "'n'" },
      '{"f0":"P1","f2":"1.5","in":{"note":"n"}}',
    ],
  ])('of %o leaves every other field as it was', (format, content, set, expected) => {
    const { text, code } = repaired(format as FormatPlan, content, set as Record<string, string>);
    if (expected === null) expect([text, code]).toEqual([null, 'E_REPAIR_RECORD']);
    else expect([text, code]).toEqual([expected, null]);
  });

  it('shows what it changes, and leaves a record alone that is right', () => {
    expect(repaired(delimitedFormat, 'P1,x,2', { note: "coalesce(record.note, '?')" })).toEqual({
      text: 'P1,x,2',
      code: null,
      changes: [],
    });
    expect(repaired(delimitedFormat, 'P1,,2', { note: "coalesce(record.note, '?')" }).changes).toEqual([
      { field: 'note', before: null, after: '?' },
    ]);
  });

  it('all expressions see the record as it was', () => {
    expect(repaired(delimitedFormat, 'P1,x,2', { id: 'record.note', note: 'record.id' }).text).toBe('x,P1,2');
  });

  it.each([
    ['an absent field in an operator', delimitedFormat, 'P1,,2', { id: "record.note + 'x'" }],
    ['a text longer than its place', fixedWidth, `${'P1'.padEnd(10)}${''.padEnd(10)}${'7'.padEnd(10)}`, { note: "'longer than ten'" }],
    ['a line end without quotes', fixedWidth, `${'P1'.padEnd(10)}${''.padEnd(10)}${'7'.padEnd(10)}`, { note: "'a\\nb'" }],
    ['a delimiter in a format without quotes', { ...delimitedFormat, quote: null, escape: null }, 'P1,x,2', { note: "'a,b'" }],
    ['a record that cannot be read', jsonLines, '{"f0":', { note: "'x'" }],
    ['a path through a text', jsonLines, '{"f0":"P1","in":"text","f2":1}', { note: "'x'" }],
  ])('is not made where there is %s', (_what, format, content, set) => {
    expect(repaired(format as FormatPlan, content, set as Record<string, string>)).toMatchObject({ text: null, code: 'E_REPAIR_RECORD' });
  });

  it.each([
    ['a field that is not there', { nope: "'x'" }],
    ['an expression that names none', { note: 'record.nope' }],
    ['one that gives no text', { note: '1 + 1' }],
    ['one of the wrong scope', { note: 'out.id' }],
    ['text that is no expression', { note: 'record.' }],
    ['a statement', { note: 'process.exit(1)' }],
  ])('is refused for %s', (_what, set) => {
    expect(() => compileRepair(planIn(delimitedFormat), null, set as Record<string, string>)).toThrowError(
      expect.objectContaining({ code: 'E_REPAIR' }),
    );
  });

  it('is refused for a field of the key', () => {
    const plan = planIn(delimitedFormat);
    const keyed = { ...plan, records: plan.records.map((record) => ({ ...record, key: [0] })) };
    expect(() => compileRepair(keyed, null, { note: "'x'", id: "'P1'" })).toThrowError(expect.objectContaining({ code: 'E_REPAIR_KEY' }));
    expect(compileRepair(keyed, null, { note: 'record.id' }).apply(Buffer.from('P1,,2')).content?.toString()).toBe('P1,P1,2');
  });

  it('names the fields that each expression looks at', () => {
    const { uses } = compileRepair(planIn(delimitedFormat), null, { note: "record.id == 'x' ? record.amount : 'y'" });
    expect([...uses]).toEqual([['note', ['id', 'amount']]]);
  });
});

/** Any texts: what is written is read back as exactly that, or it is not written. */
describe('of random texts', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab,"\\;\r\n#é{} \t'), maxLength: 8 });
  it.each([
    ['delimited', delimitedFormat],
    ['delimited with an escape', { ...delimitedFormat, escape: 0x5c }],
    ['delimited with comments', { ...delimitedFormat, comment: 0x23 }],
    ['json-lines', jsonLines],
    ['fixed-width', fixedWidth],
  ] as const)('a record of %s holds them exactly, or is refused', (_name, format) => {
    const plan = planIn(format);
    const read = createRecordReader(plan, null);
    const content = {
      delimited: 'P1,x,2',
      'json-lines': '{"f0":"P1","in":{"note":"x"},"f2":2}',
      'fixed-width': `${'P1'.padEnd(10)}${'x'.padEnd(10)}${'2'.padEnd(10)}`,
    };
    fc.assert(
      fc.property(text, text, (id, note) => {
        const set = { id: JSON.stringify(id), note: JSON.stringify(note) };
        const { content: written } = compileRepair(plan, null, set).apply(Buffer.from(content[format.type]));
        if (written === null) return;
        const into = createRecordText();
        expect(read(written, 0, written.length, into)).toBeNull();
        const plain = (value: string) => (format.type === 'fixed-width' ? value.replace(/^ +| +$/g, '') : value);
        expect([into.texts[0], into.texts[1], into.texts[2]].map((value) => plain(value ?? ''))).toEqual([plain(id), plain(note), '2']);
      }),
      { numRuns: 300 },
    );
  });
});
