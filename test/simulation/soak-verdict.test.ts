import { describe, expect, it } from 'vitest';
import { targetsOf } from './soak-flows.ts';
import type { SoakResult } from './soak-run.ts';
import { failuresOf } from './soak-verdict.ts';

const sound: SoakResult = {
  scope: 'usual',
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
const come = { received: 5, duplicates: 0, unlabelled: 0, rekeyed: 0, missing: 0, unexpected: 0, outOfOrder: 0 };
const soundWide: SoakResult = {
  ...sound,
  scope: 'all',
  acked: 1_000,
  kills: 100,
  points: {},
  acknowledgedBy: { upload: 600, folder: 100, sftp: 300 },
  targets: Object.fromEntries(targetsOf('all').map((target) => [target, come])),
  faults: { ...sound.faults, kafkaLost: 3, mariadbRestarts: 2, kafkaErrors: 1 },
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

  describe('with all targets', () => {
    const verdictOf = (changes: Partial<SoakResult>) => failuresOf({ ...soundWide, ...changes }, changes.kills ?? 100, {});

    it('that found nothing has no failures', () => {
      expect(verdictOf({})).toEqual([]);
    });

    it.each(['upload', 'folder', 'sftp'] as const)('fails when nothing came by %s', (way) => {
      const { [way]: _, ...others } = soundWide.acknowledgedBy;
      const sentence = `no file was acknowledged that came by ${way}`;
      expect(verdictOf({ acknowledgedBy: { ...others, [way]: 0 } })).toEqual([sentence]);
      expect(verdictOf({ acknowledgedBy: others })).toEqual([sentence]);
    });

    it.each(targetsOf('all'))('fails when nothing came to %s', (target) => {
      const { [target]: _, ...others } = soundWide.targets;
      const sentence = `no record came to the target ${target}`;
      expect(verdictOf({ targets: { ...others, [target]: { ...come, received: 0 } } })).toEqual([sentence]);
      expect(verdictOf({ targets: others })).toEqual([sentence]);
    });

    it.each(['kafkaErrors', 'kafkaLost', 'mariadbRestarts', 'databaseRestarts', 'lostRequests'])(
      'fails for the fault %s that was never made, from 100 kills on, and not where it cannot be made',
      (name) => {
        const without = { ...soundWide.faults, [name]: 0 };
        expect(verdictOf({ faults: without })).toEqual([`the fault ${name} was not made once in 100 kills`]);
        expect(verdictOf({ faults: without, kills: 99 })).toEqual([]);
        expect(verdictOf({ faults: { ...without, [name]: null } })).toEqual([]);
      },
    );
  });

  it('fails for a planted mistake that was not caught, also without a run of its own', () => {
    expect(failuresOf(undefined, 30, { 'no-fence': false })).toEqual(['the planted mistake no-fence was not caught']);
  });
});
