/** Files for `examples/mainframe.yaml`, as the program on the mainframe writes them. */
import { ebcdic, packedDecimal, zonedDecimal } from './ebcdic.ts';

export interface MainframeEntry {
  /** In cents. */
  readonly amount: number;
  readonly fee: number;
  readonly entries: number;
  /** In place of the packed amount. */
  readonly amountBytes?: Buffer;
}

const recordBytes = 60;
/** Letters that IBM-1047 shares with IBM-037 and IBM-500, but not with ASCII. */
const umlaut = Buffer.from([0xdc]);

function padded(...parts: readonly Buffer[]): Buffer {
  const record = Buffer.concat(parts);
  return Buffer.concat([record, ebcdic(' '.repeat(recordBytes - record.length))]);
}

export const mainframeName = 'M\u00fcller, Zoe';

function entryRecord({ amount, fee, entries, amountBytes }: MainframeEntry, number: number): Buffer {
  const binary = Buffer.alloc(2);
  binary.writeInt16BE(entries);
  return padded(
    ebcdic(`DE${String(number).padStart(9, '0')}${String(62_000_000_000 + number)}M`),
    umlaut,
    ebcdic('ller, Zoe'.padEnd(18)),
    amountBytes ?? packedDecimal(String(amount), 6),
    ebcdic('ZAR'),
    zonedDecimal(String(fee), 5),
    binary,
  );
}

/** With the totals that its entries come to, those with other bytes included. */
export function mainframeFile(entries: readonly MainframeEntry[]): Buffer {
  const total = entries.reduce((sum, { amount }) => sum + amount, 0);
  return Buffer.concat([
    padded(ebcdic('H20260131')),
    ...entries.map((entry, index) => entryRecord(entry, index + 1)),
    padded(ebcdic(`T${String(entries.length).padStart(9, '0')}`), packedDecimal(String(total), 8)),
  ]);
}

/** What `examples/mainframe.bin` holds. */
export const exampleEntries: readonly MainframeEntry[] = [
  { amount: 125_000, fee: 150, entries: 2 },
  { amount: -4_950, fee: -150, entries: 1 },
  { amount: 7, fee: 0, entries: -1 },
];
