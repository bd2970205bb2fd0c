/**
 * Where the fields of one payment are, so that a rule between fields is told at the field that it is about. The first field
 * with a tag counts; places are kept as numbers and used again for the next payment.
 */
import type { Place } from '../statements/rule-findings.ts';
import type { FieldText } from './field-text.ts';

/** Line, first and last column, and offset of a field. */
const numbers = 4;
/** More tags than a payment has; of what is unknown, the last ones are not kept. */
const tagsMax = 64;

export class FieldPlaces {
  readonly #tags: string[] = [];
  readonly #numbers = new Float64Array(numbers * tagsMax);

  clear(): void {
    this.#tags.length = 0;
  }

  add(tag: string, field: FieldText): void {
    const index = this.#tags.length;
    if (index >= tagsMax || this.#tags.includes(tag)) return;
    this.#tags.push(tag);
    const { tagLine, tagOffset, firstColumn } = field;
    const length = Math.max(field.lineEnd(0), 1);
    this.#numbers.set([tagLine, firstColumn, firstColumn + length - 1, tagOffset + field.tag.length + 2], numbers * index);
  }

  /** Of the first of the tags that is there; `56` is `56A`, `56C` and `56D`. Null where none is. */
  find(tags: readonly string[]): Place | null {
    for (const wanted of tags) {
      const index = this.#tags.findIndex((tag) => tag === wanted || tag.slice(0, -1) === wanted);
      if (index < 0) continue;
      const [line, first, last, offset] = this.#numbers.subarray(numbers * index, numbers * (index + 1));
      return { line: line!, columns: [first!, last!], offset: offset! };
    }
    return null;
  }
}
