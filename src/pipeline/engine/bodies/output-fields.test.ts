import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Value, valueText } from '../expressions/values.ts';
import type { BodyPlan, OutputFieldPlan } from '../plan.ts';
import { createBodyWriter } from './body-writer.ts';
import { OutputFields } from './output-fields.ts';

const output = ['a', 'quoted "name"', 'c'].map((name) => ({ name, type: 'string' }) as unknown as OutputFieldPlan);

const text = fc.string({ unit: fc.constantFrom('a', 'é', '"', '\\', ',', ';', ' ', '0', '\t', '😀', 'n'), maxLength: 8 });
const value: fc.Arbitrary<Value> = fc.oneof(text, fc.bigInt({ min: -999n, max: 10n ** 20n }), fc.boolean(), fc.constant(null));
const column = { width: 40, align: 'left', pad: 0x20 } as const;
const bodies: readonly BodyPlan[] = [
  { format: 'ndjson' },
  { format: 'csv', delimiter: 0x2c, header: true, lineEnd: '\n' },
  { format: 'csv', delimiter: 0x3b, header: false, lineEnd: '\r\n' },
  { format: 'fixed-width', columns: [column, { ...column, align: 'right' }, column], lineEnd: '\r\n' },
];

/** What was read; null: there is no value. */
function read(fields: OutputFields, slot: number): string | null {
  const [start, end] = [fields.starts[slot]!, fields.ends[slot]!];
  return start < 0 ? null : Buffer.from(fields.bytes[slot]!.subarray(start, end)).toString('utf8');
}

/** Padding can't be told from the spaces of a value, nor nothing from an empty text. */
function inColumn(index: number, written: string | null): string | null {
  const trimmed = index === 1 ? (written ?? '').replace(/^ +/, '') : (written ?? '').replace(/ +$/, '');
  return trimmed === '' ? null : trimmed;
}

it.each(bodies)('values of every kind are read as they were written: %o', (body) => {
  const write = createBodyWriter(body, output);
  fc.assert(
    fc.property(fc.tuple(value, value, value), fc.array(fc.tuple(value, value, value), { maxLength: 2 }), (values, others) => {
      const fields = new OutputFields(body, output, [2, null, 0, 1]);
      for (const each of [...others, values]) fields.read(Buffer.from(write(each) as string, 'utf8'));
      const texts = values.map((each, index) => {
        const written = each === null ? null : valueText(each);
        return body.format === 'fixed-width' ? inColumn(index, written) : written;
      });
      expect([0, 1, 2, 3].map((slot) => read(fields, slot))).toEqual([texts[2], null, texts[0], texts[1]]);
    }),
    { numRuns: 500 },
  );
});

it('a line that ends inside a value is a fault of the program, and no endless search', () => {
  for (const [body, line] of [
    [bodies[0]!, '{"a":"never closed'],
    [bodies[1]!, '"never closed\n'],
  ] as const)
    expect(() => new OutputFields(body, output, [0]).read(Buffer.from(line))).toThrow('ends inside a value');
});
