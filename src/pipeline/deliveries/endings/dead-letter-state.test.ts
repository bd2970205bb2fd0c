import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { deadLetterStates, deadLetterTransitions } from './dead-letter-state.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('the table is that of the database', async () => {
  const { rows } = await database.db.query<{ move: string }>(
    `/* transitions */ select from_state || ' ' || event || ' ' || to_state as move from headgate.state_transitions where machine = 'dead_letter'`,
  );
  const known = Object.entries(deadLetterTransitions).flatMap(([from, events]) =>
    Object.entries(events).map(([event, to]) => `${from} ${event} ${to}`),
  );
  expect(rows.map(({ move }) => move).sort()).toEqual(known.sort());
});

it('the states are those that a row may have, and each is reached', async () => {
  const { rows } = await database.adminDb.query<{ definition: string }>(
    `/* check */ select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'dead_letters_state_check' and conrelid = 'headgate.dead_letters'::regclass`,
  );
  const states = [...rows[0]!.definition.matchAll(/'([a-z]+)'/g)].map((match) => match[1]);
  expect(states.sort()).toEqual([...deadLetterStates].sort());
  const reached = new Set(Object.values(deadLetterTransitions).flatMap((events) => Object.values(events)));
  expect([...reached].sort()).toEqual([...deadLetterStates].sort());
});
