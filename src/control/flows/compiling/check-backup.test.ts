import { expect, it } from 'vitest';
import type { TargetPlan } from '../../../pipeline/engine/plan.ts';
import { targetPlan } from '../../../pipeline/engine/plans.fixture.ts';
import { checkBackups } from './check-backup.ts';

const http: Partial<TargetPlan> = { type: 'http', connection: 'api' };

function mistakes(own: Partial<TargetPlan>, backup: Partial<TargetPlan>, body: TargetPlan['body'] = { format: 'ndjson' }) {
  const found: { readonly code: string; readonly message: string }[] = [];
  const targets = [
    targetPlan('own', { format: 'ndjson' }, { ...http, backup: 'other', ...own }),
    targetPlan('other', body, { ...http, ...backup }),
  ];
  checkBackups(targets, (type) => type === 'file' || type === 'sftp', {
    add: (mistake: { code: string; message: string }) => void found.push(mistake),
  } as never);
  return found;
}

it('a backup that takes the same bytes in the same order is none to complain of', () => {
  expect(mistakes({}, {})).toEqual([]);
  expect(mistakes({ order: 'by-key' }, { type: 'kafka', settings: { key: 'k' } })).toEqual([]);
  expect(mistakes({ order: 'file' }, {})).toEqual([]);
});

it.each([
  ['that there is not', { backup: 'othr' }, {}, 'E_CONFIG_REFERENCE', /did you mean other/],
  ['of itself', { backup: 'own' }, {}, 'E_CONFIG_CONFLICT', /no backup of itself/],
  ['of files', { type: 'file' }, {}, 'E_CONFIG_CONFLICT', /files/],
  ['in files', {}, { type: 'sftp' }, 'E_CONFIG_CONFLICT', /files/],
  ['that loses the order of keys', { order: 'by-key' }, { type: 'kafka' }, 'E_CONFIG_CONFLICT', /order by-key would be lost/],
  [
    'that loses the order of files',
    { order: 'file' },
    { type: 'kafka', settings: { key: 'k' } },
    'E_CONFIG_CONFLICT',
    /order file would be lost/,
  ],
] as const)('a backup %s is refused when the flow is planned', (_what, own, backup, code, says) => {
  expect(mistakes(own, backup)).toMatchObject([{ code, message: expect.stringMatching(says) }]);
});

it('a backup of another format is refused when the flow is planned', () => {
  const csv = { format: 'csv', delimiter: 0x2c, header: true, lineEnd: '\n' } as const;
  expect(mistakes({}, {}, csv)).toMatchObject([{ code: 'E_CONFIG_CONFLICT', message: expect.stringMatching(/another format/) }]);
});
