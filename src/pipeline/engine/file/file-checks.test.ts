import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFlow } from '../compile-flow.ts';
import type { Expression } from '../expressions/expression.ts';
import type { AcceptancePlan, Plan } from '../plan.ts';
import { call, delimitedFormat, fieldPlan, planOf, recordPlan, targetPlan } from '../plans.fixture.ts';
import { memorySource } from '../runs.fixture.ts';
import { type CheckedLines, checkLines } from './checked-lines.fixture.ts';
import { repeatsMax, tooManyRepeats } from './duplicates.ts';
import { checkFile } from './file-checks.ts';
import { foldSummaries } from './fold-summaries.ts';

const column = (index: number) => ({ column: index, header: null });
const at = (index: number) => ({ at: column(index) });
const detail = recordPlan(
  [
    fieldPlan('tag', 'string', column(0)),
    fieldPlan('id', 'string', column(1), { unique: 'file' }),
    fieldPlan('amount', 'decimal', column(2), { sum: true, currencyField: 3 }),
    fieldPlan('currency', 'currency', column(3)),
  ],
  { name: 'detail', tag: 'D', key: [1] },
);
const trailer = recordPlan(
  [fieldPlan('tag', 'string', at(0).at), fieldPlan('count', 'int', at(1).at), fieldPlan('total', 'decimal', at(2).at)],
  {
    name: 'trailer',
    role: 'trailer',
    tag: 'T',
    counted: false,
  },
);

function statistic(name: 'records' | 'sum', field: string | null = null): Expression {
  return { kind: 'statistic', type: name === 'sum' ? 'decimal' : 'int', name, field, key: null };
}
const trailerField = (index: number, type: 'int' | 'decimal'): Expression => {
  return { kind: 'field', type, scope: 'trailer', index, name: trailer.fields[index]!.name };
};

function controlPlan(acceptance: Partial<AcceptancePlan> = {}, hasTrailer = true): Plan {
  const plan = planOf({
    format: { ...delimitedFormat, discriminator: 0 },
    records: hasTrailer ? [detail, trailer] : [detail],
    targets: [targetPlan('a'), targetPlan('b')],
    routes: { mode: 'first', rules: [], default: [0, 1] },
  });
  const assert = call(
    'bool',
    'and',
    call('bool', 'equal', trailerField(1, 'int'), statistic('records')),
    call('bool', 'equal', trailerField(2, 'decimal'), statistic('sum', 'amount')),
  );
  return {
    ...plan,
    acceptance: { ...plan.acceptance, ...acceptance },
    rules: hasTrailer
      ? [{ id: 'control', scope: 'file', severity: 'error', onFail: 'reject-file', code: 'CTL01', message: 'totals differ', assert }]
      : [],
  };
}

const reasons = ({ check }: CheckedLines) => check.reasons.map(({ code, verdict }) => [code, verdict]);
const good = ['D,a,1.50,EUR', 'D,b,2.25,ZAR'];

describe('the check of a file', () => {
  it('accepts a file whose trailer agrees with what was read', () => {
    const { check } = checkLines(controlPlan(), [...good, 'T,2,3.75']);
    expect([check.verdict, check.controlTotals.balanced, check.records.valid]).toEqual(['accepted', true, 2]);
    expect(check.controlTotals).toMatchObject({
      declared: { count: '2', total: '3.75' },
      computed: { records: '2', 'sum.amount': '3.75' },
    });
  });

  it('rejects a file whose control totals differ by one cent', () => {
    expect(reasons(checkLines(controlPlan(), [...good, 'T,2,3.76']))).toEqual([['CTL01', 'rejected']]);
  });

  it('counts rejected records into control totals', () => {
    const checked = checkLines(controlPlan(), [...good, 'D,,1.00,EUR', 'T,3,4.75']);
    expect([checked.check.verdict, checked.check.records.rejected]).toEqual(['partial', 1]);
  });

  it('counts an amount that is longer than it may be into control totals and limits', () => {
    const plan = controlPlan({ maxInvalidAmount: { EUR: '100.00' } });
    const fields = detail.fields.map((field) => (field.sum ? { ...field, maxLength: 8 } : field));
    const limited = { ...plan, records: plan.records.map((record) => (record.name === 'detail' ? { ...record, fields } : record)) };
    const checked = checkLines(limited, ['D,a,10.00,EUR', 'D,b,100000.00,EUR', 'T,2,100010.00']);
    expect(checked.check.controlTotals).toMatchObject({ computed: { 'sum.amount': '100010.00' }, balanced: true });
    expect(reasons(checked)).toEqual([['E_ACCEPTANCE', 'held']]);
  });

  it('holds a file without its trailer, and says that the rule could not be computed', () => {
    expect(reasons(checkLines(controlPlan(), good))).toEqual([
      ['E_TRUNCATED', 'held'],
      ['E_CONTROL', 'rejected'],
    ]);
  });

  it('says what control totals declare and what was computed, exact, and which value is absent', () => {
    const messages = (lines: readonly string[]) => checkLines(controlPlan(), lines).check.reasons.map(({ message }) => message);
    expect(messages([...good, 'T,3,3.74'])).toEqual([
      'totals differ: declared trailer.count 3, trailer.total 3.74; computed stats.records 2, stats.sum.amount 3.75 (1.50 EUR, 2.25 ZAR)',
    ]);
    expect(messages([good[0]!, 'T,1,1.5'])).toEqual([]);
    expect(messages([good[0]!, 'T,1,9'])[0]).toMatch(
      /declared trailer.count 1, trailer.total 9(\.00)?; computed .*stats.sum.amount 1.50 EUR$/,
    );
    expect(messages(good)[1]).toBe(
      'a value is absent: declared trailer.count absent, trailer.total absent; computed stats.records 2, stats.sum.amount 3.75 (1.50 EUR, 2.25 ZAR)',
    );
    expect(messages([...good, 'T,2,']).at(-1)).toContain('declared trailer.count 2, trailer.total absent;');
  });

  it('never says a text that header or trailer hold', () => {
    const isSender = call(
      'bool',
      'equal',
      { kind: 'field', type: 'string', scope: 'trailer', index: 0, name: 'tag' },
      {
        kind: 'literal',
        type: 'string',
        value: 'X',
      },
    );
    const plan = controlPlan();
    const { check } = checkLines({ ...plan, rules: [{ ...plan.rules[0]!, assert: isSender }] }, [...good, 'T,2,3.75']);
    expect(check.reasons.map(({ message }) => message)).toEqual(['totals differ']);
    for (const hidden of [{ mask: 'last4' }, { class: 'account' }] as const) {
      const fields = trailer.fields.map((field, index) => (index === 1 ? { ...field, ...hidden } : field));
      const masked = { ...plan, records: plan.records.map((record) => (record.role === 'trailer' ? { ...record, fields } : record)) };
      const [reason] = checkLines(masked, [...good, 'T,7,3.75']).check.reasons;
      expect(reason!.message).toMatch(/^totals differ: declared trailer.total 3.75; computed/);
    }
  });

  it('holds a file whose trailer is unreadable or stands before records', () => {
    expect(reasons(checkLines(controlPlan(), [...good, 'T,x,3.75']))).toContainEqual(['E_INT', 'held']);
    expect(reasons(checkLines(controlPlan(), ['T,2,3.75', ...good]))).toContainEqual(['E_ENVELOPE', 'held']);
    expect(reasons(checkLines(controlPlan(), ['T,2,3.75', ...good], 1))).toContainEqual(['E_ENVELOPE', 'held']);
  });

  it('rejects an empty file unless the flow accepts it', () => {
    expect(reasons(checkLines(controlPlan({}, false), []))).toEqual([['E_EMPTY', 'rejected']]);
    expect(checkLines(controlPlan({ emptyFile: 'accept' }, false), []).check.verdict).toBe('accepted');
  });

  it('holds a file with more invalid records, ratio or money than its flow accepts', () => {
    const lines = [...good, 'D,c,100.00,EURO'];
    const amount = (limit: string) => checkLines(controlPlan({ maxInvalidAmount: { XXX: limit } }, false), lines).check.verdict;
    expect(checkLines(controlPlan({ maxInvalid: 0 }, false), lines).check.verdict).toBe('held');
    expect(checkLines(controlPlan({ maxInvalid: 1 }, false), lines).check.verdict).toBe('partial');
    expect(checkLines(controlPlan({ maxInvalidRatio: 0.3 }, false), lines).check.verdict).toBe('held');
    expect(checkLines(controlPlan({ maxInvalidRatio: 0.34 }, false), lines).check.verdict).toBe('partial');
    expect([amount('99.99'), amount('100')]).toEqual(['held', 'partial']);
    expect(checkLines(controlPlan({ mode: 'all-or-nothing', onExceed: 'reject' }, false), lines).check.verdict).toBe('rejected');
  });

  it('limits rejected money without its signs, wherever chunks are cut: a credit does not make up for a debit', () => {
    const cases: [readonly string[], limit: string, verdict: string][] = [
      [['D,,-5000.00,EUR'], '4999.99', 'held'],
      [['D,,-5000.00,EUR'], '5000.00', 'partial'],
      [['D,,1000000.00,EUR', 'D,,-999950.00,EUR'], '1999949.99', 'held'],
      [['D,,1000000.00,EUR', 'D,,-999950.00,EUR'], '1999950.00', 'partial'],
      // Left out for its key, which the first of them has; the other currency and what is unreadable don't count.
      [['D,a,-60.00,EUR', 'D,a,50.00,EUR', 'D,,-900.00,ZAR', 'D,,x,EUR'], '109.99', 'held'],
      [['D,a,-60.00,EUR', 'D,a,50.00,EUR', 'D,,-900.00,ZAR', 'D,,x,EUR'], '110.00', 'partial'],
    ];
    for (const [lines, limit, verdict] of cases) {
      for (const linesPerChunk of [1, 2, 10]) {
        const plan = controlPlan({ maxInvalidAmount: { EUR: limit } }, false);
        const { check } = checkLines(plan, [...good, ...lines], linesPerChunk);
        expect([lines, limit, check.verdict]).toEqual([lines, limit, verdict]);
        expect(check.reasons.map(({ message }) => message)).toEqual(
          verdict === 'held' ? [`the invalid EUR of field "amount" are more than ${limit}`] : [],
        );
      }
    }
  });

  it('limits rejected money by the sums of chunks that were run before they had it without signs', () => {
    const plan = controlPlan({ maxInvalidAmount: { EUR: '100.00' } }, false);
    const [old, rest] = checkLines(plan, ['D,,-70.00,EUR', 'D,,-31.00,EUR', 'D,,1.00,EUR', 'D,,-1.00,EUR'], 2).runs;
    const { rejectedMagnitudes, ...kept } = old!.summary;
    expect(rejectedMagnitudes).toEqual({ amount: { scale: 2, unreadable: 0, byCurrency: { EUR: '10100' } } });
    for (const summaries of [
      [kept, rest!.summary],
      [rest!.summary, kept],
    ])
      expect(foldSummaries(summaries).rejectedMagnitudes!['amount']!.byCurrency).toEqual({ EUR: '10300' });
    expect(foldSummaries([kept, kept])).not.toHaveProperty('rejectedMagnitudes');
    const check = (summary: typeof kept) =>
      checkFile(compileFlow(plan), { summary, chunks: [], source: memorySource(Buffer.alloc(0)), onExclusion() {} });
    expect(check(kept).check.reasons.map(({ code }) => code)).toEqual(['E_ACCEPTANCE']);
  });

  it('excludes the later of two equal keys, with its money, wherever chunks are cut', () => {
    const lines = ['D,a,1.00,EUR', 'D,b,2.00,EUR', 'D,a,4.00,EUR', 'D,"b",8.00,ZAR', 'D,c,16.00,EUR'];
    for (const linesPerChunk of [1, 2, 5]) {
      const { check, exclusions } = checkLines(controlPlan({}, false), lines, linesPerChunk);
      expect(exclusions.map(({ record, offset, code, field, targets }) => [record, offset, code, field, targets])).toEqual([
        [3, 26, 'E_DUPLICATE_KEY', 'id', [0, 1]],
        [4, 39, 'E_DUPLICATE_KEY', 'id', [0, 1]],
      ]);
      expect([check.verdict, check.records, check.excluded]).toEqual(['partial', { read: 5, valid: 3, rejected: 2, filtered: 0 }, 2]);
      expect(check.amounts.valid['amount']!.byCurrency).toEqual({ EUR: '1900', ZAR: '0' });
      expect(check.amounts.rejected['amount']!.byCurrency).toEqual({ EUR: '400', ZAR: '800' });
      expect(check.targets[1]).toMatchObject({ records: 3, excluded: 2 });
    }
  });

  it('does not count a rejected record as the first of two', () => {
    const { exclusions } = checkLines(controlPlan({}, false), ['D,a,x,EUR', 'D,a,1.00,EUR']);
    expect(exclusions).toEqual([]);
  });

  it('finds exactly the repetitions of a naive search, in record order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 9 }),
        (keys, linesPerChunk) => {
          const { exclusions } = checkLines(
            controlPlan({}, false),
            keys.map((key) => `D,k${key},1.00,EUR`),
            linesPerChunk,
          );
          const repeated = keys.flatMap((key, index) => (keys.indexOf(key) < index ? [index + 1] : []));
          expect(exclusions.map(({ record }) => record)).toEqual(repeated);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('folding', () => {
  it('is associative and equals one chunk over the whole file', () => {
    const line = fc.constantFrom(...good, 'D,c,9.99,EURO', 'D,,1.00,EUR', 'x', 'T,1,1.00', 'D,d,90071992547409.93,EUR', 'D,,-3.00,EUR');
    fc.assert(
      fc.property(fc.array(line, { minLength: 3, maxLength: 20 }), (lines) => {
        const plan = controlPlan({ maxInvalidAmount: { EUR: '1.00' } });
        const summaries = checkLines(plan, lines, 1).runs.map((run) => run.summary);
        const left = foldSummaries([foldSummaries(summaries.slice(0, 2)), ...summaries.slice(2)]);
        const right = foldSummaries([summaries[0]!, foldSummaries(summaries.slice(1))]);
        const whole = checkLines(plan, lines).runs[0]!.summary;
        // A whole chunk names the record that is out of place, folding names the header or trailer.
        const comparable = ({ damage, targets, ...summary }: typeof whole) => ({
          ...summary,
          damaged: damage.length > 0,
          targets: targets.map(({ stripes: _, ...target }) => target),
        });
        expect(left).toEqual(right);
        expect(comparable(left)).toEqual(comparable(whole));
      }),
      { numRuns: 80 },
    );
  });
});

describe('records of a type that does not count', () => {
  const batch = recordPlan([fieldPlan('tag', 'string', column(0)), fieldPlan('origin', 'string', column(1), { required: true })], {
    name: 'batch',
    tag: 'B',
    counted: false,
  });
  function batchedPlan(acceptance: Partial<AcceptancePlan> = {}): Plan {
    const plan = controlPlan(acceptance);
    return { ...plan, records: [detail, batch, trailer] };
  }

  it('are checked and left out: no target gets one, and the trailer counts none', () => {
    const { check, runs } = checkLines(batchedPlan(), ['B,ours', ...good, 'B,theirs', 'T,2,3.75']);
    expect([check.verdict, check.controlTotals.balanced, check.records]).toEqual([
      'accepted',
      true,
      { read: 4, valid: 2, rejected: 0, filtered: 2 },
    ]);
    expect(check.targets.map(({ records }) => records)).toEqual([2, 2]);
    expect(runs[0]!.summary.targets.map(({ records }) => records)).toEqual([2, 2]);
  });

  it('do not make a file of records, nor the ratio of its invalid ones smaller', () => {
    expect(reasons(checkLines(batchedPlan(), ['B,ours', 'B,theirs', 'T,0,0']))).toContainEqual(['E_EMPTY', 'rejected']);
    const partial = batchedPlan({ mode: 'partial', maxInvalidRatio: 0.4 });
    const lines = ['B,ours', 'B,theirs', 'D,a,1.50,EUR', 'D,b,x,EUR', 'T,2,1.50'];
    expect(reasons(checkLines(partial, lines))).toContainEqual(['E_ACCEPTANCE', 'held']);
    const damaged = checkLines(batchedPlan({ mode: 'all-or-nothing' }), ['B,', ...good, 'T,2,3.75']);
    expect([damaged.check.records.rejected, reasons(damaged)]).toEqual([1, [['E_ACCEPTANCE', 'held']]]);
  });
});

describe('values that are to be unique', () => {
  it('and repeat earlier ones too often have the file rejected, without a list of them', () => {
    const lines = [...Array.from({ length: repeatsMax + 2 }, () => 'D,a,1.00,EUR')];
    const { check, exclusions } = checkLines(controlPlan({ mode: 'partial' }, false), lines, 30_000);
    expect([check.verdict, check.reasons, exclusions.length, check.records.valid]).toEqual(['rejected', [tooManyRepeats], 0, lines.length]);
  });

  it('may repeat as often in records that are rejected for something else', () => {
    const lines = ['D,a,1.00,EUR', 'D,a,1.00,EUR', ...Array.from({ length: repeatsMax * 2 }, () => 'D,a,x,EUR')];
    const { check, exclusions } = checkLines(controlPlan({ mode: 'partial' }, false), lines, 100_000);
    expect([check.verdict, exclusions.map(({ record }) => record)]).toEqual(['partial', [2]]);
  });
});
