/**
 * Text with gaps: numbers that stand before what they are computed of. What follows an open gap is held until it is filled, up to
 * a bound; without one nothing is held.
 */

import { documentErrors } from '../../documents/document-errors.ts';
import { DocumentValues } from '../../writing/document-values.ts';

export const heldLengthMax = 64 * 1024 * 1024;

export interface Gap {
  /** In the document, for the refusal where too much would be held. */
  readonly pointer: string;
  text: string | null;
}

export class HeldText {
  readonly #values = new DocumentValues(documentErrors.E_DOCUMENT_SIZE);
  readonly #write: (text: string) => void;
  readonly #lengthMax: number;
  /** The first is a gap that is open. */
  #held: (string | Gap)[] = [];
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
    // Few long texts rather than many short ones.
    if (typeof last === 'string' && last.length < 65_536) this.#held[this.#held.length - 1] = last + text;
    else this.#held.push(text);
  }

  gap(pointer: string): Gap {
    const gap: Gap = { pointer, text: null };
    this.#held.push(gap);
    return gap;
  }

  fill(gap: Gap, text: string): void {
    gap.text = text;
    const open = this.#held.findIndex((each) => typeof each !== 'string' && each.text === null);
    const ready = this.#held.splice(0, open < 0 ? this.#held.length : open);
    for (const each of ready) {
      if (typeof each === 'string') this.#length -= each.length;
      this.#write(typeof each === 'string' ? each : each.text!);
    }
  }
}
