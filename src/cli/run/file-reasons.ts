/**
 * Says on stderr why a file is held or rejected: each reason with its code and place, once per code what to do next. Where the
 * file's first bytes show what the codes cannot know (it is packed, it has another delimiter), that is said in its place.
 */

import { mergeAlike } from '../../pipeline/engine/file/alike-messages.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import { translated, windowTable } from '../../pipeline/engine/records/window-bytes.ts';
import { formatErrors } from '../../pipeline/formats/format-errors.ts';
import { nextOf } from '../../platform/base/errors.ts';
import { headBytes, packingOf } from '../../platform/packing/packings.ts';
import { listedMax, printable } from '../command.ts';
import { FileSource } from './plain-files.ts';
import type { ReceiptFinding } from './run-receipt.ts';

export interface FileReasons {
  readonly path: string;
  readonly format: Plan['format'];
  /** None: nothing is said. */
  readonly reasons: readonly ReceiptFinding[];
}

export function tellReasons({ path, format, reasons }: FileReasons): void {
  if (reasons.length === 0) return;
  const clue = clueOf(path, format, reasons);
  const explained = new Set<string>();
  const alike = Map.groupBy(reasons, ({ code, offset }) => `${code} ${offset}`);
  const merged = [...alike.values()].flatMap((group) =>
    mergeAlike(group.map(({ message }) => message)).map((message) => ({ ...group[0]!, message })),
  );
  const lines = merged.slice(0, listedMax).flatMap(({ code, offset, message }) => {
    const reason = `${path}: error ${code}${offset === undefined ? '' : ` at byte ${offset}`}: ${message}`;
    const next = clue === null && !explained.has(code) ? nextOf(code) : '';
    explained.add(code);
    return next === '' ? [reason] : [reason, `  try: ${next}`];
  });
  if (merged.length > listedMax) lines.push(`${path}: … and ${merged.length - listedMax} more in receipt.json`);
  if (clue?.seen) lines.push(`  ${clue.seen}`);
  if (clue !== null) lines.push(`  try: ${clue.next}`);
  process.stderr.write(`${lines.map((line) => printable(line.replaceAll('\n', ' '))).join('\n')}\n`);
}

interface Clue {
  /** Null: the reasons say it. */
  readonly seen: string | null;
  readonly next: string;
}

const firstBytesMax = 4096;
const delimiters = [',', ';', '\t', '|'];

function clueOf(path: string, format: Plan['format'], reasons: readonly ReceiptFinding[]): Clue | null {
  const start = firstBytesOf(path);
  const packing = packingOf([...start.subarray(0, headBytes)]);
  if (packing !== null)
    return {
      seen: `the file is packed with ${packing}`,
      next: `Unpack it (\`${packing} -dc FILE > UNPACKED\`) and run that; a server unpacks it where the flow's source says \`unpack: ${packing}\`.`,
    };
  const archive = archiveOf(start);
  if (archive !== null)
    return {
      seen: `the file is a ${archive} archive`,
      next: `Unpack it and run its members; a server takes each as a file where the flow's source says \`unpack: ${archive}\`.`,
    };
  if (format.type !== 'delimited' || !reasons.some(({ code }) => code === formatErrors.E_COLUMN_MISSING)) return null;
  const row = translated(start, windowTable(format)).toString('latin1').split(/\r|\n/, 1)[0];
  const wanted = String.fromCharCode(format.delimiter);
  const found = row.includes(wanted) ? undefined : delimiters.find((each) => row.includes(each));
  if (found === undefined) return null;
  return {
    seen: null,
    next: `Say \`delimiter: ${JSON.stringify(found)}\` in the flow's \`format\`, or have the file sent with ${JSON.stringify(wanted)}.`,
  };
}

function archiveOf(start: Buffer): 'zip' | 'tar' | null {
  if (start.toString('latin1', 0, 4) === 'PK\u0003\u0004') return 'zip';
  return start.toString('latin1', 257, 262) === 'ustar' ? 'tar' : null;
}

function firstBytesOf(path: string): Buffer {
  const source = new FileSource(path);
  try {
    const bytes = Buffer.alloc(firstBytesMax);
    return bytes.subarray(0, source.read(bytes, 0, bytes.length, 0));
  } finally {
    source.close();
  }
}
