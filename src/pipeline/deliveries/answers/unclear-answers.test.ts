/** What leaves records pending, and what settles that. */
import { describe, expect, it } from 'vitest';
import { clearHits } from './ambiguous-answers.ts';
import { type Answer, hitsOf, tableOf } from './answer-table.fixture.ts';
import { noHits } from './batch-answers.ts';
import { RecordAnswers, recordWords } from './record-answers.ts';
import { tellRecords } from './told-batch.ts';

describe('what answers come to', () => {
  it('settles what another file said is pending with what is said of many, but not with what is said of those that are not listed', () => {
    const pending: Answer = { file: 'f', group: 'G', key: 'A', status: 'PDNG', reason: null };
    const tell = (status: string, group: string | null, isSameFile: boolean) => {
      const known = new RecordAnswers(Buffer.alloc(0), 1, false);
      const sent = [{ id: 'A', group: 'G' }];
      const first = tableOf([pending]);
      tellRecords(known, { whole: [], hits: hitsOf(first, sent, true), unclear: noHits }, first);
      const table = tableOf([{ ...pending, group, key: null, status }], { unlisted: 'accepted' });
      const again = new RecordAnswers(known.bytes, 1, isSameFile);
      tellRecords(again, { whole: group === null ? [0] : [], hits: hitsOf(table, sent, true), unclear: noHits }, table);
      return Object.entries(again.counts()).filter(([, count]) => count === 1)[0]![0];
    };
    for (const group of [null, 'G']) {
      expect([tell('RJCT', group, false), tell('ACCP', group, false)]).toEqual(['refused', 'accepted']);
      expect([tell('RJCT', group, true), tell('ACCP', group, true)]).toEqual(['pending', 'pending']);
      expect([tell('PART', group, false), tell('PDNG', group, false)]).toEqual(['pending', 'pending']);
    }
  });

  it('has no news where another file says the same of the whole and of the one that is pending', () => {
    const whole: Answer = { file: 'f', group: null, key: null, status: 'ACCP', reason: null };
    const table = tableOf([whole, { ...whole, key: 'A', status: 'PDNG' }]);
    const said = {
      whole: [0],
      hits: hitsOf(
        table,
        [
          { id: 'A', group: 'G' },
          { id: 'B', group: 'G' },
        ],
        true,
      ),
      unclear: noHits,
    };
    const first = new RecordAnswers(Buffer.alloc(0), 2, false);
    expect(tellRecords(first, said, table).contradicting.size).toBe(0);
    const again = new RecordAnswers(first.bytes, 2, false);
    tellRecords(again, said, table);
    expect([first.hasNews, again.hasNews, again.counts()]).toEqual([true, false, { accepted: 1, refused: 0, pending: 1 }]);
  });

  it('leaves pending what an answer may be about that can not be matched, but where the same file says as much of many', () => {
    const sent = ['A', 'A', 'B', 'C'].map((id, index) => ({ id, group: index === 3 ? 'H' : 'G' }));
    const row = (group: string | null, ofKey: string | null, each: string): Answer => ({
      file: 'f',
      group,
      key: ofKey,
      status: each,
      reason: null,
    });
    const tell = (answers: readonly Answer[], about?: 'records') => {
      const table = tableOf(answers, { about });
      const { hits, unclear } = clearHits(hitsOf(table, sent, true), table, { records: 4, timesSaid: () => 1 });
      const known = new RecordAnswers(Buffer.alloc(0), 4, false);
      const { refused } = tellRecords(known, { whole: table.lookup(true).wholes, hits, unclear }, table);
      return [[...known.bytes].map((byte) => byte & 3), refused.map(({ position }) => position)];
    };
    const { none, pending, accepted, refused } = recordWords;
    const whole = (each: string) => row(null, null, each);
    // One of two, and one whose status nobody knows.
    expect(tell([whole('ACCP'), row(null, 'A', 'RJCT')])).toEqual([[pending, pending, accepted, accepted], []]);
    expect(tell([whole('ACCP'), row(null, 'B', 'other')])).toEqual([[accepted, accepted, pending, accepted], []]);
    expect(tell([whole('RJCT'), row(null, 'A', 'RJCT')])).toEqual([[refused, refused, refused, refused], []]);
    expect(tell([row('G', null, 'RJCT'), row(null, 'A', 'ACCP')])).toEqual([[pending, pending, refused, none], [2]]);
    // One of a group, which is not named.
    const nameless = [row('G', null, 'RJCT'), row(null, 'B', 'ACCP')];
    expect(tell(nameless, 'records')).toEqual([[pending, pending, accepted, none], []]);
    expect(tell(nameless.toReversed(), 'records')).toEqual([[pending, pending, accepted, none], []]);
  });
});
