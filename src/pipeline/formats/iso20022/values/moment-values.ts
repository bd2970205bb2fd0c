/**
 * `xs:date`, `xs:dateTime`, `xs:time`, `xs:gYear` and `xs:gYearMonth` over bytes (XML Schema part 2, sections 3.2.7 to 3.2.11).
 * Years are those of XML Schema 1.0: there is no year 0000, and more than four digits begin with no zero.
 */

import { type ValueCheck, ValueProblem } from './value-problem.ts';
import { trimmedFrom, trimmedTo } from './white-space.ts';

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Reads one value from left to right; `at` is -1 once something was wrong. */
class MomentText {
  at: number;
  readonly #bytes: Buffer;
  readonly #end: number;

  constructor(bytes: Buffer, from: number, to: number) {
    this.#bytes = bytes;
    this.at = trimmedFrom(bytes, from, to);
    this.#end = trimmedTo(bytes, this.at, to);
  }

  get isDone(): boolean {
    return this.at === this.#end;
  }

  character(code: number): void {
    if (this.at >= 0 && this.at < this.#end && this.#bytes[this.at] === code) this.at++;
    else this.at = -1;
  }

  isNext(code: number): boolean {
    return this.at >= 0 && this.at < this.#end && this.#bytes[this.at] === code;
  }

  /** Two digits between `least` and `most`. */
  pair(least: number, most: number): number {
    if (this.at < 0 || this.at + 2 > this.#end) {
      this.at = -1;
      return 0;
    }
    const tens = this.#bytes[this.at]! - 0x30;
    const ones = this.#bytes[this.at + 1]! - 0x30;
    const value = tens * 10 + ones;
    this.at = tens < 0 || tens > 9 || ones < 0 || ones > 9 || value < least || value > most ? -1 : this.at + 2;
    return value;
  }

  /** Four digits or more; true: a leap year. */
  year(): boolean {
    if (this.isNext(0x2d)) this.at++;
    const from = this.at;
    let value = 0;
    let isZero = true;
    while (this.at >= 0 && this.at < this.#end && this.#bytes[this.at]! >= 0x30 && this.#bytes[this.at]! <= 0x39) {
      value = (value * 10 + this.#bytes[this.at]! - 0x30) % 400;
      isZero &&= this.#bytes[this.at] === 0x30;
      this.at++;
    }
    const digits = this.at - from;
    if (digits < 4 || isZero || (digits > 4 && this.#bytes[from] === 0x30)) this.at = -1;
    return (value % 4 === 0 && value % 100 !== 0) || value === 0;
  }

  date(): void {
    const isLeap = this.year();
    this.character(0x2d);
    const month = this.pair(1, 12);
    this.character(0x2d);
    const days = month === 2 && isLeap ? 29 : monthDays[month - 1];
    this.pair(1, days ?? 31);
  }

  time(): void {
    const hour = this.pair(0, 24);
    this.character(0x3a);
    const minute = this.pair(0, hour === 24 ? 0 : 59);
    this.character(0x3a);
    this.pair(0, hour === 24 || minute < 0 ? 0 : 59);
    if (!this.isNext(0x2e)) return;
    const from = ++this.at;
    while (this.at < this.#end && this.#bytes[this.at]! >= 0x30 && this.#bytes[this.at]! <= (hour === 24 ? 0x30 : 0x39)) this.at++;
    if (this.at === from) this.at = -1;
  }

  zone(): void {
    if (this.at < 0 || this.isDone) return;
    if (this.isNext(0x5a)) {
      this.at++;
      return;
    }
    if (!this.isNext(0x2b) && !this.isNext(0x2d)) {
      this.at = -1;
      return;
    }
    this.at++;
    const hours = this.pair(0, 14);
    this.character(0x3a);
    this.pair(0, hours === 14 ? 0 : 59);
  }
}

function momentCheck(what: string, read: (text: MomentText) => void): ValueCheck {
  const problem = new ValueProblem('schema', 'schema-date', `the text is no ${what} of the calendar in the form of ISO 8601`);
  return (bytes, from, to) => {
    const text = new MomentText(bytes, from, to);
    read(text);
    text.zone();
    return text.isDone ? null : problem;
  };
}

export const checkDate = momentCheck('date', (text) => text.date());
export const checkTime = momentCheck('time', (text) => text.time());
export const checkYear = momentCheck('year', (text) => void text.year());
export const checkYearMonth = momentCheck('month', (text) => {
  text.year();
  text.character(0x2d);
  text.pair(1, 12);
});
export const checkDateTime = momentCheck('date and time', (text) => {
  text.date();
  text.character(0x54);
  text.time();
});
