import { expect, it } from 'vitest';
import { readAch } from '../../src/pipeline/formats/nacha/ach-files.fixture.ts';
import { makeAch } from '../../src/pipeline/formats/nacha/making/made-files.fixture.ts';
import { refusalOf, writeAch } from '../../src/pipeline/formats/nacha/writing/written-files.fixture.ts';
import { seededRandom } from '../simulation/seeded-random.ts';
import { changed, type Random } from './changes.ts';
import { goodFiles } from './good-files.ts';

function randomOf(seed: number): Random {
  const random = seededRandom(seed);
  return { integer: (below) => Math.floor(random.fraction() * below) };
}

it('changed ACH files that are accepted are written again byte by byte', () => {
  let accepted = 0;
  for (let number = 0; number < 1_500; number++) {
    const bytes = changed(goodFiles.nacha[number % goodFiles.nacha.length]!, randomOf(number), goodFiles.nacha);
    const { document, findings } = readAch(bytes);
    if (findings.some(({ severity }) => severity === 'error')) continue;
    accepted++;
    // More than is kept lies between two records, or behind the last.
    if (/"(?:before|trailer)":null/.test(document)) continue;
    let isSame = false;
    const refusal = refusalOf(() => {
      isSame = writeAch(document, { computed: 'keep' }).bytes.equals(bytes);
    });
    // Bytes that are no characters lie between records only, where the reader does not refuse them.
    if (refusal === 'none') expect([number, isSame]).toEqual([number, true]);
    else expect([number, refusal]).toEqual([number, expect.stringMatching(/^E_NACHA_DOCUMENT \/.*(?:trailer|before): /)]);
  }
  expect(accepted).toBeGreaterThan(100);
});

it('changed documents of ACH files are written as files that are accepted, or refused with a code', () => {
  const documents = goodFiles.nacha.map((bytes) => Buffer.from(readAch(bytes).document));
  let written = 0;
  for (let number = 0; number < 600; number++) {
    const random = randomOf(number);
    const document = changed(documents[number % documents.length]!, random, documents).toString('latin1');
    let isAccepted = false;
    const refusal = refusalOf(() => {
      const { bytes } = writeAch(document, { lineEnd: random.integer(2) === 0 ? 'document' : 'CRLF' });
      isAccepted = readAch(bytes).findings.every(({ severity }) => severity === 'warn');
    });
    if (refusal === 'none') {
      written++;
      expect([number, isAccepted]).toEqual([number, true]);
    } else expect([number, refusal]).toEqual([number, expect.stringMatching(/^E_(?:NACHA|DOCUMENT)_[A-Z]+ /)]);
    refusalOf(() => writeAch(document, { computed: 'keep', findings: 'keep' }));
  }
  expect(written).toBeGreaterThan(20);
});

const oddValues = [null, true, -1, 1.5, 1e20, 0, '', '0', 'x'.repeat(200), '\u0000', '\ud83d\ude00', [], [[]], {}, { '': {} }];

/** One value of the document, wherever it is, is another one, or another member of its object. */
function swapped(value: unknown, random: Random): unknown {
  if (value === null || typeof value !== 'object' || random.integer(8) === 0) return oddValues[random.integer(oddValues.length)];
  const keys = Object.keys(value);
  if (keys.length === 0) return value;
  const key = keys[random.integer(keys.length)]!;
  const members = value as Record<string, unknown>;
  if (Array.isArray(value)) return value.map((each, index) => (String(index) === key ? swapped(each, random) : each));
  const other = members[keys[random.integer(keys.length)]!];
  return { ...members, [key]: random.integer(6) === 0 ? other : swapped(members[key], random) };
}

it('documents with values of other kinds are written as files that are accepted, or refused with a code', () => {
  const documents = goodFiles.nacha.map((bytes) => JSON.parse(readAch(bytes).document));
  const flat = {
    fileHeader: documents[0].fileHeader,
    entries: [{ ...documents[0].batches[0].batchHeader, ...documents[0].batches[0].entryDetails[0] }],
  };
  for (let number = 0; number < 800; number++) {
    const random = randomOf(number);
    const document = swapped(number % 5 === 0 ? flat : documents[number % documents.length], random);
    let isAccepted = true;
    const refusal = refusalOf(() => {
      isAccepted = readAch(writeAch(document).bytes).findings.every(({ severity }) => severity === 'warn');
    });
    expect([number, isAccepted, refusal]).toEqual([number, true, expect.stringMatching(/^(?:none|E_(?:NACHA|DOCUMENT)_[A-Z]+ .*)$/)]);
    refusalOf(() => writeAch(document, { computed: 'keep', findings: 'keep' }));
  }
});

it('requests for answers with values of other kinds are followed, or refused with a code', () => {
  const bytes = goodFiles.nacha[0]!;
  const traces = JSON.parse(readAch(bytes).document).batches.flatMap((batch: Record<string, { traceNumber: string }[]>) =>
    (batch['entryDetails'] ?? batch['IATEntryDetails'] ?? []).map(({ traceNumber }) => traceNumber),
  );
  const fileHeader = { fileCreationDate: '260818' };
  const entries = traces.map((traceNumber: string) => ({ traceNumber, code: 'C01', correctedData: '1' }));
  for (let number = 0; number < 500; number++) {
    const document = number === 0 ? { fileHeader, entries } : swapped({ fileHeader, entries }, randomOf(number));
    const refusal = refusalOf(() => makeAch({ maker: 'answers', files: [{ name: 'in.ach', bytes }], document }));
    expect([number, refusal]).toEqual([
      number,
      expect.stringMatching(number === 0 ? /^none$/ : /^(?:none|E_(?:NACHA|DOCUMENT)_[A-Z]+ .*)$/),
    ]);
  }
});
