import { describe, expect, it, test } from 'vitest';
import type { Expression } from '../engine/expressions/expression.ts';
import { checkLines } from '../engine/file/checked-lines.fixture.ts';
import { call, delimitedFormat, fieldPlan, literal, planOf, recordPlan } from '../engine/plans.fixture.ts';
import { earlierControlTotals, receiptControlTotals } from './control-totals.ts';

test('a receipt shows only the header and trailer fields that file rules look at', () => {
  const field = (scope: 'header' | 'trailer', name: string): Expression => ({ kind: 'field', type: 'int', scope, index: 0, name });
  const rule = (assert: Expression) =>
    ({ id: 'r', scope: 'file', severity: 'error', onFail: 'hold-file', code: 'CTL01', message: 'totals', assert }) as const;
  const record = recordPlan([fieldPlan('id', 'string', { column: 0, header: null })]);
  const statistic: Expression = { kind: 'statistic', type: 'int', name: 'records', field: null, key: null };
  const plan = planOf({
    format: delimitedFormat,
    records: [record],
    rules: [
      rule(call('bool', 'and', call('bool', 'equal', field('trailer', 'count'), statistic), literal('bool', 'true'))),
      rule({ kind: 'in', type: 'bool', value: field('header', 'kind'), list: [literal('int', '1')] }),
    ],
  });
  const totals = { declared: { count: '3', kind: '1', senderAccount: '12345' }, computed: { records: '3' }, balanced: true };
  expect(receiptControlTotals(plan, totals)).toEqual({ declared: { count: '3', kind: '1' }, computed: { records: '3' }, balanced: true });
  expect(receiptControlTotals({ ...plan, rules: [] }, { ...totals, balanced: null }).declared).toEqual({});
});

describe('header and trailer with fields of one name', () => {
  const at = (column: number) => ({ column, header: null });
  const envelope = (role: 'header' | 'trailer', tag: string) =>
    recordPlan([fieldPlan('count', 'int', at(1)), fieldPlan('account', 'string', at(2), { mask: role === 'header' ? 'last4' : 'none' })], {
      name: role,
      role,
      tag,
      counted: false,
    });
  const compared = (index: number, name: string): Expression => ({
    kind: 'field',
    type: index === 0 ? 'int' : 'string',
    scope: 'header',
    index,
    name,
  });
  const statistic: Expression = { kind: 'statistic', type: 'int', name: 'records', field: null, key: null };
  const plan = planOf({
    format: { ...delimitedFormat, discriminator: 0 },
    records: [envelope('header', 'H'), recordPlan([fieldPlan('id', 'string', at(1))], { tag: 'D' }), envelope('trailer', 'T')],
    rules: [
      { id: 'n', assert: call('bool', 'equal', compared(0, 'count'), statistic) },
      { id: 'a', assert: call('bool', 'notEqual', compared(1, 'account'), literal('string', 'none')) },
    ].map((rule) => ({ ...rule, scope: 'file', severity: 'error', onFail: 'hold-file', code: 'CTL01', message: 'totals' }) as const),
  });
  const { check } = checkLines(plan, ['H,1,DE89370400440532013000', 'D,a', 'T,999,x']);

  it('are told apart, and a receipt shows the one that was compared and nothing that is masked', () => {
    expect(check.controlTotals.declared).toEqual({
      'header.count': '1',
      'header.account': 'DE89370400440532013000',
      'trailer.count': '999',
      'trailer.account': 'x',
    });
    const shown = { declared: { 'header.count': '1' }, computed: { records: '1' }, balanced: true };
    expect(receiptControlTotals(plan, check.controlTotals)).toEqual(shown);
  });

  it('are known as versions before stated them: those of the trailer, masked or not', () => {
    const [all, withoutHidden] = earlierControlTotals(plan, check.controlTotals);
    expect(all!.declared).toEqual({ count: '999', account: 'x' });
    // What such a version kept of a file that this one closes.
    expect(receiptControlTotals(plan, all!)).toEqual(withoutHidden);
  });
});
