/**
 * Text with gaps: numbers that stand before what they are computed of. What follows an open gap is held until it is filled, up to
 * a bound; without one nothing is held.
 */

import { Buffer } from 'node:buffer';
import { documentErrors } from '../../documents/document-errors.ts';
import { DocumentValues } from '../../writing/document-values.ts';

export const heldLengthMax = 64 * 1024 * 1024;
const longText = 64 * 1024;

export interface Gap {
  /** In the document, for the refusal where too much would be held. */
  readonly pointer: string;
  text: string | null;
}

export class HeldText {
  readonly #values = new DocumentValues(documentErrors.E_DOCUMENT_SIZE);
  readonly #write: (text: string) => void;
  readonly #lengthMax: number;
  /** The first is a gap that is open. Long texts are bytes: a string that was put together of many is kept in all its parts. */
  #held: (string | Buffer | Gap)[] = [];
  #length = 0;

  constructor(write: (text: string) => void, lengthMax = heldLengthMax) {
    this.#write = write;
    this.#lengthMax = lengthMax;
  }

  write(text: string): void {
    if (this.#held.length === 0) {
      this.#write(text);
      return;
    }
    this.#length += text.length;
    if (this.#length > this.#lengthMax)
      throw this.#values.refuse(
        (this.#held[0] as Gap).pointer,
        `a number that is to be computed stands before more than ${this.#lengthMax} characters; give it`,
      );
    const last = this.#held.at(-1)!;
    if (typeof last === 'string' && last.length < longText) this.#held[this.#held.length - 1] = last + text;
    else {
      if (typeof last === 'string') this.#held[this.#held.length - 1] = Buffer.from(last);
      this.#held.push(text);
    }
  }

  gap(pointer: string): Gap {
    const gap: Gap = { pointer, text: null };
    this.#held.push(gap);
    return gap;
  }

  fill(gap: Gap, text: string): void {
    gap.text = text;
    const open = this.#held.findIndex((each) => isGap(each) && each.text === null);
    const ready = this.#held.splice(0, open < 0 ? this.#held.length : open);
    for (const each of ready) {
      const written = isGap(each) ? each.text! : each.toString();
      if (!isGap(each)) this.#length -= written.length;
      this.#write(written);
    }
  }
}

function isGap(held: string | Buffer | Gap): held is Gap {
  return typeof held !== 'string' && !Buffer.isBuffer(held);
}
