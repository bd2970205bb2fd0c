import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonProblem, type JsonValue, readJsonDocument, recordJsonLimits } from './json-document.ts';

function codeOf(text: string): string | null {
  try {
    readJsonDocument(text);
    return null;
  } catch (error) {
    if (error instanceof JsonProblem) return error.code;
    throw error;
  }
}

/** As JSON.parse would give it. */
function plain(value: JsonValue): unknown {
  switch (value.kind) {
    case 'null':
      return null;
    case 'boolean':
    case 'string':
      return value.value;
    case 'number':
      return Number(value.text);
    case 'array':
      return value.items.map(plain);
    case 'object':
      return Object.fromEntries([...value.members].map(([key, member]) => [key, plain(member)]));
  }
}

function builtIn(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

describe('the strict JSON reader', () => {
  it('numbers keep their exact text', () => {
    for (const text of ['123456789012345678901234567890', '-0', '1e400', '0.1000', '1E+2', '-0.0e-5']) {
      expect(readJsonDocument(text)).toEqual({ kind: 'number', text });
    }
  });

  it('numbers in other forms are refused', () => {
    for (const text of ['01', '+1', '.5', '5.', '1e', '0x10', 'NaN', 'Infinity', '-', '--1', '1_000', '٣'])
      expect([text, codeOf(text)]).toEqual([text, 'E_JSON']);
  });

  it('a key twice in one object is refused at any level, also when it is escaped differently', () => {
    expect(codeOf('{"a":1,"a":1}')).toBe('E_DUPKEY');
    expect(codeOf('{"x":[{"a":1,"\\u0061":2}]}')).toBe('E_DUPKEY');
    expect(codeOf('{"a":{"a":1},"b":{"a":1}}')).toBeNull();
  });

  it('depth is limited to 64 levels, whatever they are made of', () => {
    expect(codeOf(`${'['.repeat(64)}${']'.repeat(64)}`)).toBeNull();
    expect(codeOf(`${'['.repeat(65)}${']'.repeat(65)}`)).toBe('E_DEPTH');
    expect(codeOf(`${'{"a":'.repeat(100_000)}`)).toBe('E_DEPTH');
  });

  it('keys that mean something to JavaScript are only keys', () => {
    const document = readJsonDocument('{"__proto__":{"polluted":true},"constructor":1,"toString":2}');
    expect(document.kind === 'object' && [...document.members.keys()]).toEqual(['__proto__', 'constructor', 'toString']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('lone surrogates, raw control characters and unknown escapes are refused, pairs are read', () => {
    for (const text of ['"\\ud800"', '"\\udc00"', '"\\ud800\\ud800"', '"\\ud800x"', '"\t"', '"\\x41"', '"\\u00g0"', '"\\', '"']) {
      expect([text, codeOf(text)]).toEqual([text, 'E_JSON']);
    }
    expect(readJsonDocument('"\\ud834\\udd1e"')).toEqual({ kind: 'string', value: '𝄞' });
  });

  it('the escape for NUL is refused in records and allowed where the limits say so', () => {
    expect(codeOf('"\\u0000"')).toBe('E_CHARACTER');
    expect(readJsonDocument('"\\u0000"', { ...recordJsonLimits, allowNul: true })).toEqual({ kind: 'string', value: '\0' });
  });

  it('what is read is what was written', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        const code = codeOf(text);
        // Lone surrogates and NUL are JSON, but no text of ours.
        if (code === null) expect(plain(readJsonDocument(text))).toEqual(JSON.parse(text));
        else expect(/\\ud[89a-f]|\\u0000/i.test(text)).toBe(true);
      }),
    );
  });

  it('nothing is accepted that the built-in parser refuses, and nothing it accepts is refused without a reason of ours', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '"b"',
      '1',
      '-0.5e3',
      '01',
      'true',
      'null',
      'nul',
      ' ',
      '\t',
      '"\\n"',
      '"\\ud800"',
      '\u00a0',
      '"',
    );
    fc.assert(
      fc.property(
        fc.array(token, { maxLength: 9 }).map((parts) => parts.join('')),
        (text) => {
          const expected = builtIn(text);
          const code = codeOf(text);
          if (expected === null) expect(code).not.toBeNull();
          else if (code === null) expect(plain(readJsonDocument(text))).toEqual(expected.value);
          else expect([code === 'E_DUPKEY', text.includes('\\ud800')]).toContain(true);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
