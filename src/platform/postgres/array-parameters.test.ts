import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { arrayTypesOf, encodeArrays } from './array-parameters.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
});
afterAll(() => database.drop());

const textOf = (value: unknown) => (value instanceof Date ? value.toISOString() : value == null ? null : String(value));

/** The elements as the server prints them. */
async function readBack(values: readonly unknown[], type: string): Promise<(string | null)[]> {
  const form = type === 'timestamptz' ? `to_char(v at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')` : 'v::text';
  const sql = `/* read back */ select ${form} as value from unnest($1::${type}[]) with ordinality as u (v, n) order by n`;
  expect(encodeArrays(arrayTypesOf(sql), [values])[0]).toBeInstanceOf(Buffer);
  return (await database.db.query<{ value: string | null }>(sql, [values])).rows.map((row) => row.value);
}

const texts = fc.oneof(
  fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && text.isWellFormed()),
  fc.constantFrom('', 'NULL', '"', '\\', '{"a":"b\\n"}', ',', '\r\n', '\u0001'),
);

it.each([
  ['text', texts],
  ['uuid', fc.uuid()],
  ['int', fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })],
  ['smallint', fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 })],
  ['bigint', fc.maxSafeInteger()],
  ['boolean', fc.boolean()],
  ['timestamptz', fc.date({ min: new Date('1900-01-01T00:00:00Z'), max: new Date('2200-01-01T00:00:00Z'), noInvalidDate: true })],
] as [string, fc.Arbitrary<unknown>][])('the server reads every %s as it was given', async (type, element) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(element)), async (values) => {
      expect(await readBack(values, type)).toEqual(values.map(textOf));
    }),
    { numRuns: 60 },
  );
});

it('more than the buffer holds arrives whole', async () => {
  const values = Array.from({ length: 300 }, (_, index) => `${index}é`.repeat(2_000));
  expect(await readBack(values, 'text')).toEqual(values);
});

it('what is none of the type goes the way of the driver, and the server says what is wrong', async () => {
  for (const [type, value] of [
    ['uuid', '01a216d2-8940-7000-ab69_23e5637ebfc9'],
    ['uuid', 'g1a216d2-8940-7000-ab69-23e5637ebfc9'],
    ['int', 2 ** 31],
    ['bigint', 1.5],
    ['boolean', 'maybe'],
  ] as const) {
    const sql = `/* refuse */ select $1::${type}[] as values`;
    expect(encodeArrays(arrayTypesOf(sql), [[value]])).toEqual([[value]]);
    await expect(database.db.query(sql, [[value]])).rejects.toThrow();
  }
  const sql = '/* other types */ select $1::numeric[] as values, $2::text[] as texts';
  expect((await database.db.query(sql, [['1.50'], [1]])).rows).toEqual([{ values: [1.5], texts: ['1'] }]);
});
