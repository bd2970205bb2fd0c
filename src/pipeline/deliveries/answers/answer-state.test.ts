import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { answerEvents, answerStates, answerTransitions } from './answer-state.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('the table of states is the one that the database enforces', async () => {
  const { rows } = await database.db.query<{ move: string }>(
    "/* read transitions */ select from_state || ' ' || event || ' ' || to_state as move from headgate.state_transitions where machine = 'answer'",
  );
  const own = ['', ...answerStates].flatMap((from) =>
    answerEvents.flatMap((event) => {
      const to = answerTransitions[from as keyof typeof answerTransitions][event];
      return to === undefined ? [] : [`${from} ${event} ${to}`];
    }),
  );
  expect(rows.map(({ move }) => move).sort()).toEqual(own.sort());
});
