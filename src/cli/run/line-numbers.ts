/**
 * At which line of a file an offset is, for findings: offsets are what engines know, lines what editors show. Reads the file as far
 * as it is asked, a piece at a time, and keeps for each piece the number of its first line.
 */
import type { Plan } from '../../pipeline/engine/plan.ts';
import { isWithoutLineEnds, windowSource } from '../../pipeline/engine/records/window-bytes.ts';
import type { ByteSource } from '../../platform/base/byte-source.ts';
import { FileSource } from './plain-files.ts';

const pieceBytes = 64 * 1024;
const lineFeed = 10;

export class LineNumbers {
  readonly #file: FileSource;
  readonly #source: ByteSource;
  /** Of the line that each piece starts in, from 1; those that were reached. */
  readonly #firstLines: number[] = [1];
  readonly #piece = Buffer.alloc(pieceBytes);
  #loaded = -1;
  #length = 0;
  /** In the piece that is loaded: how far lines are counted, and the line there. */
  #at = 0;
  #line = 0;

  /** `format`: of a flow that reads the file itself. */
  constructor(path: string, format: Plan['format']) {
    this.#file = new FileSource(path);
    this.#source = windowSource(this.#file, format);
  }

  lineOf(offset: number): number {
    const index = Math.floor(offset / pieceBytes);
    while (this.#firstLines.length <= index) {
      this.#load(this.#firstLines.length - 1);
      this.#firstLines.push(this.#countTo(this.#length));
    }
    this.#load(index);
    return this.#countTo(Math.min(offset - index * pieceBytes, this.#length));
  }

  #load(index: number): void {
    if (index === this.#loaded) return;
    this.#length = this.#source.read(this.#piece, 0, pieceBytes, index * pieceBytes);
    this.#loaded = index;
    this.#at = 0;
    this.#line = this.#firstLines[index]!;
  }

  #countTo(end: number): number {
    if (end < this.#at) {
      this.#at = 0;
      this.#line = this.#firstLines[this.#loaded]!;
    }
    for (let at = this.#piece.indexOf(lineFeed, this.#at); at >= 0 && at < end; at = this.#piece.indexOf(lineFeed, at + 1)) this.#line++;
    this.#at = end;
    return this.#line;
  }

  close(): void {
    this.#file.close();
  }
}

/** Null: the offsets are not those of the file, or it has no lines. */
export function lineNumbers(path: string, format: Plan['format']): LineNumbers | null {
  const isOfPack = format.type === 'json-lines' && format.pack !== undefined;
  return isOfPack || isWithoutLineEnds(format) ? null : new LineNumbers(path, format);
}

const place = /^(\{"record":\d+,"offset":(\d+),)/gm;

/** `text`: whole lines of findings. */
export function withLines(text: string, lines: LineNumbers | null): string {
  if (lines === null) return text;
  return text.replace(place, (_, head: string, offset: string) => `${head}"line":${lines.lineOf(Number(offset))},`);
}
