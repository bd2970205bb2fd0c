/** Texts: lengths in characters (XML Schema part 2, section 4.3) and the patterns of the identifiers of ISO 20022. */
import { type ValueCheck, ValueProblem } from './value-problem.ts';

/** `min` to `max` characters, which are code points. */
export function textOf(min: number, max: number): ValueCheck {
  const problem = new ValueProblem('schema', 'schema-length', `the text does not have ${min} to ${max} characters`);
  return (bytes, from, to) => {
    let length = to - from;
    if (length >= min && length <= max && length * 4 < min * 5) return null;
    if (length < min) return problem;
    if (length <= max && min <= 1) return null;
    length = 0;
    for (let at = from; at < to; at++) if ((bytes[at]! & 0xc0) !== 0x80) length++;
    return length < min || length > max ? problem : null;
  };
}

/** Sets of bytes: `n` digits, `A` upper case, `a` lower case, `l` either case, `c` either case and digits, `u` upper case and digits. */
const sets: Readonly<Record<string, RegExp>> = {
  n: /[0-9]/,
  A: /[A-Z]/,
  a: /[a-z]/,
  c: /[A-Za-z0-9]/,
  u: /[A-Z0-9]/,
  l: /[A-Za-z]/,
  i: /[B-DF-HJ-NP-TV-XZ0-9]/,
  h: /[a-f0-9]/,
  p: /[0-9()+-]/,
  v: /[89ab]/,
  b: /[A-Z2-9]/,
  o: /[A-NP-Z0-9]/,
};
const masks = new Map(
  Object.entries(sets).map(([key, set]) => [
    key,
    new Uint8Array(256).map((_, byte) => (byte < 0x80 && set.test(String.fromCharCode(byte)) ? 1 : 0)),
  ]),
);

interface PatternPart {
  readonly mask: Uint8Array;
  readonly min: number;
  readonly max: number;
}

/**
 * A pattern in parts `set{min,max}` or `set{count}` or a character in quotes, such as `A{2}n{2}c{1,30}`. Each part takes as many
 * bytes as it can: right for the patterns of ISO 20022, where no part that varies is followed by one that shares its bytes.
 */
export function patternOf(pattern: string): ValueCheck {
  const problem = new ValueProblem('schema', 'schema-pattern', 'the text does not have the form of its type');
  const parts = [...pattern.matchAll(/(?:([a-zA-Z])|'(.)')(?:\{([0-9]+)(?:,([0-9]+))?\})?/g)].map(
    ([, set, character, min = '1', max = min]): PatternPart => {
      const mask = set === undefined ? new Uint8Array(256).map((_, byte) => (byte === character!.charCodeAt(0) ? 1 : 0)) : masks.get(set)!;
      return { mask, min: Number(min), max: Number(max) };
    },
  );
  return (bytes, from, to) => {
    let at = from;
    for (const { mask, min, max } of parts) {
      const most = Math.min(to, at + max);
      const least = at + min;
      while (at < most && mask[bytes[at]!] === 1) at++;
      if (at < least) return problem;
    }
    return at === to ? null : problem;
  };
}

/** Two forms that differ in length, such as a BIC with and without branch. */
export function eitherOf(first: ValueCheck, second: ValueCheck): ValueCheck {
  return (bytes, from, to) => (first(bytes, from, to) === null ? null : second(bytes, from, to));
}

export function codesOf(codes: readonly string[]): ValueCheck {
  const problem = new ValueProblem('schema', 'schema-code', `the text is none of the ${codes.length} codes of its type`);
  const known = new Set(codes.map(packed));
  return (bytes, from, to) => {
    if (to - from > 4) return problem;
    let code = 0;
    for (let at = from; at < to; at++) code = code * 256 + bytes[at]!;
    return known.has(code) ? null : problem;
  };
}

/** Codes have one to four characters of ASCII. */
function packed(code: string): number {
  let value = 0;
  for (const character of code) value = value * 256 + character.charCodeAt(0);
  return value;
}
