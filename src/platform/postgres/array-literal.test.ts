import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { arrayLiteral } from './array-literal.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
});
afterAll(() => database.drop());

const readBack = async (values: readonly unknown[], type: string) =>
  (await database.db.query<{ values: unknown[] }>(`/* read back */ select $1::${type}[] as values`, [arrayLiteral(values)])).rows[0]!
    .values;

it('PostgreSQL reads every text as it was written', async () => {
  const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0') && value.isWellFormed());
  const special = fc.constantFrom('', 'NULL', 'null', '"', '\\', '\\"', '{}', '{"a":"b\\n"}', ',', ' ', '\r\n', '\u0001');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(text, special, fc.constant(null))), async (values) => {
      expect(await readBack(values, 'text')).toEqual(values);
    }),
    { numRuns: 200 },
  );
});

it('numbers, truth values, times and what is missing too', async () => {
  expect(await readBack([1, -2, undefined, 2 ** 31 - 1], 'int4')).toEqual([1, -2, null, 2 ** 31 - 1]);
  expect(await readBack([true, false, null], 'boolean')).toEqual([true, false, null]);
  const at = new Date('2026-02-28T10:00:00.123Z');
  expect(await readBack([at], 'timestamptz')).toEqual([at]);
  expect(await readBack([], 'uuid')).toEqual([]);
});

it('leaves to the driver what it does not know', () => {
  for (const value of [[1], Buffer.from('a'), { a: 1 }, new Date(Number.NaN), Symbol('a')])
    expect(arrayLiteral(['a', value])).toBeUndefined();
});
