import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { createWorld, type World } from './arrivals.fixture.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('judging files in any batches gives the verdicts of judging them one by one', async () => {
  const contents = fc.constantFrom('a', 'b', 'c');
  const files = fc.array(fc.tuple(contents, fc.constantFrom('1.csv', '2.csv', '3.csv')), { minLength: 1, maxLength: 7 });
  const policy = fc.record({
    keys: fc.constantFrom<('sha256' | 'name')[][]>(['sha256'], ['name'], ['sha256', 'name']) as fc.Arbitrary<('sha256' | 'name')[]>,
    onDuplicate: fc.constantFrom('reject', 'hold', 'accept'),
    onSameName: fc.constantFrom('reject', 'hold', 'accept'),
  });
  await fc.assert(
    fc.asyncProperty(files, policy, fc.integer({ min: 2, max: 7 }), async (sent, policyOfFlow, size) => {
      const judge = async (batchSize: number) => {
        const each = await createWorld(database);
        const duplicates = { ...each.settings.duplicates, ...policyOfFlow } as World['settings']['duplicates'];
        return each.judgeInBatches(
          duplicates,
          sent.map(([content, name]) => ({ content, name })),
          batchSize,
        );
      };
      expect(await judge(size)).toEqual(await judge(1));
    }),
    {
      numRuns: 40,
      examples: [
        // A file that was refused for its name must not make a later one a duplicate.
        [
          [
            ['a', '2.csv'],
            ['b', '2.csv'],
            ['b', '1.csv'],
          ],
          { keys: ['sha256'], onDuplicate: 'reject', onSameName: 'reject' },
          3,
        ],
        // Within a batch too, a name belongs to the newest file of that name.
        [
          [
            ['a', '2.csv'],
            ['a', '1.csv'],
            ['a', '2.csv'],
            ['a', '2.csv'],
            ['a', '1.csv'],
          ],
          { keys: ['sha256'], onDuplicate: 'accept', onSameName: 'accept' },
          2,
        ],
      ],
    },
  );
});
