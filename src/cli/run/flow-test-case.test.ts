import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadFlow } from '../../control/flows/load-flow.ts';
import type { FlowTestCase } from '../../control/flows/load-flow-test.ts';
import { eftFile } from '../../main/demo/demo-files.ts';
import { compileFlow } from '../../pipeline/engine/compile-flow.ts';
import { fixedWidthFormat } from '../../pipeline/formats/fixed-width/fixed-width-format.ts';
import type { Format } from '../../pipeline/formats/format.ts';
import { runCase } from './flow-test-case.ts';
import { withoutBatches } from './offline-plan.ts';

const { plan } = loadFlow(readFileSync(new URL('../../../examples/eft.yaml', import.meta.url), 'utf8'));
const flow = compileFlow(withoutBatches(plan!));
const payment = 'DPAY000000000000114747023351CABLZAJJ   000000000013778EUR20261108';
const input = (...lines: string[]) => `${['H20261124BANKZA              ', ...lines].join('\n')}\n`;
const trailer = (count: number, total: number) => `T${String(count).padStart(9, '0')}${String(total).padStart(18, '0')}`;
const run = (expected: FlowTestCase['expect'], text: string) =>
  runCase(flow, { format: fixedWidthFormat as unknown as Format, pack: null }, { id: 'x', input: text, expect: expected }, '.');
const sound = input(payment, trailer(1, 13778));

test('what is expected and comes is no mismatch', async () => {
  const record = { status: 'valid', errors: [], warnings: [], routes: ['fx'], output: { currency: 'EUR', amount: '137.78' } } as const;
  const sent = { fx: 'PAY0000000000001,14747023351,137.78,EUR,CABL,2026-11-08,NORMAL' };
  expect(await run({ verdict: 'accepted', reasons: [], read: 1, records: [{ ...record, sent }] }, sound)).toEqual([]);
});

test.each([
  ['verdict', { verdict: 'held' }, 'accepted'],
  ['reasons', { reasons: ['CTL01'] }, '(none)'],
  ['read', { read: 2 }, '1'],
  ['number of records', { records: [] }, '1'],
  ['record 1 status', { records: [{ status: 'filtered' }] }, 'valid'],
  ['record 1 errors', { records: [{ status: 'valid', errors: ['AMT01'] }] }, '(none)'],
  ['record 1 warnings', { records: [{ status: 'valid', warnings: ['DAT02'] }] }, '(none)'],
  ['record 1 routes', { records: [{ status: 'valid', routes: ['fx', 'eft'] }] }, 'fx'],
  ['record 1 output priority', { records: [{ status: 'valid', output: { priority: 'HIGH' } }] }, 'NORMAL'],
  ['record 1 output nothing', { records: [{ status: 'valid', output: { nothing: '' } }] }, '(no such field)'],
  ['record 1 sent to eft', { records: [{ status: 'valid', sent: { eft: 'x' } }] }, '(nothing)'],
] as const)('another %s is one, and says both', async (at, expected, actual) => {
  expect(await run(expected, sound)).toEqual([expect.objectContaining({ at, actual })]);
});

test('a record that only the whole file rejects is rejected, and goes nowhere', async () => {
  const twice = input(payment, payment, trailer(2, 27556));
  const rejected = { status: 'rejected', errors: ['E_DUPLICATE_KEY'], routes: [] } as const;
  const found = await run({ records: [{ status: 'valid', routes: ['fx'] }, rejected] }, twice);
  expect(found.filter(({ at }) => !at.endsWith('errors'))).toEqual([]);
});

test('a record that only the whole file rejects is warned of nothing', async () => {
  const far = payment.replace('20261108', '20270108');
  const warned = { status: 'valid', warnings: ['DAT02'] } as const;
  expect(await run({ records: [warned, { status: 'rejected', warnings: [] }] }, input(far, far, trailer(2, 27556)))).toEqual([]);
});

test('it says of every record of a long file what the engine did, in few seconds', async () => {
  const text = [...eftFile(3, 500)].join('');
  expect(await run({ read: 500 }, text)).toEqual([]);
});
