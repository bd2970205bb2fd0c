import { expect, test } from 'vitest';
import type { Expression } from '../engine/expressions/expression.ts';
import { call, delimitedFormat, fieldPlan, literal, planOf, recordPlan } from '../engine/plans.fixture.ts';
import { receiptControlTotals } from './control-totals.ts';

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
