import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import {
  type ArrivalEvent,
  type ArrivalState,
  arrivalEvents,
  arrivalStates,
  arrivalTransitions,
  nextArrivalState,
  statesThrough,
} from './arrival-state.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const transitions = Object.entries(arrivalTransitions).flatMap(([from, events]) =>
  Object.entries(events).map(([event, to]) => `${from} ${event} ${to}`),
);

it("the table is the database's, whole", async () => {
  const { rows } = await database.db.query<{ text: string }>(
    "/* transitions */ select from_state || ' ' || event || ' ' || to_state as text from headgate.state_transitions where machine = 'arrival'",
  );
  expect(rows.map((row) => row.text).sort()).toEqual(transitions.toSorted());
});

it('the states are those of the column, and each can be reached', async () => {
  const { rows } = await database.adminDb.query<{ definition: string }>(
    "/* check */ select pg_get_constraintdef(oid) as definition from pg_constraint where conrelid = 'headgate.arrivals'::regclass and contype = 'c'",
  );
  expect([...rows[0]!.definition.matchAll(/'([a-z]+)'::text/g)].map((match) => match[1])).toEqual([...arrivalStates]);
  const reached = new Set<string>(['']);
  for (let size = 0; size !== reached.size; ) {
    size = reached.size;
    for (const state of [...reached]) for (const next of Object.values(arrivalTransitions[state as ArrivalState])) reached.add(next);
  }
  expect([...reached].sort()).toEqual(['', ...arrivalStates].sort());
});

it('every pair that is not in the table is refused', () => {
  for (const state of ['', ...arrivalStates] as const) {
    for (const event of arrivalEvents) {
      const isLegal = transitions.some((each) => each.startsWith(`${state} ${event} `));
      const move = () => nextArrivalState(state, event as ArrivalEvent);
      if (isLegal) expect(move()).toBe(arrivalTransitions[state][event]);
      else expect(move).toThrow(/has no event/);
    }
  }
});

it('no index says anything of the state, so that a move changes none', async () => {
  const { rows } = await database.adminDb.query<{ definition: string }>(
    "/* indexes */ select indexdef as definition from pg_indexes where schemaname = 'headgate' and tablename = 'arrivals'",
  );
  expect(rows.length).toBeGreaterThan(0);
  for (const { definition } of rows) expect(definition).not.toMatch(/\bstate\b/);
});

it('steps that are made together lead where they lead one by one', () => {
  for (const event of arrivalEvents.filter((each) => each.includes('+')))
    expect(statesThrough('complete', event).at(-1)).toBe(nextArrivalState('complete', event));
  expect(statesThrough('complete', 'verify+accept')).toEqual(['verified', 'accepted']);
});
