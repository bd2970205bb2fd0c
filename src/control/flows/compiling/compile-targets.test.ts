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

const toKafka = (target: string) =>
  eft.replace('fx: { type: http, connection: fx }', `fx: { type: kafka, connection: k, topic: fx, ${target} }`);

test('the key of a kafka target is an expression over the output', () => {
  const { plan, diagnostics } = loadFlow(toKafka(`key: "out.id + '/' + out.currency", order: by-key`));
  expect(diagnostics).toEqual([]);
  expect(plan!.targets.find(({ type }) => type === 'kafka')!.settings).toMatchObject({
    topic: 'fx',
    compression: 'none',
    key: { kind: 'call', name: 'concat', type: 'string' },
  });
});

test.each([
  ['a key of the input', 'key: "record.currency"', 'E_EXPRESSION_NAME', /a target sees out/],
  ['a key of nothing that is there', 'key: "out.nothing"', 'E_EXPRESSION_NAME', /nothing/],
  ['an order of keys without a key', 'order: by-key', 'E_CONFIG_CONFLICT', /key or partition/],
  ['the order of the file over partitions', 'key: "out.id", order: file', 'E_CONFIG_CONFLICT', /needs partition/],
  ['a topic that is none', 'topic: "a b"', 'E_CONFIG_VALUE', /topic/],
] as const)('a kafka target with %s is refused', (_, target, code, says) => {
  const text = target.startsWith('topic') ? toKafka('compression: none').replace('topic: fx', target) : toKafka(target);
  expect(loadFlow(text).diagnostics).toEqual([expect.objectContaining({ code, message: expect.stringMatching(says) })]);
});

const inWindow = (more = '') => eft.replace('path: rtgs, order: by-key', `path: rtgs, window: 15m${more}`);

test('a target that holds files may collect for a time', () => {
  const { plan, diagnostics } = loadFlow(inWindow());
  expect(diagnostics).toEqual([]);
  expect(plan!.targets.map(({ windowMs }) => windowMs)).toEqual([900_000, undefined, undefined]);
});

test.each([
  ['order: by-key', 'E_CONFIG_CONFLICT', /not for by-key/],
  ['rollUp: true', 'E_CONFIG_CONFLICT', /rollUp/],
  ['maxAmount: { field: amount, value: "1.00" }', 'E_CONFIG_CONFLICT', /maxAmount/],
] as const)('with a window, %s is refused', (more, code, says) => {
  expect(loadFlow(inWindow(`, ${more}`)).diagnostics).toEqual([expect.objectContaining({ code, message: expect.stringMatching(says) })]);
});

test('a target that holds no files has no window', () => {
  const text = eft.replace('fx: { type: http, connection: fx }', 'fx: { type: http, connection: fx, window: 15m }');
  expect(loadFlow(text).diagnostics).toEqual([expect.objectContaining({ code: 'E_CONFIG_KEY' })]);
});

test('a batch of messages may linger, and what a target says itself wins', () => {
  const { plan, diagnostics } = loadFlow(toKafka('key: "out.id", batch: { linger: 50ms }'));
  expect(diagnostics).toEqual([]);
  expect(plan!.targets.map(({ lingerMs }) => lingerMs)).toEqual([undefined, undefined, 50]);
});

test.each([
  ['order by-key', toKafka('key: "out.id", order: by-key, batch: { linger: 50ms }'), /for order none, not for by-key/],
  ['a target that holds files', eft.replace('path: rtgs,', 'path: rtgs, batch: { linger: 50ms },'), /with window/],
] as const)('linger for %s is refused', (_, text, says) => {
  const path = expect.stringMatching(/\.batch\.linger$/);
  expect(loadFlow(text).diagnostics).toEqual([
    expect.objectContaining({ code: 'E_CONFIG_CONFLICT', path, message: expect.stringMatching(says) }),
  ]);
});
