import { expect, it } from 'vitest';
import { bai2Pack } from '../../src/pipeline/formats/bai2/bai2-pack.ts';
import { iso20022Pack } from '../../src/pipeline/formats/iso20022/iso20022-pack.ts';
import { runPack } from '../../src/pipeline/formats/statements/pack-run.fixture.ts';
import { swiftPack } from '../../src/pipeline/formats/swift-mt/swift-pack.ts';
import { refusalOf, writeDocument } from '../../src/pipeline/formats/writing/pack-writing.fixture.ts';
import { seededRandom } from '../simulation/seeded-random.ts';
import { changed, type Random } from './changes.ts';
import { goodFiles } from './good-files.ts';

function randomOf(seed: number): Random {
  const random = seededRandom(seed);
  return { integer: (below) => Math.floor(random.fraction() * below) };
}

it.each([
  ['iso20022', iso20022Pack, goodFiles.iso20022, {}],
  ['bai2', bai2Pack, goodFiles.bai2, { recordCounts: 'computed' }],
  ['swift-mt', swiftPack, goodFiles['swift-mt'], {}],
] as const)(
  'changed %s files that are accepted are written as files with the same document, or refused with a code',
  (_, pack, files, options) => {
    let written = 0;
    let refused = 0;
    for (let number = 0; number < 600; number++) {
      const { errors, document } = runPack(pack, changed(files[number % files.length]!, randomOf(number), files));
      if (errors.length > 0) continue;
      const refusal = refusalOf(pack, Buffer.from(document), options);
      if (refusal !== null) {
        refused++;
        expect([number, ...refusal]).toEqual([number, expect.stringMatching(/^E_[A-Z0-9]+_DOCUMENT$/), expect.stringMatching(/^\//)]);
        continue;
      }
      written++;
      const { text } = writeDocument(pack, Buffer.from(document), options);
      expect([number, comparable(runPack(pack, text).document)]).toEqual([number, comparable(document)]);
    }
    expect(written).toBeGreaterThan(50);
    // What a reader takes and a file cannot say again: lines longer than the header declares, letters beyond ASCII in headers.
    expect(refused).toBeLessThan(written / 10);
  },
);

/** BAI2: lines are broken in other places, which numbers of records count; fields that are left out are written as empty ones. */
function comparable(document: string): unknown {
  return JSON.parse(document, (key, value) =>
    key === 'numberOfRecords' || (key === 'text' && value === '') ? undefined : (value ?? undefined),
  );
}
