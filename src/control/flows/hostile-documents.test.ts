/** Whatever the text is, loading it answers: a document, or findings that lie inside the text. It never throws and never takes long. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDocument } from './documents/format-document.ts';
import { loadDocument } from './load-flow.ts';

const read = (name: string): string => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');
const texts = [
  'examples/eft.yaml',
  'examples/cards.yaml',
  'examples/invoices.yaml',
  'examples/bank-za/fx-api.yaml',
  'test/golden/full-example.yaml',
].map(read);
const bits = fc.constantFrom(
  '{',
  '}',
  '[',
  ']',
  ':',
  ': ',
  '- ',
  '\n',
  '\n  ',
  ',',
  '"',
  "'",
  '#',
  '&a ',
  '*a',
  '!x ',
  '|',
  '>',
  '~',
  'null',
  '0',
  '-1',
  '1e9',
  'true',
  '\\',
  '\u2028',
  '😀',
  '\0',
  '__proto__',
  'constructor: ',
  '? ',
  '%',
);

function expectSoundAnswer(text: string): void {
  const { document, hash, plan, diagnostics } = loadDocument(text);
  const lines = text.split('\n');
  for (const { line, column, message, code } of diagnostics) {
    expect(code).toMatch(/^E_[A-Z_]+$/);
    expect(message).not.toBe('');
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1);
  }
  const hasErrors = diagnostics.some(({ severity }) => severity === 'error');
  expect([document === null, hash === null]).toEqual([hasErrors, hasErrors]);
  expect(plan === null || !hasErrors).toBe(true);
}

test('a text with pieces put in, taken out or moved', () => {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    take: fc.nat({ max: 30 }),
    put: fc.array(bits, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 4 }), (text, edits) => {
      const changed = edits.reduce((current, { at, take, put }) => {
        const start = Math.floor(at * current.length);
        return current.slice(0, start) + put.join('') + current.slice(start + take);
      }, text);
      expectSoundAnswer(changed);
    }),
    { numRuns: 60 },
  );
});

test('a text whose values are replaced by values of other kinds', () => {
  const values = ['[]', '{}', '""', '[[1]]', '{ a: 1 }', '7', 'true', '"x"', '~', '[{ id: a }]', '-0.5', '"record.x"'];
  const edit = fc.record({ at: fc.nat(), value: fc.constantFrom(...values) });
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 3 }), (text, edits) => {
      const changed = edits.reduce((current, { at, value }) => {
        const places = [...current.matchAll(/: (?=[^\s{[])[^,}\n]+/g)];
        const place = places[at % places.length]!;
        return `${current.slice(0, place.index)}: ${value}${current.slice(place.index + place[0].length)}`;
      }, text);
      expectSoundAnswer(changed);
    }),
    { numRuns: 60 },
  );
});

test('any text at all, formatted or not', () => {
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('');
      expectSoundAnswer(text);
      const formatted = formatDocument(text);
      if ('text' in formatted) expectSoundAnswer(formatted.text);
    }),
    { numRuns: 200 },
  );
});
