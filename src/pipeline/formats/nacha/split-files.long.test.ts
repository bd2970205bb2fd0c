import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { achFile, readAch } from './ach-files.fixture.ts';
import { moreMutants } from './more-mutants.fixture.ts';
import { mutants } from './mutants.fixture.ts';
import { sampleBatches } from './sample-batches.fixture.ts';

const whole = achFile(sampleBatches.PPD, sampleBatches.IAT, sampleBatches['PPD contested']);

/** What is accepted by default is told, too. */
const told = { noLineBreaks: 'warn' };

/** Files of all kinds of line breaks and damage, as bytes. */
const files: readonly Buffer[] = [
  ...['\n', '\r\n', '\r', '', '\n\n', '  \n', '\n\r'].map((lineEnd) => Buffer.from(whole.text(lineEnd))),
  ...[...Object.values(mutants), ...moreMutants].flatMap(({ of, change }) => {
    const changed = change(achFile(...of.map((name) => sampleBatches[name])));
    const bytes = Buffer.isBuffer(changed) ? changed : Buffer.from(typeof changed === 'string' ? changed : changed.text(), 'latin1');
    return bytes.length > 10_000 ? [] : [bytes];
  }),
];

describe('the same bytes in other pieces give the same findings, summary and document', () => {
  it('one by one, and around the length of a line', () => {
    for (const bytes of files) {
      for (const settings of [{}, told]) {
        const expected = readAch(bytes, settings);
        for (const size of [1, 93, 94, 95, 96, 97, 190]) expect(readAch(bytes, settings, [size])).toEqual(expected);
      }
    }
  });

  it('cut once, anywhere', () => {
    const bytes = files[1]!;
    const expected = readAch(bytes);
    for (let cut = 1; cut < bytes.length; cut++) expect(readAch(bytes, {}, [cut, bytes.length])).toEqual(expected);
  });

  it('at random, and changed at random', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 10 }),
        fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(0, 10, 13, 32, 48, 57, 0xc3, 0xa9, 0xff), fc.integer({ min: 0, max: 255 }))), {
          maxLength: 5,
        }),
        (file, sizes, changes) => {
          const bytes = Buffer.from(file);
          for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
          const expected = readAch(bytes, told);
          expect(readAch(bytes, told, sizes)).toEqual(expected);
          expect(() => JSON.parse(expected.document)).not.toThrow();
        },
      ),
      { numRuns: 300 },
    );
  });
});

it('bytes that are no ACH file give findings and a document, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      const { findings, document } = readAch(bytes);
      expect(findings.some(({ severity }) => severity === 'error')).toBe(true);
      expect(JSON.parse(document)).toHaveProperty('batches');
    }),
    { numRuns: 200 },
  );
});

it('a line without end is read as records, with nothing held but one', () => {
  const { findings } = readAch(Buffer.alloc(1_000_000, 0x80));
  expect(new Set(findings.map(({ rule }) => rule))).toEqual(
    new Set(['file-header-missing', 'line-short', 'record-type', 'file-control-missing']),
  );
});
