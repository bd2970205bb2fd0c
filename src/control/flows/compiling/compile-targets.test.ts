import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadFlow } from '../load-flow.ts';

const eft = readFileSync(new URL('../../../../examples/eft.yaml', import.meta.url), 'utf8').replace(
  'fx: { type: file, connection: eft-out, path: fx, format: csv }',
  'fx: { type: http, connection: fx }',
);

test.each([
  ['none', { file: 0, http: 0 }],
  ['by-key', { file: 1, http: 64 }],
  ['file', { file: 1, http: 1 }],
] as const)('order %s: only message targets spread keys over lanes', (order, lanes) => {
  const text = eft.replace('order: by-key', 'order: none').replace('  targetDefaults:\n', `  targetDefaults:\n    order: ${order}\n`);
  const { plan } = loadFlow(text.replace('path: rtgs, order: none', 'path: rtgs'));
  expect(Object.fromEntries(plan!.targets.map((target) => [target.type, target.lanes]))).toEqual(lanes);
});
