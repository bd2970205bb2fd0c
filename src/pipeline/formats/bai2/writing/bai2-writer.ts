/**
 * Writes a BAI2 file from the document that `--parse` prints, group by group, account by account and detail by detail, so that a
 * document may have any number of them. The file is read back while it is written: what the reader would refuse is refused with
 * its place in the document.
 */
import { DocumentStream, type JsonValue, type PartKey, type PartTaker, pointerTo } from '../../documents/document-stream.ts';
import type { PackDocumentWriter, PackFileSink, PackReader, PackSink, PackWritten } from '../../pack.ts';
import type { PackFinding } from '../../pack-finding.ts';
import { CheckedOutput } from '../../writing/checked-output.ts';
import { DocumentValues, givenAt, type JsonMembers } from '../../writing/document-values.ts';
import { RecordPlaces } from '../../writing/record-places.ts';
import { bai2Errors } from '../bai2-errors.ts';
import { amountUnits, FieldTexts, fileHeaderFields, groupHeaderFields } from './record-fields-text.ts';
import { lineBytesDefault, type RecordContent, recordLines } from './record-lines.ts';
import { type Level, Trailers, trailerPointer } from './trailers.ts';

export interface Bai2WriterSettings {
  readonly lineEnd: 'LF' | 'CRLF';
  readonly areLinesComputed: boolean;
}

const versionWritten = 2;
/** The reader tells of a record when the next one begins. */
const keptRecords = 4;
const accountKeys: ReadonlySet<string> = new Set(['accountNumber', 'currencyCode', 'summaries', 'details', 'trailer']);
/** Fields of findings that the document has in the funds type. */
const fundsFields: ReadonlySet<string> = new Set([
  'date',
  'time',
  'immediateAmount',
  'oneDayAmount',
  'twoDayAmount',
  'distributionNumber',
  'day',
]);

export class Bai2Writer implements PackDocumentWriter {
  readonly #values = new DocumentValues(bai2Errors.E_BAI2_DOCUMENT);
  readonly #texts = new FieldTexts(this.#values);
  readonly #places = new RecordPlaces();
  readonly #output: CheckedOutput;
  readonly #trailers: Trailers;
  readonly #lineEnd: string;
  readonly #stream: DocumentStream;
  #lineBytesMax = lineBytesDefault;
  #hasHeader = false;
  #fileTrailer: JsonMembers | null = null;

  constructor(settings: Bai2WriterSettings, createReader: (sink: PackSink) => PackReader, sink: PackFileSink) {
    this.#lineEnd = settings.lineEnd === 'CRLF' ? '\r\n' : '\n';
    this.#trailers = new Trailers({ values: this.#values, texts: this.#texts, areLinesComputed: settings.areLinesComputed });
    this.#output = new CheckedOutput({
      createReader,
      code: bai2Errors.E_BAI2_DOCUMENT,
      pointerOf: (finding) => this.#pointerOf(finding),
      bytes: (piece) => sink.bytes(piece),
      readBack: () => this.#places.keepLast(keptRecords),
    });
    this.#stream = new DocumentStream({
      open: (_, kind) => (kind === 'object' ? this.#file() : null),
      take: (_, value) => void this.#values.object(value, ''),
    });
  }

  push(bytes: Uint8Array): void {
    this.#stream.push(bytes);
  }

  end(): PackWritten {
    this.#stream.end();
    return this.#output.end();
  }

  #file(): PartTaker {
    return {
      open: (key, kind) => {
        if (key !== 'groups' || kind !== 'list') return null;
        if (!this.#hasHeader) throw this.#values.refuse('/fileHeader', 'it has to come before the groups');
        return partsOf(
          (index) => this.#group(`/groups/${index}`),
          (index, value) => void this.#values.object(value, `/groups/${index}`),
        );
      },
      take: (key, value) => {
        if (key === 'fileHeader') this.#writeFileHeader(this.#values.object(value, '/fileHeader'));
        else if (key === 'fileTrailer') this.#fileTrailer = value.kind === 'null' ? null : this.#values.object(value, '/fileTrailer');
        else if (key === 'groups') this.#values.list(value, '/groups');
        else throw this.#values.unknownKey(key, '');
      },
      close: () => {
        if (!this.#hasHeader) throw this.#values.refuse('/fileHeader', 'it is missing');
        this.#writeTrailer('file', this.#fileTrailer, '');
      },
    };
  }

  #group(pointer: string): PartTaker {
    let hasHeader = false;
    let trailer: JsonMembers | null = null;
    return {
      open: (key, kind) => {
        if (key !== 'accounts' || kind !== 'list') return null;
        if (!hasHeader) throw this.#values.refuse(`${pointer}/groupHeader`, 'it has to come before the accounts');
        const accounts = `${pointer}/accounts`;
        return partsOf(
          (index) => this.#account(`${accounts}/${index}`),
          (index, value) => void this.#values.object(value, `${accounts}/${index}`),
        );
      },
      take: (key, value) => {
        const place = pointerTo(pointer, key);
        if (key === 'groupHeader') {
          hasHeader = true;
          this.#writeGroupHeader(this.#values.object(value, place), place);
        } else if (key === 'trailer') trailer = value.kind === 'null' ? null : this.#values.object(value, place);
        else if (key === 'accounts') this.#values.list(value, place);
        else throw this.#values.unknownKey(key, pointer);
      },
      close: () => {
        if (!hasHeader) throw this.#values.refuse(`${pointer}/groupHeader`, 'it is missing');
        this.#writeTrailer('group', trailer, pointer);
      },
    };
  }

  #account(pointer: string): PartTaker {
    const values = new Map<string, JsonValue>();
    let isOpen = false;
    const open = (): void => {
      if (!isOpen) this.#writeAccount(values, pointer);
      isOpen = true;
    };
    return {
      open: (key, kind) => {
        if (key !== 'details' || kind !== 'list') return null;
        open();
        return partsOf(null, (index, value) => this.#writeDetail(value, `${pointer}/details/${index}`));
      },
      take: (key, value) => {
        if (!accountKeys.has(String(key))) throw this.#values.unknownKey(key, pointer);
        if (key === 'details') this.#values.list(value.kind === 'null' ? { kind: 'array', items: [] } : value, pointerTo(pointer, key));
        else if (isOpen && key !== 'trailer')
          throw this.#values.refuse(pointerTo(pointer, key), 'it comes after the details, before which it is written');
        else values.set(String(key), value);
      },
      close: () => {
        open();
        this.#writeTrailer('account', this.#values.optionalObject(values, 'trailer', pointer), pointer);
      },
    };
  }

  #writeFileHeader(header: JsonMembers): void {
    const declared = this.#values.optionalCount(header, 'physicalRecordLength', '/fileHeader');
    if (declared !== null && declared > 0) this.#lineBytesMax = Math.min(declared, lineBytesDefault);
    const group = this.#texts.fields(header, fileHeaderFields, '/fileHeader');
    if (givenAt(header, 'versionNumber') === null) group[group.length - 1] = String(versionWritten);
    this.#hasHeader = true;
    this.#trailers.open('file');
    this.#write({ code: '01', groups: [group], text: null }, '/fileHeader');
  }

  #writeGroupHeader(header: JsonMembers, pointer: string): void {
    this.#trailers.open('group');
    this.#write({ code: '02', groups: [this.#texts.fields(header, groupHeaderFields, pointer)], text: null }, pointer);
  }

  #writeAccount(account: JsonMembers, pointer: string): void {
    this.#trailers.open('account');
    const head = [this.#texts.field(account, 'accountNumber', pointer), this.#texts.field(account, 'currencyCode', pointer)];
    const place = `${pointer}/summaries`;
    const summaries = this.#values.optionalList(account, 'summaries', pointer);
    const groups = summaries.map((summary, index) => this.#texts.summary(summary, pointerTo(place, index)));
    for (const summary of summaries)
      this.#trailers.addAmount(amountUnits((summary as Extract<JsonValue, { kind: 'object' }>).members, 'amount'));
    // Without a summary the fields of one are there and empty.
    this.#write({ code: '03', groups: [head, ...(groups.length === 0 ? [['', '', '', '']] : groups)], text: null }, pointer);
  }

  #writeDetail(value: JsonValue, pointer: string): void {
    const detail = this.#values.object(value, pointer);
    const group = this.#texts.detail(detail, pointer);
    this.#trailers.addAmount(amountUnits(detail, 'amount'));
    this.#write({ code: '16', groups: [group], text: this.#values.optionalText(detail, 'text', pointer) ?? '' }, pointer);
  }

  #writeTrailer(level: Level, trailer: JsonMembers | null, owner: string): void {
    const pointer = trailerPointer(level, owner);
    const { code, group } = this.#trailers.close(level, trailer, pointer);
    // Its own line is counted before it is written.
    if (this.#write({ code, groups: [group], text: null }, pointer) > 1)
      throw this.#values.refuse(pointer, `a trailer does not fit into a line of ${this.#lineBytesMax} bytes`);
  }

  /** Gives the number of lines. */
  #write(content: RecordContent, pointer: string): number {
    const lines = recordLines(content, this.#lineBytesMax);
    if (typeof lines === 'string') throw this.#values.refuse(pointer, lines);
    this.#trailers.addLines(lines.length);
    this.#places.add(pointer, lines.length);
    for (const line of lines) this.#output.write(line + this.#lineEnd);
    return lines.length;
  }

  #pointerOf({ line, field, record }: PackFinding): string {
    const pointer = this.#places.pointerOf(line);
    if (field === null) return pointer;
    if (record === 'account' && field !== 'accountNumber' && field !== 'currencyCode') return `${pointer}/summaries`;
    return `${pointer}${fundsFields.has(field) ? '/fundsType' : ''}/${field}`;
  }
}

/** Takes the items of a list; `open`: what takes the parts of one, null where each comes whole. */
function partsOf(open: ((index: PartKey) => PartTaker) | null, take: (index: PartKey, value: JsonValue) => void): PartTaker {
  return { open: (index, kind) => (open !== null && kind === 'object' ? open(index) : null), take, close: () => {} };
}
