import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectedVerdicts, itWithPublicData } from '../../../../../test/support/public-data.ts';
import { achFile, readAch } from '../ach-files.fixture.ts';
import { type SampleName, sampleBatches } from '../sample-batches.fixture.ts';
import { refusalOf, writeAch } from './written-files.fixture.ts';

const sampleNames = Object.keys(sampleBatches) as SampleName[];
/** Of a file either all batches are of ADV or none is. */
const mixedNames = sampleNames.filter((name) => !name.startsWith('ADV'));

function roundTrip(bytes: Buffer, settings: Readonly<Record<string, string>> = {}): Buffer {
  return writeAch(readAch(bytes).document, settings).bytes;
}

itWithPublicData('ach', 'every good public ACH file is written again byte by byte', (folder) => {
  const verdicts = expectedVerdicts<{ file: string; kind?: string; valid: boolean }>(folder);
  const good = verdicts.filter(({ file, kind, valid }) => kind === undefined && file.endsWith('.ach') && valid);
  expect(good.length).toBeGreaterThan(50);
  for (const { file } of good) {
    const bytes = readFileSync(join(folder, file));
    const hasBlockCount = !readAch(bytes).findings.some(({ rule }) => rule === 'block-count');
    const written = roundTrip(bytes, hasBlockCount ? {} : { computed: 'keep' });
    expect([file, written.toString('latin1')]).toEqual([file, bytes.toString('latin1')]);
  }
});

describe('a file that is parsed and written', () => {
  it.each(Object.entries(sampleBatches))('has the same bytes: %s', (_, batch) => {
    const text = achFile(batch).text();
    expect(roundTrip(Buffer.from(text)).toString()).toBe(text);
  });

  it('has the same bytes also with a transaction code that a setting takes, and its totals are needed then', () => {
    const text = achFile(sampleBatches.PPD).set('entryDetail', 'transactionCode', 25).text();
    const settings = { transactionCodes: 'accept' };
    const { document } = readAch(Buffer.from(text), settings);
    expect(writeAch(document, settings).bytes.toString()).toBe(text);
    for (const [control, place] of [
      ['batchControl', '/batches/0/batchControl'],
      ['fileControl', '/fileControl'],
    ] as const) {
      const without = JSON.parse(document);
      const holder = control === 'fileControl' ? without : without.batches[0];
      delete holder[control].totalCredit;
      expect(refusalOf(() => writeAch(JSON.stringify(without), settings))).toMatch(
        new RegExp(`^E_NACHA_COMPUTED ${place}/totalCredit: it can not be computed, since an entry has a transaction code`),
      );
      holder[control].totalCredit = 999;
      expect(refusalOf(() => writeAch(JSON.stringify(without), settings))).toMatch(/^E_NACHA_TOTAL .*debits and credits declared/);
    }
  });

  it('has the same bytes, whatever batches, line ends, filler and blanks it has', () => {
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r', '');
    const disturbance = fc.record({
      line: fc.nat(30),
      kind: fc.constantFrom('cut', 'blank', 'spaces', 'other end', 'filler', 'none'),
    });
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...mixedNames), { minLength: 1, maxLength: 4 }),
        lineEnd,
        fc.nat(12),
        fc.boolean(),
        fc.array(disturbance, { maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 }),
        (names, end, filler, isEnded, disturbances, sizes) => {
          const file = achFile(...names.map((name) => sampleBatches[name]));
          file.filler = filler;
          const parts = file.lines().map((line) => [line, end]);
          for (const { line, kind } of disturbances) {
            const part = parts[line % parts.length]!;
            if (kind === 'cut' && end !== '') part[0] = part[0]!.trimEnd();
            else if (kind === 'blank') part[1] = `\n${part[1]}\n`;
            else if (kind === 'spaces') part[1] = `  \n`;
            else if (kind === 'other end') part[1] = '\r\n';
            else if (kind === 'filler') part[1] = `\n${'9'.repeat(94)}\n`;
          }
          if (!isEnded) parts.at(-1)![1] = '';
          const bytes = Buffer.from(parts.flat().join(''));
          const { document } = readAch(bytes, {}, sizes);
          expect(writeAch(document, {}, sizes[0]!).bytes.toString()).toBe(bytes.toString());
        },
      ),
      { numRuns: 300 },
    );
  });

  it('has the addenda of an entry in the order in which they were', () => {
    const file = achFile(sampleBatches.IAT);
    const first = file.index('addenda10');
    file.records.splice(first, 2, file.records[first + 1]!, file.records[first]!);
    expect(readAch(Buffer.from(file.text())).findings.map(({ rule }) => rule)).toEqual(['iat-addenda-order']);
    expect(roundTrip(Buffer.from(file.text())).toString()).toBe(file.text());
  });

  it('keeps of what lies between records no more than a bound', () => {
    const text = achFile(sampleBatches.PPD).text();
    const behind = text.length - text.indexOf('\n9000') - 95;
    const long = (count: number) => Buffer.from(text.replace(/\n(?=[58])/g, '\n'.repeat(count)) + '\n'.repeat(count - behind));
    expect(roundTrip(long(4_096)).equals(long(4_096))).toBe(true);
    const { batches, trailer } = JSON.parse(readAch(long(4_097), {}, [100]).document);
    expect([batches[0].batchHeader.before, batches[0].batchControl.before, trailer]).toEqual([null, null, null]);
    expect(roundTrip(long(4_097)).toString()).toBe(text);
  });

  it('has the letters of Latin-1 that it had', () => {
    const text = achFile(sampleBatches.PPD).put('entryDetail', 54, 'José Müller').text();
    expect(roundTrip(Buffer.from(text)).toString()).toBe(text);
  });

  it('has the byte order mark that it had, where that is accepted', () => {
    const text = `\ufeff${achFile(sampleBatches.PPD).text()}`;
    expect(readAch(Buffer.from(text), {}, [2, 1_000]).document).toBe(readAch(Buffer.from(text)).document);
    expect(roundTrip(Buffer.from(text), { byteOrderMark: 'accept' }).toString()).toBe(text);
  });

  it('keeps what is wrong where that is wanted', () => {
    const file = achFile(sampleBatches.PPD)
      .set('batchControl', 'totalDebit', 1)
      .set('fileControl', 'entryHash', 1)
      .set('entryDetail', 'checkDigit', 9);
    expect(roundTrip(Buffer.from(file.text()), { computed: 'keep', findings: 'keep' }).toString()).toBe(file.text());
  });

  it.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
    ['none', ''],
  ])('has the line end of the setting, and nothing else between records: %s', (name, end) => {
    const file = achFile(sampleBatches.PPD, sampleBatches.IAT);
    const odd = file.text().replace('\n', '\r\n\n').replace(/ +\n/, '\n').trimEnd();
    expect(roundTrip(Buffer.from(odd), { lineEnd: name }).toString()).toBe(file.text(end).replace(/\r?\n?$/, ''));
  });
});
