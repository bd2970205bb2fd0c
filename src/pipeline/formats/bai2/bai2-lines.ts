/**
 * The lines of a BAI2 file and their record codes: ended by line ends, or cut by the physical record length where a file
 * has none. Checks of a line what can be said of it alone.
 */
import type { Buffer } from 'node:buffer';
import { digitsValue } from '../exact-sum.ts';
import { areDigits } from '../statements/byte-fields.ts';
import { type PhysicalLine, PhysicalLines } from '../statements/physical-lines.ts';
import type { Place, RuleFindings } from '../statements/rule-findings.ts';
import type { Bai2Rule } from './bai2-rules.ts';
import { beginsRecord } from './record-beginnings.ts';

const lineBytesMax = 32_768;
const comma = 44;
const slash = 47;
const space = 32;
const tab = 9;
const controlZ = 26;
const deletion = 127;

const recordCodes: ReadonlySet<number> = new Set([1, 2, 3, 16, 49, 88, 98, 99]);

export interface LineEvents {
  /** The bytes of a line from `at` to `to` begin with a record code. */
  record(code: number, line: PhysicalLine, at: number, to: number): void;
  /** Whether a line without a code goes on with the text of the record before. */
  wrapped(line: PhysicalLine): boolean;
  /** A line that is of no record. */
  unknown(): void;
}

export class Bai2Lines {
  readonly #findings: RuleFindings<Bai2Rule>;
  readonly #events: LineEvents;
  readonly #lines: PhysicalLines;
  /** The longest of the lines so far, and of those from the file header on where one is declared. */
  #declaredLength: number | null = null;
  #longest: { readonly bytes: number; readonly place: Place } | null = null;
  #isLengthTold = false;
  #isForeign = false;
  #last = { line: 1, offset: 0 };
  #blank: Place | null = null;

  constructor(findings: RuleFindings<Bai2Rule>, events: LineEvents) {
    this.#findings = findings;
    this.#events = events;
    this.#lines = new PhysicalLines({ lineBytesMax, widthOf, onLine: (line) => this.#takeLine(line) });
  }

  push(bytes: Uint8Array): void {
    this.#lines.push(bytes);
  }

  end(): void {
    this.#lines.end();
  }

  /** In an encoding of which nothing is read. */
  get isForeign(): boolean {
    return this.#isForeign;
  }

  /** Of the last line that is not blank. */
  get endPlace(): { readonly line: number; readonly offset: number } {
    return this.#last;
  }

  /** What the file header says of the lines, those before it was read included. */
  declareLength(bytes: number | null, header: Place): void {
    this.#declaredLength = bytes;
    if (bytes !== null && this.#longest !== null && this.#longest.bytes > bytes) this.#tellLength(this.#longest.bytes, header);
  }

  #takeLine(line: PhysicalLine): void {
    if (line.line === 1 && isForeign(line)) {
      this.#isForeign = true;
      this.#tell('encoding', line, null, 'the file is in UTF-16 or UTF-32; it is not read', 'error');
    }
    if (this.#isForeign) return;
    if (isBlank(line)) {
      this.#blank ??= { line: line.line, columns: null, offset: line.offset };
      return;
    }
    if (this.#blank !== null) this.#tellBlank();
    this.#last = { line: line.line, offset: line.offset };
    // Records first: what is wrong with the line is said of the record that it belongs to.
    this.#takeRecords(line);
    if (line.isCut) this.#tell('line-length', line, null, `the line is longer than ${lineBytesMax} bytes; its end is not read`, 'error');
    this.#checkLength(line);
  }

  /** A line is one record, or several with a slash between them. */
  #takeRecords(line: PhysicalLine): void {
    let at = line.start;
    let code = recordCode(line.bytes, at, line.end);
    if (code === null) {
      if (this.#events.wrapped(line))
        this.#tell('line-wrapped', line, null, 'the line begins with no record code and is read as text', 'warn');
      else {
        this.#events.unknown();
        this.#tell('record-code', line, [1, Math.min(3, line.end - line.start)], 'the line begins with no record code', 'error');
      }
      this.#checkCharacters(line, at, line.end);
      return;
    }
    for (let next = nextRecord(line, at); next >= 0; next = nextRecord(line, at)) {
      this.#events.record(code, line, at, next);
      this.#checkCharacters(line, at, next);
      if (at === line.start) this.#tell('records-in-line', line, null, 'the line holds several records', 'warn');
      at = next;
      code = recordCode(line.bytes, at, line.end)!;
    }
    this.#events.record(code, line, at, line.end);
    this.#checkCharacters(line, at, line.end);
  }

  #tellBlank(): void {
    const place = this.#blank!;
    this.#blank = null;
    this.#findings.add('blank-line', { ...place, record: null, field: null, message: 'the line is blank', severity: 'warn' });
  }

  /** Told once a file: the declaration is wrong, not each line. */
  #checkLength({ start, end, line, offset }: PhysicalLine): void {
    const bytes = end - start;
    if (this.#declaredLength === null) {
      if (this.#longest === null || bytes > this.#longest.bytes) this.#longest = { bytes, place: { line, columns: null, offset } };
    } else if (bytes > this.#declaredLength && !this.#isLengthTold) this.#tellLength(bytes, { line, columns: null, offset });
  }

  #tellLength(bytes: number, place: Place): void {
    this.#isLengthTold = true;
    const message = `the line has ${bytes} bytes, ${this.#declaredLength} are declared`;
    this.#findings.add('physical-record-length', { ...place, record: null, field: null, message, severity: 'warn' });
  }

  #checkCharacters(line: PhysicalLine, from: number, to: number): void {
    const { bytes, start } = line;
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!;
      if (byte >= space && byte !== deletion) continue;
      if (byte === tab) continue;
      const column = at - start + 1;
      this.#tell('control-character', line, [column, column], `the line holds the control character ${byte}`, 'error');
      return;
    }
  }

  #tell(rule: Bai2Rule, line: PhysicalLine, columns: readonly [number, number] | null, message: string, severity: 'error' | 'warn'): void {
    const offset = line.offset + (columns === null ? 0 : columns[0] - 1);
    this.#findings.add(rule, { line: line.line, columns, offset, record: null, field: null, message, severity });
  }
}

function recordCode(bytes: Buffer, start: number, end: number): number | null {
  if (end - start < 3 || bytes[start + 2] !== comma || !areDigits(bytes, start, start + 2)) return null;
  const code = Number(digitsValue(bytes, start, start + 2));
  return recordCodes.has(code) ? code : null;
}

/** Where a slash and spaces are followed by the beginning of another record; -1: nowhere. */
function nextRecord({ bytes, end }: PhysicalLine, from: number): number {
  for (let at = bytes.indexOf(slash, from); at >= 0 && at < end; at = bytes.indexOf(slash, at + 1)) {
    let next = at + 1;
    while (next < end && bytes[next] === space) next++;
    if (next > at + 1 && recordCode(bytes, next, end) !== null && beginsRecord(bytes, next, end)) return next;
  }
  return -1;
}

/** Spaces, tabs, and the mark with which some systems end a text file. */
function isBlank({ bytes, start, end }: PhysicalLine): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte !== space && byte !== tab && byte !== controlZ) return false;
  }
  return true;
}

/** A byte order mark of UTF-16 or UTF-32, or NUL bytes where a code stands. */
function isForeign({ bytes, start, end }: PhysicalLine): boolean {
  if (end - start < 2) return false;
  const [first, second] = [bytes[start]!, bytes[start + 1]!];
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || first === 0 || second === 0;
}

/** The physical record length, where the header declares one and the next record begins right after it without a line end. */
function widthOf(head: Buffer): number | null {
  const end = head.indexOf(slash);
  if (end < 0 || head.toString('latin1', 0, 3) !== '01,') return null;
  const declared = head.toString('latin1', 3, end).split(',')[5]?.trim() ?? '';
  const width = /^[1-9][0-9]{0,3}$/.test(declared) ? Number(declared) : 0;
  if (width <= end || width > head.length) return null;
  const isUnbroken = !head.subarray(0, width).includes(10) && head.toString('latin1', width, width + 3) === '02,';
  return isUnbroken ? width : null;
}
