/** A file that is made of many short texts, written a mebibyte at a time. */
import { closeSync, openSync, writeSync } from 'node:fs';

const flushCharacters = 1 << 20;

export class BufferedFile {
  readonly #file: number;
  #text = '';

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  write(text: string): void {
    this.#text += text;
    if (this.#text.length >= flushCharacters) this.#flush();
  }

  /** Over bytes at the start of the file that were written as spaces; the text is ASCII. */
  overwriteStart(text: string): void {
    this.#flush();
    writeSync(this.#file, text, 0);
  }

  close(): void {
    this.#flush();
    closeSync(this.#file);
  }

  #flush(): void {
    const bytes = Buffer.from(this.#text);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    this.#text = '';
  }
}
