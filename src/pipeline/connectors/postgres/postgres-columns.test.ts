import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changedColumn, columnChanges } from './postgres-columns.ts';

const field = (name: string, type: 'decimal' | 'string') => ({ name, type, value: { kind: 'literal', type, value: '' } }) as never;
const output = [field('amount', 'decimal'), field('at', 'string'), field('note', 'string')];
/** numeric(_, scale), as PostgreSQL keeps it. */
const numeric = (scale: number) => ['numeric', 4 + ((18 << 16) | (scale & 0x7ff))] as const;

test('a line that is told by its looks alone is one of which no value would change', () => {
  const amounts = fc
    .tuple(fc.integer({ min: -999, max: 999 }), fc.stringMatching(/^[0-9]{0,5}$/))
    .map(([whole, digits]) => (digits === '' ? String(whole) : `${whole}.${digits}`));
  const moments = fc.constantFrom('2026-01-02', '2026-01-02T10:00:00', '2026-01-02T10:00:00Z', '2026-01-02T10:00:00+02:00', '10:00:00');
  const note = fc.oneof(fc.string(), fc.constantFrom('"amount":"1.2345"', '\\', '\\"amount\\":\\"9.999'));
  fc.assert(
    fc.property(
      amounts,
      moments,
      note,
      fc.integer({ min: -1, max: 4 }),
      fc.constantFrom('timestamp', 'date', 'text'),
      (amount, at, text, scale, type) => {
        const changes = columnChanges(output, { amount: numeric(scale), at: [type, -1], note: ['text', -1] });
        const values = { note: text, amount, at };
        const expected = [...changes.byColumn].find(([name, { isChange }]) => isChange(values[name as 'amount' | 'at']))?.[0];
        expect(changedColumn(changes, JSON.stringify(values))).toBe(expected);
      },
    ),
    { numRuns: 2_000 },
  );
});
