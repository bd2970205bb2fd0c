import { describe, expect, it } from 'vitest';
import { packs } from '../../src/main/catalogue.ts';
import type { Pack, PackName } from '../../src/pipeline/formats/pack.ts';
import { seededRandom } from '../simulation/seeded-random.ts';
import { changed, type Random } from './changes.ts';
import { goodFiles } from './good-files.ts';
import { failureOf } from './pack-case.ts';
import { differenceOf, drawPlainCase, plainFormats } from './plain-case.ts';

function randomOf(seed: number): Random {
  const random = seededRandom(seed);
  return { integer: (below) => Math.floor(random.fraction() * below) };
}

describe.each(Object.keys(packs) as PackName[])('%s', (name) => {
  it('accepts the sound files from which fuzzing starts', async () => {
    const pack = await packs[name]();
    for (const bytes of goodFiles[name]) {
      let errors = 0;
      const settings = new Map(pack.settings.map((setting) => [setting.name, setting.default]));
      const reader = pack.createReader(settings, { finding: ({ severity }) => void (errors += Number(severity === 'error')) });
      reader.push(bytes);
      reader.end();
      expect(errors).toBe(0);
    }
  });

  it('holds what must hold in a few hundred changed files', async () => {
    const pack = await packs[name]();
    for (let number = 0; number < 300; number++) {
      const random = randomOf(number);
      expect([
        number,
        failureOf(pack, changed(goodFiles[name][number % goodFiles[name].length]!, random, goodFiles[name]), random),
      ]).toEqual([number, null]);
    }
  });
});

it.each(plainFormats)('%s: engine and reference say the same of changed files', (format) => {
  for (let number = 0; number < 40; number++) {
    const random = randomOf(number);
    expect([number, differenceOf(drawPlainCase(format, number, random), random)]).toEqual([number, null]);
  }
});

describe('what is looked for', () => {
  const sound: Pack = {
    name: 'bai2',
    summary: '',
    settings: [],
    rules: { length: { code: 'E_X', says: '' } },
    createReader: (_, { parsed }) => {
      let bytes = 0;
      return {
        push: (piece) => void (bytes += piece.length),
        end() {
          parsed?.(String(bytes));
          const controlTotals = { declared: {}, computed: {}, balanced: true };
          return { records: { read: bytes, rejected: 0 }, amounts: {}, controlTotals, details: {} };
        },
      };
    },
  };
  /** The sound one with another reader around it. */
  const planted = (change: (reader: ReturnType<Pack['createReader']>, sink: Parameters<Pack['createReader']>[1]) => object): Pack => ({
    ...sound,
    createReader: (settings, sink) => {
      const reader = sound.createReader(settings, sink);
      return { ...reader, ...change(reader, sink) };
    },
  });

  it.each<readonly [string, Pack, RegExp | null]>([
    ['nothing', sound, null],
    ['a failure', planted(() => ({ push: () => JSON.parse('{') })), /^it fails with SyntaxError/],
    ['a document that is none', planted((_, { parsed }) => ({ push: () => parsed?.('{') })), /no JSON/],
    [
      'a failure of the writer',
      { ...sound, writer: { settings: [], createDocumentWriter: () => ({ push: () => {}, end: () => JSON.parse('{') }) } },
      /^writing its document fails with SyntaxError/,
    ],
    [
      'what is accepted and does not balance',
      planted((reader) => ({ end: () => ({ ...reader.end(), controlTotals: { declared: {}, computed: {}, balanced: false } }) })),
      /does not balance/,
    ],
    ['more rejected than read', planted((reader) => ({ end: () => ({ ...reader.end(), records: { read: 0, rejected: 1 } }) })), /1 of 0/],
    [
      'a finding of no rule',
      planted((_, sink) => ({
        push: () => sink.finding({ ...place, code: 'E_X', rule: 'none' }),
      })),
      /the rule none/,
    ],
    ['a finding behind the file', planted((_, sink) => ({ push: () => sink.finding({ ...place, offset: 99 }) })), /at byte 99/],
    [
      'what depends on the pieces',
      planted((reader) => {
        let pieces = 0;
        return { push: () => void pieces++, end: () => ({ ...reader.end(), details: { pieces } }) };
      }),
      /summary differ/,
    ],
  ])('finds %s', (_, pack, says) => {
    const failure = failureOf(pack, Buffer.from('some bytes'), randomOf(1));
    if (says === null) expect(failure).toBeNull();
    else expect(failure).toMatch(says);
  });

  const place = {
    code: 'E_X',
    severity: 'error',
    line: 1,
    columns: null,
    offset: 0,
    record: null,
    field: null,
    rule: 'length',
    message: '',
  } as const;
});
