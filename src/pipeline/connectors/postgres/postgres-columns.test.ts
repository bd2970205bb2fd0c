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
    .map(([whole, digits]) => (digits === '' ? String(whole) : `${whole}.${digits}`))
    .chain((text) => fc.constantFrom(text, `${text}e-2`, `${text}E1`, `1_${text}`));
  const moments = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', ' ', '"', '\\', '😀', 'ä', '\n'), maxLength: 80 }),
    fc.constantFrom(
      '2026-01-02',
      '2026-01-02T10:00:00',
      '2026-01-02T10:00:00Z',
      '2026-01-02T10:00:00+02:00',
      '10:00:00',
      '10:00:00.1234567',
      '2026-01-02T10:00:00.5Z',
      'ab ',
      'ab   ',
    ),
  );
  const note = fc.oneof(fc.string(), fc.constantFrom('"amount":"1.2345"', '\\', '\\"amount\\":\\"9.999'));
  fc.assert(
    fc.property(
      amounts,
      moments,
      note,
      fc.integer({ min: -1, max: 4 }),
      fc.constantFrom('timestamp', 'timestamptz', 'time', 'date', 'text', 'name', 'varchar', 'bpchar'),
      fc.constantFrom(-1, 0, 3, 8),
      (amount, at, text, scale, type, modifier) => {
        const changes = columnChanges(output, { amount: numeric(scale), at: [type, modifier], note: ['text', -1] });
        const values = { note: text, amount, at };
        const expected = [...changes.byColumn].find(([name, { isChange }]) => isChange(values[name as 'amount' | 'at']))?.[0];
        expect(changedColumn(changes, JSON.stringify(values))).toBe(expected);
      },
    ),
    { numRuns: 2_000 },
  );
});

/** An engine that goes back over them would take days, or give up. */
test('values of many million characters are looked at once', () => {
  const zeros = '0'.repeat(4_000_000);
  const texts = {
    numeric: `1.${zeros}1x`,
    timestamp: `10:00:00.${zeros}1x`,
    time: `10:00:00.${zeros}1`,
    timetz: `10:00:00.${zeros}x`,
    varchar: `${zeros}${' '.repeat(4_000_000)}`,
    bpchar: `x${' '.repeat(4_000_000)}`,
    name: zeros,
  };
  const found = Object.entries(texts).map(([type, text]) =>
    changedColumn(columnChanges(output, { at: [type, 8] }), JSON.stringify({ note: zeros, at: text })),
  );
  expect(found).toEqual([undefined, 'at', 'at', 'at', 'at', 'at', 'at']);
});
