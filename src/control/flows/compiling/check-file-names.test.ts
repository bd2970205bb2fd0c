import { expect, it } from 'vitest';
import type { TargetPlan } from '../../../pipeline/engine/plan.ts';
import { targetPlan } from '../../../pipeline/engine/plans.fixture.ts';
import { checkFileNames } from './check-file-names.ts';

const csv = { format: 'csv', delimiter: 0x2c, header: true, lineEnd: '\n' } as const;
const settings = { path: 'out', name: 'OUT{sequence}.{extension}' };

function warnings(other: Partial<TargetPlan>, body: TargetPlan['body'] = csv, own: Record<string, unknown> = settings) {
  const found: { readonly message: string }[] = [];
  const file = { type: 'file', connection: 'drop', settings: own } as const;
  const targets = [targetPlan('own', csv, file), targetPlan('other', body, { ...file, ...other })];
  checkFileNames(targets, { add: (mistake: { message: string }) => void found.push(mistake) } as never);
  return found;
}

it('two targets whose files have the same names in one folder are warned of', () => {
  expect(warnings({})).toMatchObject([
    {
      code: 'E_CONFIG_CONFLICT',
      severity: 'warning',
      path: ['spec', 'targets', 'other', 'name'],
      message: expect.stringMatching(/^files of own and of other/),
    },
  ]);
});

it('names that are told apart, by whatever, are not', () => {
  expect(warnings({ connection: 'elsewhere' })).toEqual([]);
  expect(warnings({ settings: { ...settings, path: 'more' } })).toEqual([]);
  expect(warnings({ settings: { ...settings, encrypt: true } })).toEqual([]);
  expect(warnings({}, { format: 'ndjson' })).toEqual([]);
  const named = { ...settings, name: '{target}{sequence}' };
  expect(warnings({ settings: named }, csv, named)).toEqual([]);
  expect(warnings({ type: 'http', settings: { path: '/a' } })).toEqual([]);
});
