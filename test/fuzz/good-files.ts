/** Files of each pack that are sound, from which fuzzing starts. */
import { account, fileOf, fileWith } from '../../src/pipeline/formats/bai2/bai2-files.fixture.ts';
import { goodMessages } from '../../src/pipeline/formats/iso20022/iso20022-files.fixture.ts';
import { achFile } from '../../src/pipeline/formats/nacha/ach-files.fixture.ts';
import { sampleBatches } from '../../src/pipeline/formats/nacha/sample-batches.fixture.ts';
import type { PackName } from '../../src/pipeline/formats/pack.ts';
import { everyMessage, finMessage, statementFields } from '../../src/pipeline/formats/swift-mt/swift-files.fixture.ts';

const lineEnds = ['\n', '\r\n', '\r'];

export const goodFiles: Readonly<Record<PackName, readonly Buffer[]>> = {
  nacha: [
    ...Object.values(sampleBatches).flatMap((batch) => lineEnds.map((lineEnd) => achFile(batch).text(lineEnd))),
    achFile(...Object.values(sampleBatches).filter((_, index) => index % 5 === 0)).text(''),
  ].map((text) => Buffer.from(text, 'latin1')),
  iso20022: [
    ...Object.values(goodMessages).map((text) => Buffer.from(text)),
    ...Object.values(goodMessages).map((text) => Buffer.from(`\ufeff${text.replace('encoding="UTF-8"', 'encoding="UTF-16"')}`, 'utf16le')),
  ],
  bai2: [fileOf([[account], [account, account]]), fileWith({})].flatMap((text) => lineEnds.map((lineEnd) => withLineEnds(text, lineEnd))),
  'swift-mt': [everyMessage, finMessage('940', statementFields)].flatMap((text) => lineEnds.map((lineEnd) => withLineEnds(text, lineEnd))),
};

function withLineEnds(text: string, lineEnd: string): Buffer {
  return Buffer.from(text.replaceAll('\r\n', '\n').replaceAll('\n', lineEnd));
}
