/** The join of answers and records, and what they come to, held against the plainest account of both. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clearHits } from './ambiguous-answers.ts';
import { answerLevels } from './answer-levels.ts';
import { type Answer, hitsOf, type Sent, tableOf } from './answer-table.fixture.ts';
import type { AnswerTable } from './answer-table.ts';
import { type Hits, noHits } from './batch-answers.ts';
import { RecordAnswers, recordWords } from './record-answers.ts';
import { tellRecords } from './told-batch.ts';

/** Of an answer the first that says the same of the same; by itself where that is none. */
function firstSaying(answers: readonly Answer[], table: AnswerTable, index: number, isGrouped: boolean): number {
  const level = table.level[index];
  const isInGroup = level === answerLevels.group || (isGrouped && level === answerLevels.record);
  const { file, group: own, key: name } = answers[index]!;
  return answers.findIndex((each, at) => {
    if (table.problems.get(at) === 'no name' || table.level[at] !== level || table.word[at] !== table.word[index]) return false;
    return each.file === file && (!isInGroup || each.group === own) && (level !== answerLevels.record || each.key === name);
  });
}

const pairsOf = ({ answers, positions, length }: Hits) =>
  Array.from({ length }, (_, index) => `${answers[index]} ${positions[index]}`).sort();

const key = fc.constantFrom('A', 'B', 'AB', 'a"b', 'é,', '😀', null);
const group = fc.constantFrom('G', 'H', null);
const status = fc.constantFrom('ACCP', 'ACSC', 'RJCT', 'PDNG', 'PART', 'other', null);
const answer: fc.Arbitrary<Answer> = fc.record({
  file: fc.constantFrom('f1', 'f2', null),
  group,
  key,
  status,
  reason: fc.constantFrom('AC01', 'not a code', null),
});
const record: fc.Arbitrary<Sent> = fc.record({ id: key, group });

describe('the join', () => {
  it('finds exactly the records that answers name, whatever their bytes', () => {
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 40 }), fc.array(record, { maxLength: 40 }), fc.boolean(), (answers, sent, isGrouped) => {
        const table = tableOf(answers);
        const expected: string[] = [];
        for (const [index, each] of answers.entries()) {
          if (table.problems.get(index) === 'no name' || firstSaying(answers, table, index, isGrouped) !== index) continue;
          for (const [position, { id, group: own }] of sent.entries()) {
            const isOne = each.key !== null && each.key === id && (!isGrouped || each.group === null || each.group === own);
            const isOfMany = each.key === null && isGrouped && each.group !== null && each.group === own;
            if (isOne || isOfMany) expected.push(`${index} ${position}`);
          }
        }
        expect(pairsOf(hitsOf(table, sent, isGrouped))).toEqual(expected.sort());
      }),
      { numRuns: 1_000 },
    );
  });

  it('sets apart what can not be matched, and keeps codes as reasons, never words', () => {
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 30 }), (answers) => {
        const table = tableOf(answers);
        for (const [index, each] of answers.entries()) {
          const isNamed = each.key !== null || each.group !== null || each.file !== null;
          const isKnown = ['ACCP', 'ACSC', 'RJCT', 'PDNG'].includes(each.status ?? '') || (each.status === 'PART' && each.key === null);
          expect(table.problems.get(index)).toBe(!isNamed ? 'no name' : isKnown ? undefined : 'unknown status');
          expect(table.file[index]! < 0 ? null : table.files[table.file[index]!]).toBe(each.file);
          expect(table.reasons.get(index)).toBe(isNamed && each.status === 'RJCT' && each.reason === 'AC01' ? 'AC01' : undefined);
        }
      }),
    );
  });

  it('takes what is about one record that it does not name for nothing, where each answer is about one', () => {
    const rows = [null, 'A'].map((name): Answer => ({ file: 'f', group: 'G', key: name, status: 'RJCT', reason: null }));
    expect([...tableOf(rows, { about: 'records' }).problems]).toEqual([[0, 'no name']]);
    expect(tableOf(rows).problems.size).toBe(0);
  });

  it('finds each of a hundred thousand, among as many others', () => {
    const count = 100_000;
    const answers = Array.from(
      { length: count },
      (_, at): Answer => ({ file: null, group: null, key: `K${at * 2}`, status: 'ACCP', reason: null }),
    );
    const sent = Array.from({ length: count }, (_, at): Sent => ({ id: `K${at * 3}`, group: null }));
    const hits = hitsOf(tableOf(answers), sent, false);
    expect(hits.length).toBe(Math.ceil((2 * count) / 6));
    for (let index = 0; index < hits.length; index++) expect(hits.answers[index]! * 2).toBe(hits.positions[index]! * 3);
  });
});

it('as many answers about one name as records that have it are a word or two of each', () => {
  const count = 30_000;
  const answers = Array.from({ length: count }, (_, at): Answer => {
    const names = [
      { file: null, group: `P${at}`, key: 'NOTPROVIDED' },
      { file: null, group: 'G', key: null },
      { file: 'f', group: null, key: null },
    ];
    return { ...names[at % 3]!, status: at % 7 === 0 ? 'RJCT' : 'ACCP', reason: null };
  });
  const sent = Array.from({ length: count }, (): Sent => ({ id: 'NOTPROVIDED', group: 'G' }));
  const table = tableOf(answers);
  const [hits, grouped] = [hitsOf(table, sent, false), hitsOf(table, sent, true)];
  expect([hits.length, grouped.length]).toEqual([2 * count, 2 * count]);
  const { wholes } = table.lookup(true);
  expect(wholes).toHaveLength(2);
  const records = new RecordAnswers(Buffer.alloc(0), count, false);
  expect(tellRecords(records, { whole: wholes, hits: grouped, unclear: noHits }, table).contradicting.size).toBe(2);
});

it('what is said of one record is set apart where several have its name, unless the same is said as often as there are of them', () => {
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 12 }), fc.array(record, { maxLength: 12 }), fc.boolean(), (answers, sent, isGrouped) => {
      const table = tableOf(answers);
      const found = hitsOf(table, sent, isGrouped);
      const same = (index: number) => [...answers.keys()].filter((each) => firstSaying(answers, table, each, isGrouped) === index);
      const { hits, unclear, ambiguous } = clearHits(found, table, { records: sent.length, timesSaid: (index) => same(index).length });
      const pairs = pairsOf(found).map((pair) => pair.split(' ').map(Number) as [number, number]);
      const positionsOf = (index: number) => pairs.flatMap(([each, position]) => (each === index ? [position] : []));
      const isOne = (index: number) => table.level[index] === answerLevels.record;
      const expected = [...new Set(pairs.map(([index]) => index))].filter((index) => {
        const positions = positionsOf(index);
        if (!isOne(index) || positions.length === 1) return false;
        const others = pairs.filter(([each, position]) => isOne(each) && positions.includes(position) && positionsOf(each).length > 1);
        return same(index).length < positions.length || others.some(([each]) => table.word[each] !== table.word[index]);
      });
      expect(ambiguous).toEqual(new Set(expected));
      expect(pairsOf(unclear)).toEqual(pairs.filter(([index]) => expected.includes(index)).map((pair) => pair.join(' ')));
      expect(pairsOf(hits)).toEqual(pairs.filter(([index]) => !expected.includes(index)).map((pair) => pair.join(' ')));
    }),
    { numRuns: 1_000 },
  );
});

/** Of one record: what was said last that stands. */
interface Stand {
  word: number;
  isOwn: boolean;
  /** The file that said it together with others, or that it is pending, as long as no other did so since. */
  sharedBy: number;
  /** It said so of the file as a whole, and not of a group. */
  isOfWhole: boolean;
}

describe('what answers come to', () => {
  const told = fc.array(fc.record({ answers: fc.array(answer, { maxLength: 8 }), file: fc.nat({ max: 2 }) }), { maxLength: 6 });

  it('is what the plainest account says, and the same again changes nothing', () => {
    fc.assert(
      fc.property(told, fc.array(record, { minLength: 1, maxLength: 8 }), (batches, sent) => {
        let kept: Buffer = Buffer.alloc(0);
        let sharedBy = -1;
        const stands = sent.map((): Stand => ({ word: recordWords.none, isOwn: false, sharedBy: -1, isOfWhole: false }));
        for (const { answers, file } of batches) {
          const table = tableOf(answers);
          const all = [...answers.keys()].filter((index) => table.problems.get(index) !== 'no name');
          const isFirst = (index: number) => firstSaying(answers, table, index, true) === index;
          const ofWhole = all.filter((index) => table.level[index] === answerLevels.file);
          const whole = ofWhole.filter(isFirst);
          expect(table.lookup(true).wholes).toEqual(whole);
          const hits = hitsOf(table, sent, true);
          const known = new RecordAnswers(kept, sent.length, sharedBy === file);
          const result = tellRecords(known, { whole, hits, unclear: noHits }, table);
          // The same by hand: first words about many, then those about one.
          const contradicting = new Set<number>();
          const speakLast = (stand: Stand) => {
            if (sharedBy !== file) for (const each of stands) each.sharedBy = -1;
            stand.sharedBy = sharedBy = file;
          };
          const say = (index: number, position: number, isShared: boolean) => {
            const stand = stands[position]!;
            const word = table.word[index]!;
            const isWhole = table.level[index] === answerLevels.file;
            const isSaidByThisFile = stand.sharedBy === file && sharedBy === file;
            const isOfThisFile = !stand.isOwn && isSaidByThisFile;
            const isFinal = (each: number) => each === recordWords.accepted || each === recordWords.refused;
            if (word === recordWords.none) return;
            // That one is pending stands against what the same file says of many, and gives way to what another does.
            const isSettled = stand.word === recordWords.pending && isFinal(word) && !isSaidByThisFile;
            if (isShared && stand.isOwn && !isSettled) return;
            // What a file says of a group or of one record is an exception to what it says of the whole, whichever comes first.
            if (isWhole && isOfThisFile && !stand.isOfWhole) return;
            if (word === stand.word) {
              stand.isOwn ||= !isShared;
              if (!isShared && word === recordWords.pending) speakLast(stand);
              if (isOfThisFile && !isWhole) stand.isOfWhole = false;
            } else if (!isFinal(stand.word) || (isOfThisFile && (!isShared || stand.isOfWhole))) {
              if (isFinal(stand.word) && isWhole) return void (isFinal(word) && contradicting.add(index));
              [stand.word, stand.isOwn] = [word, !isShared];
              if (isShared || word === recordWords.pending) speakLast(stand);
              if (isShared) stand.isOfWhole = isWhole;
            } else if (isFinal(word)) contradicting.add(index);
          };
          // All that was said, also where it was said before.
          const pairs = [...sent.entries()].flatMap(([position, { id, group: own }]) =>
            all
              .filter((index) => {
                const { key: name, group: named } = answers[index]!;
                return name !== null ? name === id && (named === null || named === own) : named !== null && named === own;
              })
              .map((index) => [index, position] as const),
          );
          // A group that is told of one by one is named: what the same file says of the whole is not said of its records.
          for (const [index, position] of pairs) {
            const stand = stands[position]!;
            if (table.level[index] !== answerLevels.group || table.word[index] !== recordWords.none) continue;
            if (stand.sharedBy === file && sharedBy === file) {
              if (!stand.isOwn && stand.isOfWhole) [stand.word, stand.isOfWhole] = [recordWords.none, false];
            } else if (stand.word === recordWords.none || stand.word === recordWords.pending) {
              speakLast(stand);
              stand.isOfWhole = false;
            }
          }
          for (const index of ofWhole) for (const position of sent.keys()) say(index, position, true);
          for (const [index, position] of pairs) if (table.level[index] === answerLevels.group) say(index, position, true);
          for (const [index, position] of pairs) if (table.level[index] === answerLevels.record) say(index, position, false);
          expect([...known.bytes].map((byte) => byte & 3)).toEqual(stands.map(({ word }) => word));
          const contradicts = (index: number) => result.contradicting.has(firstSaying(answers, table, index, true));
          expect(new Set(all.filter(contradicts))).toEqual(contradicting);
          expect(known.isSharer).toBe(sharedBy === file);
          const counts = known.counts();
          expect(counts.accepted + counts.refused + counts.pending).toBe(stands.filter(({ word }) => word !== recordWords.none).length);
          // Told again, as after an end of the process between the commit and the end of the delivery.
          const again = new RecordAnswers(known.bytes, sent.length, known.isSharer);
          tellRecords(again, { whole, hits, unclear: noHits }, table);
          expect(again.bytes).toEqual(known.bytes);
          kept = known.bytes;
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes back what it refused together with others, where the same file says so of one', () => {
    const sent = ['A', 'B'].map((id) => ({ id, group: 'G' }));
    const tell = (status: string, isSharer: boolean, known: Uint8Array, ofKey: string | null) => {
      const table = tableOf([{ file: 'f', group: 'G', key: ofKey, status, reason: null }]);
      const records = new RecordAnswers(known, 2, isSharer);
      return {
        ...tellRecords(records, { whole: [], hits: hitsOf(table, sent, true), unclear: noHits }, table),
        bytes: records.bytes,
        counts: records.counts(),
      };
    };
    const refused = tell('RJCT', false, Buffer.alloc(0), null);
    expect([refused.refused.map(({ position }) => position), refused.takenBack]).toEqual([[0, 1], []]);
    expect(tell('ACCP', true, refused.bytes, 'B')).toMatchObject({ takenBack: [1], refused: [], counts: { accepted: 1, refused: 1 } });
    expect(tell('PDNG', true, refused.bytes, 'B')).toMatchObject({ takenBack: [1], counts: { pending: 1, refused: 1 } });
    expect(tell('ACCP', false, refused.bytes, 'B').contradicting).toEqual(new Set([0]));
  });

  it('takes what a file says of a group for an exception to what it says of the whole, whichever comes first', () => {
    const sent = ['A', 'B', 'AB'].map((id, index) => ({ id, group: index === 0 ? 'G' : 'H' }));
    const whole: Answer = { file: 'f', group: null, key: null, status: 'ACCP', reason: null };
    for (const status of ['RJCT', 'PDNG'])
      for (const parts of [
        [whole, { ...whole, group: 'H', status }],
        [{ ...whole, group: 'H', status }, whole],
      ]) {
        let kept: Buffer = Buffer.alloc(0);
        const contradicting: number[] = [];
        for (const [index, part] of parts.entries()) {
          const table = tableOf([part]);
          const records = new RecordAnswers(kept, 3, index > 0);
          const told = tellRecords(
            records,
            { whole: part.group === null ? [0] : [], hits: hitsOf(table, sent, true), unclear: noHits },
            table,
          );
          contradicting.push(...told.contradicting);
          kept = records.bytes;
        }
        const other = status === 'RJCT' ? { refused: 2, pending: 0 } : { refused: 0, pending: 2 };
        expect([new RecordAnswers(kept, 3, true).counts(), contradicting]).toEqual([{ accepted: 1, ...other }, []]);
      }
  });

  it('takes no group that is told of one by one for what the same file says of the whole, whichever comes first', () => {
    const sent = ['A', 'B', 'AB'].map((id, index) => ({ id, group: index === 0 ? 'G' : 'H' }));
    const whole: Answer = { file: 'f', group: null, key: null, status: 'ACCP', reason: null };
    const listed = [
      { ...whole, group: 'H', status: 'PART' },
      { ...whole, group: 'H', key: 'AB', status: 'RJCT' },
    ];
    for (const status of ['ACCP', 'RJCT'])
      for (const parts of [[[{ ...whole, status }, ...listed]], [[{ ...whole, status }], listed], [listed, [{ ...whole, status }]]]) {
        let kept: Buffer = Buffer.alloc(0);
        const told = parts.map((part, index) => {
          const table = tableOf(part);
          const records = new RecordAnswers(kept, 3, index > 0);
          const of = { whole: part[0]!.group === null ? [0] : [], hits: hitsOf(table, sent, true), unclear: noHits };
          const result = tellRecords(records, of, table);
          kept = records.bytes;
          return [...result.contradicting];
        });
        const refused = status === 'RJCT' ? 2 : 1;
        expect([new RecordAnswers(kept, 3, true).counts(), told.flat()]).toEqual([{ accepted: 2 - refused, refused, pending: 0 }, []]);
      }
  });

  it('lists the records that are refused one by one, with the answer that refuses them', () => {
    const sent = ['A', 'B', 'AB'].map((id) => ({ id, group: 'G' }));
    const answers = (...rows: readonly (readonly [string | null, string | null, string])[]) =>
      rows.map(([ofGroup, ofKey, each]): Answer => ({ file: 'f', group: ofGroup, key: ofKey, status: each, reason: null }));
    const tell = (given: readonly Answer[], whole: readonly number[] = []) => {
      const table = tableOf(given);
      return tellRecords(new RecordAnswers(Buffer.alloc(0), 3, false), { whole, hits: hitsOf(table, sent, true), unclear: noHits }, table)
        .refused;
    };
    expect(tell(answers([null, 'AB', 'RJCT'], [null, 'A', 'RJCT'], [null, 'B', 'ACCP']))).toEqual([
      { position: 0, answer: 1 },
      { position: 2, answer: 0 },
    ]);
    expect(tell(answers(['G', null, 'RJCT'], ['G', 'B', 'ACCP']))).toEqual([
      { position: 0, answer: 0 },
      { position: 2, answer: 0 },
    ]);
    // Of a file as a whole, no row for each record.
    expect(tell(answers([null, null, 'RJCT']), [0])).toEqual([]);
    expect(noHits.length).toBe(0);
  });
});
