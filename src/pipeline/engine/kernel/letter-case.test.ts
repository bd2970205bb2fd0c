import { expect, test } from 'vitest';
import { changeCase } from './letter-case.ts';

const upper = { low: 0x61, high: 0x7a, firstTail: 0xa0, lastTail: 0xbe, kept: 0xb7, flip: -0x20 };
const lower = { low: 0x41, high: 0x5a, firstTail: 0x80, lastTail: 0x9e, kept: 0x97, flip: 0x20 };

test('every character up to U+00FF changes as Unicode says, or is set aside', () => {
  for (let code = 0; code <= 0xff; code++) {
    const text = String.fromCodePoint(code);
    const from = Buffer.from(text);
    for (const [change, expected] of [
      [upper, text.toUpperCase()],
      [lower, text.toLowerCase()],
    ] as const) {
      const into = Buffer.alloc(8);
      const end = changeCase(from, { start: 0, end: from.length, ...change }, into, 0);
      if (end >= 0) expect(into.toString('utf8', 0, end), `U+${code.toString(16)}`).toBe(expected);
      else if (code >= 0xc0) expect(['ß', 'ÿ'], text).toContain(text);
      else expect(code).toBeGreaterThanOrEqual(0x80);
    }
  }
});

test('characters beyond are set aside', () => {
  for (const text of ['œ', 'ā', '€', '名', '😀']) {
    const from = Buffer.from(text);
    expect(changeCase(from, { start: 0, end: from.length, ...upper }, Buffer.alloc(16), 0)).toBe(-1);
  }
});
