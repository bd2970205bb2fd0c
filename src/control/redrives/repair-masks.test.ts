import { expect, it } from 'vitest';
import type { Expression } from '../../pipeline/engine/expressions/expression.ts';
import { delimitedFormat, fieldPlan, planOf, recordPlan } from '../../pipeline/engine/plans.fixture.ts';
import { compileMaskedRepair } from './repair-masks.ts';

const names = ['id', 'account', 'limit', 'note'];
const field = (name: string, scope: 'record' | 'out' = 'record'): Expression => ({
  kind: 'field',
  type: 'string',
  scope,
  index: scope === 'out' ? 0 : names.indexOf(name),
  name,
});
const same = (left: Expression, right: Expression): Expression => ({ kind: 'call', type: 'bool', name: 'equal', arguments: [left, right] });
const base = planOf({
  format: delimitedFormat,
  records: [
    recordPlan(
      names.map((name, column) =>
        fieldPlan(
          name,
          'string',
          { column, header: null },
          { class: name === 'account' ? 'account' : null, mask: name === 'limit' ? 'all' : 'none' },
        ),
      ),
    ),
  ],
  output: [{ name: 'shown', type: 'string', value: field('note') }],
});
const flowWith = (assert: Expression): typeof base => ({
  ...base,
  rules: [{ id: 'rule', scope: 'record', severity: 'error', onFail: 'hold-file', code: 'R', message: 'r', assert }],
});
const repair = (plan: typeof base, set: Record<string, string>, mayReveal = false) =>
  compileMaskedRepair(plan, null, set, { floors: { account: 'last4' }, mayReveal });

it.each([
  ['asks about a field that the flow masks', base, { limit: "record.limit + '0'" }],
  ['asks about a field whose class the policy masks', base, { account: 'record.account.substring(0, 2)' }],
  ['gives a text that the flow compares with a masked one', flowWith(same(field('note'), field('limit'))), { note: "'5'" }],
  ['gives a text whose output the flow compares with a masked one', flowWith(same(field('shown', 'out'), field('limit'))), { note: "'5'" }],
])('a repair that %s needs the right to see it', (_what, plan, set) => {
  expect(() => repair(plan, set)).toThrowError('masked: that needs the scope records:reveal');
  expect(() => repair(plan, set, true)).not.toThrow();
});

it.each([
  ['from what may be seen', base, { account: 'record.note' }],
  ['where conditions look at nothing else', flowWith(same(field('note'), field('id'))), { note: "'5'" }],
  ['where all that they look at is given', flowWith(same(field('note'), field('limit'))), { note: "'5'", limit: "'6'" }],
])('a text is given to a field without it %s', (_what, plan, set) => {
  expect(() => repair(plan, set)).not.toThrow();
});

it('a masked field is changed also by the text that it has', () => {
  const { changes, content } = repair(base, { limit: "'9'", note: "'n'" }).apply(Buffer.from('1,2,9,n'));
  expect(changes).toEqual([{ field: 'limit', before: '9', after: '9' }]);
  expect(content).toEqual(Buffer.from('1,2,9,n'));
});

it('nobody brings what is masked to where it is masked less', () => {
  expect(() => repair(base, { note: 'record.account' }, true)).toThrowError('note is masked less than account');
});
