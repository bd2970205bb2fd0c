import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expression } from '../expressions/expression.ts';
import { FindingGroups } from '../finding-groups.ts';
import type { RulePlan } from '../plan.ts';
import { call, delimitedFormat, fieldPlan, literal, planOf, recordField, recordPlan } from '../plans.fixture.ts';
import { checkLines } from './checked-lines.fixture.ts';

const column = (index: number) => ({ column: index, header: null });
const header = recordPlan([fieldPlan('tag', 'string', column(0)), fieldPlan('limit', 'int', column(1))], {
  name: 'header',
  role: 'header',
  tag: 'H',
  counted: false,
});
const record = recordPlan(
  [fieldPlan('tag', 'string', column(0)), fieldPlan('id', 'string', column(1), { unique: 'file' }), fieldPlan('amount', 'int', column(2))],
  { tag: 'D', key: [1] },
);
const limit: Expression = { kind: 'field', type: 'int', scope: 'header', index: 1, name: 'limit' };
const warning = (id: string, assert: Expression): RulePlan => ({
  ...{ id, assert, scope: 'record', severity: 'warn', onFail: 'hold-file', code: 'AMT01', message: id },
});
const amount = recordField(record, 2);
const rules = [
  warning('small', call('bool', 'less', amount, literal('int', '100'))),
  warning('within-limit', call('bool', 'lessOrEqual', amount, limit)),
];
const plan = planOf({ format: { ...delimitedFormat, discriminator: 0 }, records: [header, record], rules });
const left = (lines: readonly string[], linesPerChunk = lines.length) => checkLines(plan, ['H,700', ...lines], linesPerChunk);
const groupsOf = ({ summary }: ReturnType<typeof left>) =>
  summary.warnings.map(({ rule, count, firstOffset }) => [rule, count, firstOffset]);

describe('the warnings of a file', () => {
  it('are those of its valid records, without the ones that are excluded', () => {
    const checked = left(['D,A,500', 'D,A,500', 'D,B,1']);
    expect([checked.summary.warned, groupsOf(checked)]).toEqual([1, [['small', 1, 6]]]);
    expect(checked.runs[0]!.summary.warned).toBe(2);
  });

  it('begin with a record that stays, and a group of excluded ones is none', () => {
    for (const linesPerChunk of [1, 2, 5]) {
      const checked = left(['D,A,1', 'D,A,500', 'D,B,2', 'D,C,500'], linesPerChunk);
      expect([checked.summary.warned, groupsOf(checked)]).toEqual([1, [['small', 1, 26]]]);
      const none = left(['D,A,1', 'D,A,800'], linesPerChunk);
      expect([none.check.excluded, none.summary.warned, none.summary.warnings]).toEqual([1, 0, []]);
    }
  });

  it('are the same as if the excluded records were not there, also where a rule looks at the header', () => {
    const line = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.constantFrom(1, 500, 800)).map(([id, cents]) => `D,k${id},${cents}`);
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 25 }), fc.integer({ min: 1, max: 9 }), (lines, linesPerChunk) => {
        const checked = left(lines, linesPerChunk);
        const excluded = new Set(checked.exclusions.map((exclusion) => exclusion.record));
        const kept = checked.runs.flatMap((run) => run.warnings).filter((each) => !excluded.has(each.record));
        const groups = new FindingGroups();
        for (const each of kept) groups.add(each);
        expect(checked.summary.warned).toBe(new Set(kept.map((each) => each.record)).size);
        expect(checked.summary.warnings.toSorted(byRule)).toEqual(groups.toGroups().toSorted(byRule));
      }),
      { numRuns: 60 },
    );
  });
});

const byRule = (a: { rule: string | null }, b: { rule: string | null }) => (a.rule! < b.rule! ? -1 : 1);
