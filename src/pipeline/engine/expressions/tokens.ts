/**
 * Cuts CEL text into tokens with their offsets. Text literals come out decoded. Bounded: the text is at most 16,384
 * units long, so every later step is bounded too.
 */
import { problem } from './problem.ts';

export type TokenKind = 'name' | 'int' | 'string' | 'operator' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** A name, the digits of an integer, a decoded text or an operator. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export const expressionLengthMax = 16_384;

const operators = ['&&', '||', '==', '!=', '<=', '>=', '<', '>', '+', '-', '*', '/', '%', '!', '?', ':', '.', ',', '(', ')', '[', ']'];
const escapes: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Throws an `ExpressionProblem` at the first character that no token starts with. */
export function readTokens(source: string): Token[] {
  if (source.length > expressionLengthMax) {
    throw problem('E_EXPRESSION_LIMIT', `expression is longer than ${expressionLengthMax} characters`, { start: 0, end: 0 });
  }
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const blank = matchAt(/(?:[ \t\r\n\f]|\/\/[^\n]*)+/y, source, at);
    if (blank !== null) {
      at += blank.length;
      continue;
    }
    const token = readToken(source, at);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: '', start: source.length, end: source.length });
  return tokens;
}

function readToken(source: string, at: number): Token {
  const raw = /[rR]/.test(source[at]!) && /['"]/.test(source[at + 1] ?? '');
  if (raw || source[at] === "'" || source[at] === '"') return readText(source, at, raw);
  const name = matchAt(/[A-Za-z_][A-Za-z0-9_]*/y, source, at);
  if (name !== null) return { kind: 'name', text: name, start: at, end: at + name.length };
  const number = matchAt(/0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[uU]?/y, source, at);
  if (number !== null) return readNumber(number, at);
  const operator = operators.find((candidate) => source.startsWith(candidate, at));
  if (operator !== undefined) return { kind: 'operator', text: operator, start: at, end: at + operator.length };
  throw problem('E_EXPRESSION_SYNTAX', unexpectedCharacter(source[at]!), { start: at, end: at + 1 });
}

function unexpectedCharacter(character: string): string {
  if (character === '=') return 'a single = is not an operator; compare with ==';
  if (character === '&' || character === '|') return `a single ${character} is not an operator; write ${character}${character}`;
  if (character === '`') return 'template texts are not part of the language; use quotes';
  if (character === '{' || character === '}') return 'maps and messages are not part of the language';
  const printable = /^[\x20-\x7e]$/.test(character)
    ? character
    : `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  return `unexpected character ${printable}`;
}

function readNumber(text: string, at: number): Token {
  const range = { start: at, end: at + text.length };
  if (/^0[xX]/.test(text)) return { kind: 'int', text: BigInt(text).toString(), ...range };
  if (/[uU]$/.test(text)) throw problem('E_EXPRESSION_SYNTAX', 'unsigned integers are not part of the language', range);
  if (!/^[0-9]+$/.test(text)) {
    throw problem('E_EXPRESSION_SYNTAX', `floating point is not part of the language; write decimal('${text}')`, range);
  }
  if (text.length > 40) throw problem('E_EXPRESSION_LIMIT', 'integer does not fit 64 bits', range);
  return { kind: 'int', text: BigInt(text).toString(), ...range };
}

function readText(source: string, start: number, raw: boolean): Token {
  const quote = source[start + (raw ? 1 : 0)]!;
  let at = start + (raw ? 2 : 1);
  let text = '';
  for (;;) {
    const character = source[at];
    if (character === undefined || character === '\n' || character === '\r') {
      throw problem('E_EXPRESSION_SYNTAX', 'text is not closed', { start, end: at });
    }
    if (character === quote) break;
    if (character === '\\' && !raw) {
      const escaped = readEscape(source, at);
      text += escaped.text;
      at = escaped.end;
    } else {
      text += character;
      at++;
    }
  }
  if (/[\ud800-\udfff]/u.test(text)) throw problem('E_EXPRESSION_SYNTAX', 'text holds half a surrogate pair', { start, end: at + 1 });
  return { kind: 'string', text, start, end: at + 1 };
}

function readEscape(source: string, at: number): { text: string; end: number } {
  const simple = escapes[source[at + 1] ?? ''];
  if (simple !== undefined) return { text: simple, end: at + 2 };
  const coded = matchAt(/\\(?:[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})/y, source, at);
  const range = { start: at, end: at + 2 };
  if (coded === null) throw problem('E_EXPRESSION_SYNTAX', 'unknown escape in a text', range);
  const point = /[0-3]/.test(coded[1]!) ? Number.parseInt(coded.slice(1), 8) : Number.parseInt(coded.slice(2), 16);
  if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) throw problem('E_EXPRESSION_SYNTAX', 'escape is not a character', range);
  return { text: String.fromCodePoint(point), end: at + coded.length };
}

function matchAt(pattern: RegExp, source: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0] ?? null;
}
