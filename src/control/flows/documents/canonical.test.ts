import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadDocument } from '../load-flow.ts';

const example = (name: string): string => readFileSync(new URL(`../../../../examples/${name}`, import.meta.url), 'utf8');
const eft = example('eft.yaml');
const cards = example('cards.yaml');
const hashOf = (text: string): string => {
  const { hash, diagnostics } = loadDocument(text);
  if (hash === null) throw new Error(JSON.stringify(diagnostics));
  return hash;
};

describe('the hash of a flow', () => {
  test.each([
    ['a comment', (text: string) => `# said before\n${text}`],
    ['spacing', (text: string) => text.replaceAll(': {', ':   {')],
    ['quotes', (text: string) => text.replace('"EFT_*.txt"', "'EFT_*.txt'")],
    ['a written-out default', (text: string) => text.replace('path: eft\n', 'path: eft\n      lineEnd: lf\n      rollUp: false\n')],
    ['a default in other words', (text: string) => text.replace('timeout: 5s', 'timeout: 5000ms')],
    [
      'a left out default',
      (text: string) => text.replace('  duplicates: { file: [sha256], window: 90d, onDuplicate: reject, onSameName: accept }\n', ''),
    ],
    ['the order of keys', (text: string) => text.replace('type: date, format: yyyyMMdd', 'format: yyyyMMdd, type: date')],
    ['the version', (text: string) => text.replace('version: 1.0.0', 'version: 1.0.1')],
    ['the owner', (text: string) => text.replace('owner: payments-ops', 'owner: someone else')],
    ['labels', (text: string) => text.replace('labels: { direction: inbound }', 'labels: { direction: outbound }')],
  ])('is not changed by %s', (_name, change) => {
    expect(change(eft)).not.toBe(eft);
    expect(hashOf(change(eft))).toBe(hashOf(eft));
  });

  const delimited = (format: string) => cards.replace('type: delimited,', `type: delimited, ${format}`);

  test.each([
    ['the usual quote', '', 'escape: "\\"",'],
    ['another quote', 'quote: "\'",', 'quote: "\'", escape: "\'",'],
  ])('is not changed by the quote as a written-out escape, with %s', (_name, left, right) => {
    expect(hashOf(delimited(right))).toBe(hashOf(delimited(left)));
    expect(hashOf(delimited(`${left} escape: "~",`))).not.toBe(hashOf(delimited(left)));
  });

  test.each([
    ['a rule', eft, ['record.amount >= 0', 'record.amount > 0']],
    [
      'the order of routes',
      eft,
      [
        '      - { id: high-value, when: "out.priority == \'HIGH\'", to: [rtgs] }\n      - { id: domestic, when: "out.currency == \'ZAR\'", to: [eft] }\n',
        '      - { id: domestic, when: "out.currency == \'ZAR\'", to: [eft] }\n      - { id: high-value, when: "out.priority == \'HIGH\'", to: [rtgs] }\n',
      ],
    ],
    [
      'the order of output fields',
      cards,
      [
        '        id: "record.settlementId"\n        merchant: "record.merchant.trim()"\n',
        '        merchant: "record.merchant.trim()"\n        id: "record.settlementId"\n',
      ],
    ],
    ['the order of fields', cards, ['        settledOn: { type: date, required: true }\n', '']],
    ['the name', eft, ['name: eft-credit-inbound', 'name: eft-credit']],
    ['a target', eft, ['path: fx,', 'path: fx2,']],
    ['a value beside its default', eft, ['window: 90d', 'window: 91d']],
  ])('is changed by %s', (_name, text, change) => {
    let changed = text.replace(change[0]!, change[1]!);
    if (_name === 'the order of fields')
      changed = changed.replace('        merchant: {', '        settledOn: { type: date, required: true }\n        merchant: {');
    expect(changed).not.toBe(text);
    expect(hashOf(changed)).not.toBe(hashOf(text));
  });

  test('covers apiVersion, kind, name and spec only, by RFC 8785', () => {
    const { canonical, hash } = loadDocument(
      'kind: Connection\napiVersion: headgate/v1\nspec: { root: /x, type: folder }\nmetadata: { name: n, tenant: t, labels: { a: b } }\n',
    );
    expect(canonical).toEqual({ apiVersion: 'headgate/v1', kind: 'Connection', name: 'n', spec: { root: '/x', type: 'folder' } });
    // printf '{"apiVersion":"headgate/v1","kind":"Connection","name":"n","spec":{"root":"/x","type":"folder"}}' | sha256sum
    expect(hash).toBe('sha256:30c0068a01b34e783e34e77f82b85248d92fec107d3d35fad906c02660577737');
  });
});
