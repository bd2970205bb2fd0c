import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { DelimitedPlan } from '../plan.ts';
import { delimitedFormat, fieldPlan, planOf, recordPlan } from '../plans.fixture.ts';
import { runEngine, runReference } from '../reference/run-accounts.fixture.ts';
import { runInMemory } from '../runs.fixture.ts';

const spaced = [{}, { quote: null, escape: null }, { escape: 0x5c }].map((more) => ({ delimiter: 0x20, ...more }));
const quoting = [{ quote: 0x20, escape: 0x20 }, { escape: 0x20 }];

it.each([...spaced, ...quoting].flatMap((more) => (['exact', 'lenient'] as const).map((columns) => [{ ...more, columns }] as const)))(
  'spaces that mean something to a format are not trimmed (%j)',
  (more) => {
    const format: DelimitedPlan = { ...delimitedFormat, ...more };
    const fields = ['a', 'b'].map((name, column) =>
      fieldPlan(name, 'string', { column, header: null }, { trim: column === 1, required: false }),
    );
    const plan = planOf({ format, records: [recordPlan(fields)] });
    const lines = ['A B', 'A B ', 'A  B', 'A ', 'A', ' B', '"A" " B "', '"A" " B " ', '"A" "B"', 'A " ""', 'A " "" x"'];
    const delimiter = String.fromCharCode(format.delimiter);
    for (const line of [...lines, ...['A B', 'A  B ', 'A " "', 'A " ""'].map((text) => text.replace(' ', delimiter))]) {
      const bytes = Buffer.from(`${line}\n`);
      const ran = runEngine(plan, bytes, { chunkBytes: 1_000, path: 'fast', blockBytes: 64 });
      expect([line, ran]).toEqual([line, runReference(plan, bytes)]);
    }
  },
);

it('records between spaces are taken by the kernel, trimmed in their quotes', () => {
  const fields = ['a', 'b'].map((name, column) => fieldPlan(name, 'string', { column, header: null }, { trim: true }));
  const plan = planOf({ format: { ...delimitedFormat, delimiter: 0x20 }, records: [recordPlan(fields)] });
  const { slowRecords, targets } = runInMemory({ plan, bytes: Buffer.from('A B\n" A " "B "\n') });
  expect([slowRecords, targets[0]!.toString()]).toEqual([0, '{"a":"A","b":"B"}\n'.repeat(2)]);
});

it('records are what the reference says wherever spaces stand', () => {
  const choices = [false, true].flatMap((a) => [false, true].map((b) => [a, b] as const));
  const plans = spaced.flatMap((more) =>
    (['exact', 'lenient'] as const).flatMap((columns) =>
      choices.map((trims) => {
        const format: DelimitedPlan = { ...delimitedFormat, ...more, columns };
        const types = ['string', 'int'] as const;
        const fields = types.map((type, column) =>
          fieldPlan(type, type, { column, header: null }, { trim: trims[column]!, required: columns === 'exact' }),
        );
        return planOf({ format, records: [recordPlan(fields)] });
      }),
    ),
  );
  const line = fc.array(fc.constantFrom(' ', ' ', 'A', '7', '8', '"', '"A"', '" 7 "', '\\'), { maxLength: 7 });
  fc.assert(
    fc.property(fc.constantFrom(...plans), fc.array(line, { minLength: 1, maxLength: 6 }), (plan, lines) => {
      const bytes = Buffer.from(lines.map((parts) => `${parts.join('')}\n`).join(''));
      expect(runEngine(plan, bytes, { chunkBytes: 1_000, path: 'fast', blockBytes: 1_024 })).toEqual(runReference(plan, bytes));
    }),
    { numRuns: 400 },
  );
});
