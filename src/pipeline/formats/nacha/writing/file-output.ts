/**
 * Puts records of 94 characters one behind the other, with their line ends, and has each read at once by the reader of ACH files:
 * what that refuses is refused here, with the place in the document that it comes from. Bounded: a buffer of bytes, and the
 * places of the entry that is being written and of the two before.
 */
import type { PackFileSink, PackFinding } from '../../pack.ts';
import { recordLength } from '../field-layouts.ts';
import { type LineEndName, lineEnds } from '../line-ends.ts';
import { NachaReader } from '../nacha-reader.ts';
import type { NachaSettings } from '../nacha-settings.ts';
import { gapBytesMax } from '../record-gaps.ts';
import { Below, documentRoot, type Place, refuse } from './document-values.ts';
import type { WriterSettings } from './writer-settings.ts';

const bufferBytes = 64 * 1024;
const warningsMax = 1_000;

/** What a document says of the line of a record. */
export interface LineForm {
  /** Between the record before and this one; null: the line end of the file. */
  readonly before: string | null;
  /** Fewer than 94, where the spaces at the end of the line were left out. */
  readonly columns: number;
}

export const usualLine: LineForm = { before: null, columns: recordLength };

interface RecordStart {
  readonly offset: number;
  readonly place: Place;
}

export class FileOutput {
  readonly warnings: PackFinding[] = [];
  /** Without filler. */
  records = 0;
  lineEnd: LineEndName = 'LF';
  readonly #sink: PackFileSink;
  readonly #settings: WriterSettings;
  readonly #reader: NachaReader;
  readonly #buffer = Buffer.alloc(bufferBytes);
  #filled = 0;
  #offset = 0;
  /** Of records that a finding may still be about, in the order of the file. */
  readonly #starts: RecordStart[] = [];
  /** How many of them each of the last groups has. */
  readonly #groups: number[] = [];
  #refusal: { readonly finding: PackFinding; readonly place: Place } | null = null;

  constructor(sink: PackFileSink, settings: { readonly writer: WriterSettings; readonly reader: NachaSettings }) {
    this.#sink = sink;
    this.#settings = settings.writer;
    if (settings.writer.lineEnd !== null) this.lineEnd = settings.writer.lineEnd;
    this.#reader = new NachaReader(settings.reader, { finding: (finding) => this.#takeFinding(finding) });
  }

  /** The line ends of the document are to be kept. */
  get keepsLines(): boolean {
    return this.#settings.lineEnd === null;
  }

  /** Records of one entry, or one record that belongs to none, follow. */
  beginGroup(): void {
    // An entry is complete when the record behind it is, which only the record after that may say.
    if (this.#groups.length === 3) this.#starts.splice(0, this.#groups.shift());
    this.#groups.push(0);
  }

  /** `text`: one character of Latin-1 for each column. */
  record(text: string, place: Place, line: LineForm = usualLine): void {
    const isUsual = line === usualLine || !this.keepsLines;
    const between = isUsual ? null : line.before;
    this.#put(between ?? (this.records === 0 ? '' : lineEnds[this.lineEnd]));
    this.#starts.push({ offset: this.#offset, place });
    this.#groups[this.#groups.length - 1]!++;
    this.records++;
    this.#put(isUsual || line.columns === recordLength ? text : cutText(text, line.columns, place));
  }

  /** `trailer`: what follows the last record in place of filler; `filler`: how many records of it, null: as many as make full blocks. */
  end({ filler, isLastLineEnded, trailer }: { filler: number | null; isLastLineEnded: boolean; trailer: string | null }): void {
    if (trailer !== null && this.keepsLines) this.#put(trailer);
    else {
      const count = filler ?? (10 - (this.records % 10)) % 10;
      for (let index = 0; index < count; index++) this.#put(lineEnds[this.lineEnd] + '9'.repeat(recordLength));
      if (isLastLineEnded) this.#put(lineEnds[this.lineEnd]);
    }
    this.#reader.end();
    this.#refuseFound();
    this.#flush();
  }

  #put(text: string): void {
    if (text === '') return;
    const bytes = Buffer.byteLength(text);
    if (this.#filled + bytes > bufferBytes) this.#flush();
    const piece = this.#buffer.subarray(this.#filled, this.#filled + this.#buffer.write(text, this.#filled));
    this.#filled += bytes;
    this.#reader.push(piece);
    this.#offset += bytes;
    this.#refuseFound();
  }

  #flush(): void {
    if (this.#filled > 0) this.#sink.bytes(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }

  #takeFinding(finding: PackFinding): void {
    if (finding.severity === 'warn' || this.#settings.keepsFindings) {
      if (this.warnings.length < warningsMax) this.warnings.push(finding);
      return;
    }
    this.#refusal ??= { finding, place: this.#placeOf(finding.offset) };
  }

  #placeOf(offset: number): Place {
    return this.#starts.findLast((start) => start.offset <= offset)?.place ?? documentRoot;
  }

  #refuseFound(): void {
    if (this.#refusal === null) return;
    const { finding, place } = this.#refusal;
    throw refuse(finding.field === null ? place : new Below(place, finding.field), `${finding.message} (${finding.rule})`, finding.code);
  }
}

function cutText(text: string, columns: number, place: Place): string {
  if (columns > recordLength || text.slice(columns).trim() !== '')
    throw refuse(new Below(place, 'columns'), 'the record has characters behind these columns');
  return text.slice(0, columns);
}

/** What may lie between records: line ends, spaces, filler, the byte order mark of UTF-8, the end-of-file mark of DOS. */
export function checkGap(text: string, place: Place): string {
  checkLength(text, place);
  if (!/^\ufeff?[\r\n 9\u001a]*$/.test(text)) throw refuse(place, 'it has more than line ends, spaces and filler');
  return text;
}

/** Filler may have other characters too: the reader says what it makes of them. */
export function checkTrailer(text: string, place: Place): string {
  checkLength(text, place);
  if (!/^[\r\n\u001a\u0020-\u007e\u00a0-\u00ff]*$/.test(text)) throw refuse(place, 'a character is not allowed');
  return text;
}

function checkLength(text: string, place: Place): void {
  if (text.length > gapBytesMax) throw refuse(place, `it is longer than ${gapBytesMax} characters`);
}
