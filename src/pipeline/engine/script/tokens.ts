/** Cuts a script into tokens. */

export interface Token {
  readonly kind: 'name' | 'number' | 'mark' | 'end';
  readonly text: string;
  readonly at: number;
}

/** Longer marks first, by their first character. */
const marks = new Map<string, readonly string[]>(
  Object.entries({
    '=': ['===', '='],
    '!': ['!==', '!'],
    '<': ['<<', '<=', '<'],
    '>': ['>>>', '>>', '>=', '>'],
    '+': ['++', '+=', '+'],
    '-': ['--', '-=', '-'],
    '*': ['*=', '*'],
    '&': ['&&', '&=', '&'],
    '|': ['||', '|=', '|'],
    '^': ['^=', '^'],
    ...Object.fromEntries([...'/%?:;,.(){}[]~'].map((mark) => [mark, [mark]])),
  }),
);

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isNamePart = (code: number): boolean =>
  isDigit(code) || (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || code === 0x24;
const number = /0x[0-9a-f]+|[0-9]+(?:[.][0-9]+)?(?:e[+-]?[0-9]+)?/y;

/** Throws for a character that no script has. */
export function tokensOf(script: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < script.length; ) {
    const code = script.charCodeAt(at);
    if (code === 0x20 || code === 0x0a) {
      at++;
      continue;
    }
    const start = at;
    let kind: Token['kind'] = 'mark';
    if (isDigit(code)) {
      kind = 'number';
      number.lastIndex = at;
      at += number.exec(script)![0].length;
    } else if (isNamePart(code)) {
      kind = 'name';
      while (isNamePart(script.charCodeAt(at))) at++;
    } else {
      const mark = marks.get(script[at]!)?.find((each) => script.startsWith(each, at));
      if (mark === undefined) throw new Error(`a script has no ${JSON.stringify(script[at])} (at ${at})`);
      at += mark.length;
    }
    tokens.push({ kind, text: script.slice(start, at), at: start });
  }
  tokens.push({ kind: 'end', text: '', at: script.length });
  return tokens;
}
