/**
 * Values of fields as SWIFT writes them: dates with two digits of the year, amounts with a comma and the decimals of their currency,
 * and texts whose lines a reader does not take for something else. Source: Standards MT, General Information.
 */
import { decimalText } from '../../exact-sum.ts';
import type { DocumentValues } from '../../writing/document-values.ts';
import { decimalsOf } from '../decimal-amounts.ts';

/** At the begin of a line: the end of a message, a tag, or the block that begins the next message. */
const endLine = /^-(?:$|\}|(?:XXX)?\s*$)/;
const tagLine = /^:(\d\d[A-Z]?|\d{3}|NS):/;
const nextMessage = /^\{1:/;

export class FieldTexts {
  readonly #values: DocumentValues;

  constructor(values: DocumentValues) {
    this.#values = values;
  }

  /**
   * The text with LF between its lines, as it can be read back. `knownTags`: of information, the tags that are fields there;
   * others of two digits are text.
   */
  lines(text: string, pointer: string, knownTags: ReadonlySet<string> | null = null): string {
    for (const [index, line] of text.split('\n').entries()) {
      if (line.includes('\r')) throw this.#values.refuse(pointer, 'lines are separated by line feeds alone');
      if (line.endsWith(' ')) throw this.#values.refuse(pointer, 'spaces at the end of a line are not read');
      if (index === 0) continue;
      if (/^[ \t\u001a]*$/.test(line)) throw this.#values.refuse(pointer, 'blank lines are not read');
      const tag = tagLine.exec(line)?.[1];
      const isTag = tag !== undefined && !(knownTags !== null && /^\d\d$/.test(tag) && !knownTags.has(tag));
      if (isTag || endLine.test(line) || nextMessage.test(line))
        throw this.#values.refuse(pointer, 'a line begins as a field or the end of a message does');
    }
    return text;
  }

  /** yyMMdd of yyyy-MM-dd: the years 1980 to 2079. */
  date(text: string, pointer: string): string {
    const [, century, rest] = /^(19[89]|20[0-7])(\d-\d\d-\d\d)$/.exec(text) ?? [];
    if (century === undefined) throw this.#values.refuse(pointer, 'a date is yyyy-MM-dd, in the years 1980 to 2079');
    return (century.slice(2) + rest!).replaceAll('-', '');
  }

  /** The amount in minor units of the currency, from decimal text with a point and without a sign. */
  units(text: string, currency: string, pointer: string): bigint {
    const decimals = decimalsOf(currency);
    const [, whole, fraction = ''] = /^(\d{1,24})(?:\.(\d{1,24}))?$/.exec(text) ?? [];
    if (whole === undefined)
      throw this.#values.refuse(pointer, 'an amount is digits, with a decimal point where it has decimals, without a sign');
    if (fraction.length > decimals) throw this.#values.refuse(pointer, `the amount has more decimals than the ${decimals} of its currency`);
    return BigInt(whole + fraction.padEnd(decimals, '0'));
  }
}

/** `2187,95`, `100,` */
export function swiftAmount(units: bigint, currency: string): string {
  const text = decimalText(units, decimalsOf(currency));
  return text.includes('.') ? text.replace('.', ',') : `${text},`;
}
