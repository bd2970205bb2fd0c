import fc from 'fast-check';
import { expect, it } from 'vitest';
import { deliveryKey } from './delivery-key.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 8 });
const identity = fc.record({ tenantId: text, flowId: text, lineageId: text, targetId: text, intent: text });
const record = fc.oneof(fc.record({ record: fc.nat() }), fc.record({ key: fc.array(fc.option(text), { minLength: 1, maxLength: 3 }) }));

it('the key depends on every part and on nothing else', () => {
  fc.assert(
    fc.property(identity, record, identity, record, (a, first, b, second) => {
      const isSame = JSON.stringify([a, first]) === JSON.stringify([b, second]);
      expect(deliveryKey(a, first) === deliveryKey(b, second)).toBe(isSame);
      expect(deliveryKey({ ...a }, structuredClone(first))).toBe(deliveryKey(a, first));
    }),
  );
});

it('parts can not be moved from one to the next', () => {
  const base = { tenantId: 't', flowId: 'f', lineageId: 'l', targetId: 'x', intent: '' };
  const keys = [
    deliveryKey({ ...base, tenantId: 'ab', flowId: 'c' }, { record: 1 }),
    deliveryKey({ ...base, tenantId: 'a', flowId: 'bc' }, { record: 1 }),
    deliveryKey(base, { key: ['1'] }),
    deliveryKey(base, { record: 1 }),
    deliveryKey(base, { key: ['a', 'b'] }),
    deliveryKey(base, { key: ['a;1:b'] }),
    deliveryKey(base, { key: ['ab'] }),
    deliveryKey(base, { key: [''] }),
    deliveryKey(base, { key: [null] }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

it('the form of the key is kept for ever', () => {
  const identity = { tenantId: 'tenant', flowId: 'flow', lineageId: 'lineage', targetId: 'target', intent: '' };
  expect(deliveryKey(identity, { record: 42 })).toMatchInlineSnapshot(`"d74d547ee79c69c295e06f8fb0e6647831c558dc624a124aad4af4a620c9aa54"`);
  expect(deliveryKey(identity, { key: ['P000000001', null] })).toMatchInlineSnapshot(
    `"d0cb7ab9573c9fbbe5cd1c9630c82d09c7448dd05adb8cb5c3b15f51f37d3d2e"`,
  );
});
