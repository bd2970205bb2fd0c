/**
 * Cuts bytes into records of 94 characters, whether line breaks follow them or not. A line that is shorter is filled with
 * spaces, blank ones are left out. Where the bytes of a record are as they should be it is read in place; only others, and
 * those that lie in two pieces, are copied. Bounded: at most one record is held.
 */
import { recordLength } from './field-layouts.ts';
import type { Findings, RecordPlace } from './findings.ts';
import type { NachaRuleId } from './nacha-rules.ts';

/** A record that had to be copied, or is not as it should be. */
export interface HeldRecord {
  /** One byte for each of 94 characters; 0: no character that may be. */
  readonly bytes: Buffer;
  readonly line: number;
  readonly offset: number;
  /** Bytes in the file. */
  readonly length: number;
  /** In the file: fewer than 94 where its line ends before. */
  readonly characters: number;
  readonly wideColumns: readonly number[];
}

export interface RecordConsumer {
  /** False, and nothing is done, if the record is not as it should be. */
  takeClean(bytes: Buffer, at: number, line: number, offset: number): boolean;
  takeHeld(record: HeldRecord): void;
  /** Of the lines of the file, and of no record in them. */
  tellOfLines(rule: NachaRuleId, place: RecordPlace, message: string): void;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const endOfFileMark = 0x1a;
/** The longest form of a character in UTF-8 is four bytes. */
const heldBytesMax = recordLength * 4;

/** Of a character of more than one byte in UTF-8. */
function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Within the length of a record. */
function hasLineBreak(bytes: Buffer, at: number): boolean {
  for (let index = at; index < at + recordLength; index++) if (bytes[index] === lineFeed || bytes[index] === carriageReturn) return true;
  return false;
}

export class LineReader {
  readonly #consumer: RecordConsumer;
  readonly #findings: Findings;
  readonly #held = Buffer.alloc(heldBytesMax);
  readonly #record = Buffer.alloc(recordLength);
  readonly #told = new Set<NachaRuleId>();
  #heldBytes = 0;
  #heldCharacters = 0;
  #heldOffset = 0;
  /** In the file, of the next byte. */
  #offset = 0;
  #currentLine = 1;
  /** No line break was read since a record of full length. */
  #isAfterRecord = false;
  #isAfterReturn = false;
  /** A line break was read: what follows a record on its line is no record that merely lacks its end. */
  #hasBreaks = false;

  constructor(consumer: RecordConsumer, findings: Findings) {
    this.#consumer = consumer;
    this.#findings = findings;
  }

  push(piece: Uint8Array): void {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let at = 0;
    while (at < bytes.length) {
      this.#beginByte(bytes[at]!);
      if (this.#heldBytes === 0 && !this.#isAfterReturn) at = this.#readClean(bytes, at);
      if (at < bytes.length) this.#readByte(bytes[at++]!);
    }
  }

  end(): void {
    if (this.#heldBytes > 0) this.#flush('at line end');
    if (this.#isAfterReturn) this.#tellReturn();
  }

  /** Where the first record begins that is not clean, or may not be whole. */
  #readClean(bytes: Buffer, from: number): number {
    let at = from;
    const last = bytes.length - recordLength - 2;
    while (at <= last) {
      const after = bytes[at + recordLength]!;
      const isReturn = after === carriageReturn;
      const isBroken = isReturn || after === lineFeed;
      // Behind a record a line end or spaces may follow: only what begins as a record does follows it without a line break.
      if (this.#isAfterRecord ? isBroken || after >= 0x80 || !isDigit(bytes[at]!) : !isBroken) return at;
      const line = this.#isAfterRecord ? this.#currentLine + 1 : this.#currentLine;
      if (this.#isAfterRecord && !this.#told.has('line-breaks-missing')) {
        if (hasLineBreak(bytes, at)) return at;
        this.#tellMissingBreak(line, this.#offset);
      }
      if (!this.#consumer.takeClean(bytes, at, line, this.#offset)) return at;
      const isPair = isReturn && bytes[at + recordLength + 1] === lineFeed;
      if (isBroken) this.#hasBreaks = true;
      const size = recordLength + (isPair ? 2 : isBroken ? 1 : 0);
      this.#currentLine++;
      this.#offset += size;
      at += size;
      if (isReturn && !isPair) this.#tellReturn();
    }
    return at;
  }

  /** What only the next byte tells: that a record is whole, that a CR was no part of CR LF. */
  #beginByte(byte: number): void {
    if (this.#heldCharacters === recordLength && !isContinuation(byte)) this.#flush();
    if (!this.#isAfterReturn || byte === lineFeed) return;
    this.#isAfterReturn = false;
    this.#tellReturn();
  }

  #readByte(byte: number): void {
    this.#beginByte(byte);
    if (byte === lineFeed) {
      if (this.#isAfterReturn) this.#isAfterReturn = false;
      else this.#endLine();
    } else if (byte === carriageReturn) {
      this.#endLine();
      this.#isAfterReturn = true;
    } else this.#hold(byte);
    this.#offset++;
  }

  #hold(byte: number): void {
    if (this.#heldBytes === 0) this.#heldOffset = this.#offset;
    this.#held[this.#heldBytes++] = byte;
    if (!isContinuation(byte) || this.#heldBytes === 1) this.#heldCharacters++;
    if (this.#heldOffset === 0 && this.#heldBytes === 3 && this.#held.readUIntBE(0, 3) === 0xefbbbf) {
      this.#tell('byte-order-mark', 1, 0, 'the file begins with a byte order mark');
      this.#heldBytes = 0;
      this.#heldCharacters = 0;
    }
    if (this.#heldBytes === heldBytesMax) this.#flush();
  }

  #endLine(): void {
    if (this.#heldBytes > 0) this.#flush('at line end');
    else if (!this.#isAfterRecord) this.#tell('line-blank', this.#currentLine, this.#offset, 'a line is blank');
    this.#isAfterRecord = false;
    this.#hasBreaks = true;
    this.#currentLine++;
  }

  #flush(where: 'at line end' | 'in line' = 'in line'): void {
    const characters = this.#heldCharacters;
    const length = this.#heldBytes;
    const wideColumns = this.#copyCharacters();
    this.#heldBytes = 0;
    this.#heldCharacters = 0;
    const wasAfterRecord = this.#isAfterRecord;
    if (this.#record.every((byte) => byte === space || byte === endOfFileMark)) {
      if (wasAfterRecord) this.#tell('line-long', this.#currentLine, this.#heldOffset, 'spaces follow the 94 characters');
      else this.#tell('line-blank', this.#currentLine, this.#heldOffset, 'a line is blank');
      this.#isAfterRecord = true;
      return;
    }
    if (wasAfterRecord && where === 'at line end' && characters < recordLength && this.#hasBreaks) {
      const message = `${characters} characters follow the 94 of a record on its line`;
      this.#findings.record('line-tail', this.#place(this.#currentLine, this.#heldOffset), message);
      return;
    }
    // Where no line break is, every record counts as a line.
    if (wasAfterRecord) this.#tellMissingBreak(++this.#currentLine, this.#heldOffset);
    this.#isAfterRecord = true;
    this.#consumer.takeHeld({ bytes: this.#record, line: this.#currentLine, offset: this.#heldOffset, length, characters, wideColumns });
  }

  /** One byte a character: those of Latin-1 that took two. */
  #copyCharacters(): number[] {
    const wideColumns: number[] = [];
    this.#record.fill(space);
    let column = 0;
    for (let index = 0; index < this.#heldBytes && column < recordLength; column++) {
      const first = this.#held[index]!;
      let length = 1;
      while (index + length < this.#heldBytes && (this.#held[index + length]! & 0xc0) === 0x80) length++;
      if (length === 1) this.#record[column] = first < 0x80 ? first : 0;
      else {
        const second = this.#held[index + 1]!;
        this.#record[column] = length === 2 && (first === 0xc2 || first === 0xc3) ? ((first & 3) << 6) | (second & 0x3f) : 0;
        for (let more = 1; more < length; more++) wideColumns.push(column);
      }
      index += length;
    }
    return wideColumns;
  }

  #tellReturn(): void {
    this.#tell('line-end', this.#currentLine - 1, this.#offset - 1, 'a line ends with CR alone');
  }

  #tellMissingBreak(line: number, offset: number): void {
    this.#tell('line-breaks-missing', line, offset, 'a record follows another without a line break');
  }

  /** Once a file: what is wrong with one line tends to be wrong with all. */
  #tell(rule: NachaRuleId, line: number, offset: number, message: string): void {
    if (this.#told.has(rule)) return;
    this.#told.add(rule);
    this.#consumer.tellOfLines(rule, this.#place(line, offset), message);
  }

  #place(line: number, offset: number): RecordPlace {
    return { line, offset, length: 0, layout: null, wideColumns: [] };
  }
}
