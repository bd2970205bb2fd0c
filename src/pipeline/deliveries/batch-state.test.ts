import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { batchEvents, batchStates, batchTransitions, nextBatchState, openBatchStates } from './batch-state.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('the table is that of the database', async () => {
  const { rows } = await database.db.query<{ from: string; event: string; to: string }>(
    `/* transitions */ select from_state as "from", event, to_state as "to" from headgate.state_transitions where machine = 'batch'`,
  );
  const known = Object.entries(batchTransitions).flatMap(([from, events]) =>
    Object.entries(events).map(([event, to]) => `${from} ${event} ${to}`),
  );
  expect(rows.map(({ from, event, to }) => `${from} ${event} ${to}`).sort()).toEqual(known.sort());
});

it('the states are those that a batch row may have', async () => {
  const { rows } = await database.adminDb.query<{ definition: string }>(
    `/* check */ select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'batches_state_check' and conrelid = 'headgate.batches'::regclass`,
  );
  const states = [...rows[0]!.definition.matchAll(/'([a-z]+)'/g)].map((match) => match[1]);
  expect(states.sort()).toEqual([...batchStates].sort());
});

it('every state is reached, and every open one can end', () => {
  const reached = new Set(Object.values(batchTransitions).flatMap((events) => Object.values(events)));
  expect([...reached].sort()).toEqual([...batchStates].sort());
  const ends = (state: (typeof batchStates)[number], seen: readonly string[]): boolean =>
    !openBatchStates.includes(state) ||
    Object.values(batchTransitions[state]).some((next) => !seen.includes(next) && ends(next, [...seen, next]));
  expect(batchStates.filter((state) => !ends(state, [state]))).toEqual([]);
});

it('an event that a state does not have is a fault', () => {
  expect(() => nextBatchState('acked', 'send')).toThrowError(/acked/);
  expect(batchEvents.filter((event) => event in batchTransitions.ready)).toEqual(['send', 'split', 'hold', 'cancel', 'block', 'park']);
});
