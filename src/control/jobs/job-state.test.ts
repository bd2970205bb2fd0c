import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { chunkGroupStates, chunkGroupTransitions, nextChunkGroupState } from './groups/chunk-group-state.ts';
import { closedJobStates, jobEvents, jobStates, jobTransitions, nextJobState, statesBefore } from './job-state.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

type Table = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

function rowsOf(table: Table): string[] {
  return Object.entries(table)
    .flatMap(([from, events]) => Object.entries(events).flatMap(([event, to]) => [to].flat().map((end) => `${from} ${event} ${end}`)))
    .sort();
}

describe('the tables of states', () => {
  it.each([
    ['job', jobTransitions as Table],
    ['chunk_group', chunkGroupTransitions as Table],
  ])('of a %s is the one that the database enforces', async (machine, table) => {
    const { rows } = await database.db.query<{ move: string }>(
      "/* read transitions */ select from_state || ' ' || event || ' ' || to_state as move from headgate.state_transitions where machine = $1",
      [machine],
    );
    expect(rows.map((row) => row.move).sort()).toEqual(rowsOf(table));
  });

  it('reach every state from the start, and every open state reaches a closed one', () => {
    for (const [table, states] of [
      [jobTransitions as Table, jobStates],
      [chunkGroupTransitions as Table, chunkGroupStates],
    ] as const) {
      const endsOf = (state: string) => Object.values(table[state]!).flat();
      const reached = new Set(['']);
      for (const state of reached) for (const next of endsOf(state)) reached.add(next);
      expect([...reached].sort()).toEqual(['', ...states].sort());
      const closing = new Set(states.filter((state) => endsOf(state).length === 0).map(String));
      for (let size = 0; size !== closing.size; ) {
        size = closing.size;
        for (const state of states) if (endsOf(state).some((next) => closing.has(next))) closing.add(state);
      }
      expect([...closing].sort()).toEqual([...states].sort());
    }
  });

  it('a closed job stays closed', () => {
    expect(closedJobStates).toEqual(['completed', 'completed_with_failures', 'rejected', 'cancelled']);
    for (const state of closedJobStates) for (const event of jobEvents) expect(() => nextJobState(state, event)).toThrow();
  });

  it('any walk by the table stays inside it, and a step that is not in it throws', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...jobEvents)), (events) => {
        let state: Parameters<typeof nextJobState>[0] = '';
        for (const event of events) {
          const ends: readonly string[] = jobTransitions[state][event] ?? [];
          if (ends.length !== 1) expect(() => nextJobState(state, event)).toThrow();
          else state = nextJobState(state, event);
          expect(['', ...jobStates]).toContain(state);
        }
      }),
    );
  });

  it('knows from where an event is possible', () => {
    expect(statesBefore('cancel')).toEqual(['queued', 'running', 'checking', 'held', 'delivering']);
    expect(statesBefore('release')).toEqual(['held']);
    expect(() => nextChunkGroupState('done', 'finish')).toThrow();
    expect(nextChunkGroupState('running', 'finish')).toBe('done');
  });

  it('are those of docs/jobs.md, which names every crash point too', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/jobs.md'), 'utf8');
    for (const table of [jobTransitions as Table, chunkGroupTransitions as Table]) {
      for (const [state, events] of Object.entries(table)) {
        const moves = Object.entries(events).map(([event, to]) => `${event} → ${[to].flat().join(' or ')}`);
        expect(page).toContain(`| ${state || '(new)'} | ${moves.join(', ')}${moves.length > 0 ? ' ' : ''}|`);
      }
    }
    const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts') && !name.includes('.test.'),
    );
    const points = sources.flatMap((name) => [...readFileSync(join(import.meta.dirname, name), 'utf8').matchAll(/reach\('([a-z.-]+)'\)/g)]);
    expect(points.length).toBeGreaterThan(10);
    for (const [, point] of points) expect(page).toMatch(new RegExp(`${point}[,.]`));
  });
});
