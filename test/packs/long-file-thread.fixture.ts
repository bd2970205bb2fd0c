/**
 * A thread that makes lines of a long file by its pack and says by how many bytes its old objects grew. Its young generation is small, so
 * that what lives longer than a record is moved to them soon.
 */
import { getHeapSpaceStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { packs } from '../../src/main/catalogue.ts';
import { account, accountLines, fileHeader, groupHeader } from '../../src/pipeline/formats/bai2/bai2-files.fixture.ts';
import { creditTransfers, statement } from '../../src/pipeline/formats/iso20022/iso20022-files.fixture.ts';
import { achFile } from '../../src/pipeline/formats/nacha/ach-files.fixture.ts';
import type { PackName } from '../../src/pipeline/formats/pack.ts';
import { RecordLines } from '../../src/pipeline/formats/record-lines.ts';
import { finMessage, requestFields, statementFields, transferFields } from '../../src/pipeline/formats/swift-mt/swift-files.fixture.ts';

interface LongFile {
  readonly pack: PackName;
  readonly start: string;
  readonly part: string;
  readonly parts: number;
  /** Where a part has its number, of seven digits. */
  readonly numbered?: readonly number[];
}

/** Before the first look: until then code is compiled, and its data stays. */
const warmParts = 0.3;

const ach = achFile({
  sec: 'PPD',
  entries: [{ values: {}, addenda: [['addenda05', { paymentRelatedInformation: 'Invoice 1' }]] }],
}).text();
const [fileLine, batchLine, entryLine, addendaLine] = ach.split('\n') as [string, string, string, string];
const numberDigits = 7;

/** What stands before the first `element`, and that element. */
function cut(message: string, element: string): readonly [string, string] {
  const [found] = new RegExp(`<${element}>[\\s\\S]*?</${element}>`).exec(message)!;
  return [message.slice(0, message.indexOf(found)), found];
}

const [transfersStart, paymentInformation] = cut(creditTransfers, 'PmtInf');
const [statementStart, entry] = cut(statement, 'Ntry');

const files = {
  'entries of an ACH file': {
    pack: 'nacha',
    start: `${fileLine}\n${batchLine}\n`,
    part: `${entryLine}\n${addendaLine}\n`,
    parts: 60_000,
    numbered: [94 - numberDigits, 95 + 94 - numberDigits],
  },
  'payments of a pain.001': { pack: 'iso20022', start: transfersStart, part: paymentInformation, parts: 6_000 },
  'entries of a camt.053': { pack: 'iso20022', start: statementStart, part: entry, parts: 12_000 },
  'accounts of a BAI2 file': {
    pack: 'bai2',
    start: `${fileHeader}\n${groupHeader}\n`,
    part: `${accountLines(account).join('\n')}\n`,
    parts: 8_000,
  },
  'statements of MT940': { pack: 'swift-mt', start: '', part: finMessage('940', statementFields), parts: 5_000 },
  'MT103 messages': { pack: 'swift-mt', start: '', part: finMessage('103', transferFields), parts: 10_000 },
  'MT101 messages': { pack: 'swift-mt', start: '', part: finMessage('101', requestFields), parts: 6_000 },
} as const satisfies Readonly<Record<string, LongFile>>;

export type LongFileName = keyof typeof files;

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')!.space_used_size;
}

/** Counts up by one the seven digits that end before `end`. */
function countUp(bytes: Buffer, end: number): void {
  let at = end - 1;
  for (; bytes[at] === 0x39; at--) bytes[at] = 0x30;
  bytes[at]!++;
}

let calls = 0;

/** Who takes the lines makes more than the young generation holds: what the pack has in hand meanwhile becomes old. */
function busy(): void {
  if (calls++ % 64 > 0) return;
  let list: unknown[] = [];
  for (let index = 0; index < 500_000; index++) list = [index];
  if (list.length === 0) throw new Error('nothing was made');
}

/** Nothing is made here for a part: the same bytes are pushed again. */
async function grownBytes({ pack, start, part, parts, numbered = [] }: LongFile): Promise<number> {
  const found = await packs[pack]();
  const settings = new Map(found.settings.map((setting) => [setting.name, setting.default]));
  const reader = found.createReader(settings, { finding() {}, lines: new RecordLines(busy) });
  reader.push(Buffer.from(start));
  const bytes = Buffer.from(part);
  let before = 0;
  for (let number = 1; number <= parts; number++) {
    for (const at of numbered) countUp(bytes, at + numberDigits);
    reader.push(bytes);
    if (number === parts * warmParts) before = oldBytes();
  }
  return oldBytes() - before;
}

parentPort!.postMessage(await grownBytes(files[workerData as LongFileName]));
