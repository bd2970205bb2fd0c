import { describe, expect, it } from 'vitest';
import type { SoakResult } from './soak-run.ts';
import { failuresOf } from './soak-verdict.ts';

const sound: SoakResult = {
  acked: 300,
  lost: 0,
  unexpected: 0,
  downstreamDuplicates: 7,
  unlabelledDuplicates: 0,
  rekeyedDuplicates: 0,
  outOfOrder: 0,
  targets: {},
  acknowledgedBy: { upload: 200, folder: 100 },
  doubledInLedger: 0,
  unbalancedJobs: 0,
  stuckJobs: 0,
  lostWork: 0,
  eventFaults: 0,
  kills: 30,
  inFlightAtKill: 90,
  points: { 'jobs.before-commit': 2, 'jobs.after-commit': 0 },
  faults: { pauses: 1, drains: 0, databaseRestarts: 1, lostCommits: 1, lostRequests: 1 },
  surprises: [],
  examples: [],
};
const numbers = [
  'lost',
  'unexpected',
  'doubledInLedger',
  'unlabelledDuplicates',
  'rekeyedDuplicates',
  'outOfOrder',
  'unbalancedJobs',
  'stuckJobs',
  'lostWork',
  'eventFaults',
] as const;

describe('a soak', () => {
  it('that found nothing has no failures', () => {
    expect(failuresOf(sound, 30, { 'no-fence': true })).toEqual([]);
  });

  it.each(numbers)('fails in a sentence when %s is not zero', (name) => {
    expect(failuresOf({ ...sound, [name]: 2 }, 30, {})).toEqual([expect.stringMatching(new RegExp(`^${name} is 2, not 0: \\w+,? `))]);
  });

  it.each<[string, Partial<SoakResult>, string]>([
    [
      'too little traffic',
      { acked: 299 },
      'only 299 files were acknowledged in 30 kills: below 300 the processes were idle when they were killed',
    ],
    ['too few kills', { kills: 29 }, 'only 29 of 30 kills were made'],
    ['an end of a process', { surprises: ['server-0 ended with code 1 while it ran'] }, 'server-0 ended with code 1 while it ran'],
  ])('fails in a sentence for %s', (_, changes, sentence) => {
    expect(failuresOf({ ...sound, ...changes }, 30, {})).toEqual([sentence]);
  });

  it('fails for a point that was never hit, from 100 kills on', () => {
    const long = { ...sound, kills: 100, acked: 1_000 };
    expect(failuresOf(long, 100, {})).toEqual(['no process was killed at the point jobs.after-commit']);
  });

  it('fails for a planted mistake that was not caught, also without a run of its own', () => {
    expect(failuresOf(undefined, 30, { 'no-fence': false })).toEqual(['the planted mistake no-fence was not caught']);
  });
});
