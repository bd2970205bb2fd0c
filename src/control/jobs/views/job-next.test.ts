import { describe, expect, it } from 'vitest';
import { emptyTotals, type JobTotals } from '../job-totals.ts';
import { nextOfJob, reasonOf } from './job-next.ts';

const job = {
  jobId: 'J',
  flow: 'eft',
  state: 'held',
  reasonCode: null,
  reason: null,
  decidedBy: null,
  decision: null,
  totals: null,
  hasOpenLetters: true,
} as const;
const none = {
  ...{ refused: 0, dead: 0, held: 0, parked: 0, isKeptOpen: false },
  ...{ behindHeld: 0, behindJob: null, waitingForWindow: 0, windowEndsAt: null },
};
const checked = (damage: readonly object[]) => ({ ...emptyTotals, checked: { check: { damage } } }) as unknown as JobTotals;

describe('what can be done about a job', () => {
  it("that a file rule of the flow's own holds is to release or reject it", () => {
    expect(nextOfJob({ ...job, reasonCode: 'CTL01', totals: checked([]) }, {})).toMatch(
      /^To decide: `headgate job release J --reason TEXT` .* `headgate job reject J --reason TEXT`/,
    );
  });

  it.each([
    ['of which a part could not be processed', { ...job, reasonCode: 'E_CHUNK_FAILED', totals: emptyTotals }],
    ['whose header row lacks a column', { ...job, reasonCode: 'E_COLUMN_MISSING', totals: checked([{ code: 'E_COLUMN_MISSING' }]) }],
  ] as const)('%s is never to release it', (_what, held) => {
    expect(nextOfJob(held, {})).toMatch(/^\w.*It can't be released, .*`headgate job reject J --reason TEXT`/);
    expect(nextOfJob(held, {})).not.toContain('job release');
  });

  it.each(['cancelled', 'completed'] as const)('that is %s is nothing, whatever it was held for before', (state) => {
    expect(nextOfJob({ ...job, state, reasonCode: 'E_ACCEPTANCE', decidedBy: 'key:1' }, {})).toBeNull();
  });

  it('that was rejected is to look at what was found, unless a person rejected it', () => {
    const rejected = { ...job, state: 'rejected', reasonCode: 'E_ACCEPTANCE' } as const;
    expect(nextOfJob(rejected, {})).toMatch(/^Correct the rejected records .*headgate job errors J/);
    expect(nextOfJob({ ...rejected, decidedBy: 'key:1' }, {})).toBeNull();
  });

  it('that was released says nothing of what it was held for while it is delivered', () => {
    expect(nextOfJob({ ...job, state: 'delivering', reasonCode: 'E_ACCEPTANCE', decidedBy: 'key:1' }, {})).toBeNull();
    expect(nextOfJob({ ...job, state: 'delivering', reasonCode: 'E_OBJECT_MISSING' }, {})).toMatch(/^\w/);
  });

  it('that is delivered to a target whose breaker is open is to wait, to one that holds batches to decide', () => {
    const delivering = { ...job, state: 'delivering' } as const;
    const ledger = { ...none, parked: 4 };
    expect(nextOfJob(delivering, { ledger, copy: none })).toMatch(/^Nothing, unless it lasts: .*`headgate target get eft ledger`\.$/);
    expect(nextOfJob(delivering, { ledger, copy: { ...none, held: 1 } })).toBe(
      'Decide about what is held for copy: `headgate batch list --job J --state held`.',
    );
    expect(nextOfJob(delivering, { copy: none })).toBeNull();
    expect(nextOfJob(delivering, { ledger: { ...ledger, isKeptOpen: true } })).toContain('`headgate target breaker auto eft ledger`');
  });

  it('that waits for another one, for held batches of other files, or for a window is to look there', () => {
    const delivering = { ...job, state: 'delivering' } as const;
    const next = (counts: object) => nextOfJob(delivering, { copy: { ...none, ...counts } });
    expect(next({ behindHeld: 1, behindJob: 'E' })).toMatch(/for copy .* wait for job E, .* is held: `headgate job get E`/);
    expect(next({ behindHeld: 1 })).toContain('`headgate batch list --flow eft --target copy --state held`');
    expect(next({ held: 1, behindHeld: 1, behindJob: 'E' })).toMatch(/^Decide about what is held for copy/);
    const windowEndsAt = new Date('2026-01-31T10:00:00Z');
    expect(next({ waitingForWindow: 3, windowEndsAt })).toMatch(/^Nothing: .*copy until 2026-01-31T10:00:00\.000Z/);
  });

  it('that does not balance is what the catalogue says, in any state', () => {
    for (const state of ['delivering', 'cancelled'] as const)
      expect(nextOfJob({ ...job, state, reasonCode: 'E_UNBALANCED' }, {})).toMatch(/retry-close/);
  });

  it('that completed with failures is to look at its dead letters, and its reason tells them by target', () => {
    const failed = { ...job, state: 'completed_with_failures' } as const;
    expect(nextOfJob(failed, {})).toContain('headgate dead-letter list --job J');
    expect(nextOfJob({ ...failed, hasOpenLetters: false }, {})).toBeNull();
    const counts = { ledger: { ...none, refused: 2, dead: 1 }, copy: none };
    expect(reasonOf(failed, counts)).toBe('records not delivered at target ledger: 2 refused, 1 given up');
    expect(reasonOf({ ...failed, reason: 'agreed' }, counts)).toBe('agreed');
  });
});
