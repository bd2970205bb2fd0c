import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadDocument } from '../load-flow.ts';
import { documentChanges } from './flow-changes.ts';

const eft = readFileSync(new URL('../../../../examples/eft.yaml', import.meta.url), 'utf8');

function canonical(text: string): Readonly<Record<string, unknown>> {
  const { canonical: found, diagnostics } = loadDocument(text);
  if (found === null) throw new Error(JSON.stringify(diagnostics));
  return found;
}

function changes(...edits: readonly (readonly [string, string])[]) {
  const after = edits.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, eft);
  return documentChanges(canonical(eft), canonical(after));
}

describe('changes of a flow', () => {
  test('name the rule, not its position', () => {
    expect(changes(['record.amount >= 0', 'record.amount > 0'])).toEqual([
      { change: 'changed', path: 'spec.validate[amount-not-negative].assert', before: 'record.amount >= 0', after: 'record.amount > 0' },
    ]);
  });

  test('say what is added and removed', () => {
    expect(
      changes([
        '    - { id: zero-value, when: "record.amount == 0", reason: "Zero-value notification" }',
        '    - { id: none, when: "record.amount == 1", reason: "One" }',
      ]),
    ).toEqual([
      {
        change: 'removed',
        path: 'spec.filter[zero-value]',
        before: { id: 'zero-value', when: 'record.amount == 0', reason: 'Zero-value notification' },
      },
      { change: 'added', path: 'spec.filter[none]', after: { id: 'none', when: 'record.amount == 1', reason: 'One' } },
    ]);
  });

  test('show a default that is left as a change from it', () => {
    expect(changes(['path: rtgs, order: by-key', 'path: rtgs, order: by-key, rollUp: true'])).toEqual([
      { change: 'changed', path: 'spec.targets.rtgs.rollUp', before: false, after: true },
    ]);
    expect(changes(['onExceed: hold', 'onExceed: reject'])).toEqual([
      { change: 'changed', path: 'spec.acceptance.onExceed', before: 'hold', after: 'reject' },
    ]);
  });

  test('show an order that means something', () => {
    const [high, domestic] = [
      '      - { id: high-value, when: "out.priority == \'HIGH\'", to: [rtgs] }\n',
      '      - { id: domestic, when: "out.currency == \'ZAR\'", to: [eft] }\n',
    ];
    expect(changes([high! + domestic!, domestic! + high!])).toEqual([
      { change: 'moved', path: 'spec.routes.rules[domestic]', before: 2, after: 1 },
    ]);
    expect(
      changes([
        '        id: "record.paymentId.trim()"\n        account: "record.accountNo"\n',
        '        account: "record.accountNo"\n        id: "record.paymentId.trim()"\n',
      ]),
    ).toEqual([{ change: 'moved', path: 'spec.transform[shape].set.account', before: 2, after: 1 }]);
  });

  test('of a target that becomes another kind show the whole target', () => {
    const [change] = changes(['{ type: file, connection: eft-out, path: fx, format: csv }', '{ type: http, connection: fx-api }']);
    expect(change).toMatchObject({ change: 'changed', path: 'spec.targets.fx', before: { type: 'file' }, after: { type: 'http' } });
  });

  test('are none for comments, other words and written-out defaults', () => {
    expect(
      changes(
        ['timeout: 5s', 'timeout: 5000ms # the same'],
        ['duplicates: { file: [sha256], window: 90d,', 'duplicates: {'],
        ['version: 1.0.0', 'version: 1.1.0'],
      ),
    ).toEqual([]);
  });

  test('of a new flow are one addition', () => {
    expect(documentChanges(null, canonical(eft))).toMatchObject([{ change: 'added', path: 'spec' }]);
  });

  test('are none exactly when the hash is the same', () => {
    const edits: readonly (readonly [string, string])[] = [
      ['record.amount >= 0', 'record.amount > 0'],
      ['window: 90d', 'window: 91d'],
      ['window: 90d', 'window: 2160h'],
      ['path: fx,', 'path: fx2,'],
      ['concurrency: 8', 'concurrency: 9'],
      ['owner: payments-ops', 'owner: others'],
      ['onExceed: hold', 'onExceed: reject'],
      ['mask: last4', 'mask: all'],
    ];
    fc.assert(
      fc.property(fc.subarray([...edits]), (picked) => {
        const after = picked.reduce((text, [from, to]) => text.replace(from, to), eft);
        expect(documentChanges(canonical(eft), canonical(after)).length === 0).toBe(loadDocument(eft).hash === loadDocument(after).hash);
      }),
      { numRuns: 40 },
    );
  });
});
