import { describe, expect, it } from 'vitest';
import { countHeld, printStory, type StoryDocument, type StoryTarget, storyFailures } from './story-report.ts';

const target: StoryTarget = {
  target: 'payments',
  routed: 200,
  delivered: 200,
  via: {},
  held: 200,
  duplicates: 20,
  unlabelledDuplicates: 0,
  breaker: 'closed',
};
const sound = { openedAfterSeconds: { payments: 0.8, ledger: 4.999 }, targets: [target], orderKept: true, balanced: true };

describe('the breaker story', () => {
  it('has no failures where breakers opened in time and every duplicate was labelled', () => {
    expect(storyFailures(sound)).toEqual([]);
  });

  it.each<[string, Partial<typeof sound>, string]>([
    [
      'a breaker that took 5 s',
      { openedAfterSeconds: { payments: 0.8, ledger: 5 } },
      'the breaker of ledger opened after 5 s under load, not in less than 5 s',
    ],
    [
      'duplicates without a label',
      { targets: [{ ...target, unlabelledDuplicates: 20 }] },
      '20 records for payments came again without the label of a possible duplicate',
    ],
    ['a broken order', { orderKept: false, balanced: false }, 'ledger does not hold every record, or not in the order of the files'],
    ['counts that differ', { balanced: false }, 'a job or a target does not balance'],
  ])('fails in a sentence for %s, which its text says too', (_, changes, sentence) => {
    const told = { ...sound, ...changes };
    expect(storyFailures(told)).toEqual([sentence]);
    const document: StoryDocument = {
      story: 'breaker',
      steps: [],
      files: 1,
      records: 200,
      parkedMost: 3,
      seconds: 9,
      ...told,
      failures: storyFailures(told),
    };
    expect(printStory(document)).toContain(`FAILED: ${sentence}`);
  });
});

describe('what downstreams hold', () => {
  const first = { id: 'a', isLabelled: false };
  const again = { id: 'a', isLabelled: true };
  it.each([
    ['once each', [first, { ...first, id: 'b' }], { held: 2, duplicates: 0, unlabelledDuplicates: 0 }],
    ['again with the label', [first, again, again], { held: 1, duplicates: 2, unlabelledDuplicates: 0 }],
    ['the labelled one first', [again, first], { held: 1, duplicates: 1, unlabelledDuplicates: 0 }],
    ['again without the label', [first, again, first], { held: 1, duplicates: 2, unlabelledDuplicates: 1 }],
  ])('%s', (_, held, counts) => {
    expect(countHeld(held)).toEqual(counts);
  });
});
