import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadDocument } from '../load-flow.ts';
import { formatDocument } from './format-document.ts';

const folder = new URL('../../../../examples/', import.meta.url).pathname;
const examples = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => readFileSync(join(folder, file), 'utf8'));

function format(text: string): string {
  const formatted = formatDocument(text);
  if ('diagnostics' in formatted) throw new Error(JSON.stringify(formatted.diagnostics));
  return formatted.text;
}

describe('formatting', () => {
  test('puts keys in the order of their description, and leaves names in the order of their author', () => {
    const text = `kind: FlowDefinition
apiVersion: headgate/v1
spec:
   routes: {default: {to: [b]}}
   schema:
      record: {fields: {z: {type: int, at: [1, 2]}, a: {at: [3, 1], required: true, type: 'string'}}}
   format: {type: fixed-width}
   targets: {b: {connection: c, type: file}}
metadata: {version: 1.0.0, name: f, tenant: t, service: s}
`;
    expect(format(text)).toBe(`apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: t, service: s, name: f, version: 1.0.0 }
spec:
  format: { type: fixed-width }
  schema:
    record: { fields: { z: { at: [1, 2], type: int }, a: { at: [3, 1], type: "string", required: true } } }
  routes: { default: { to: [b] } }
  targets: { b: { type: file, connection: c } }
`);
  });

  test('keeps every comment beside what it is about', () => {
    const text = `# first
apiVersion: headgate/v1
kind: Connection # what it is
# about the name
metadata: { tenant: t, name: n }

# about the spec
spec:
  # about the root
  root: /x # where
  type: folder
# last
`;
    const formatted = format(text);
    expect(formatted.match(/#.*/g)).toEqual(text.match(/#.*/g));
    expect(formatted).toContain('kind: Connection # what it is');
    expect(formatted).toContain('root: /x # where');
  });

  test('keeps texts as they are: block texts, texts with brackets, texts that need quotes', () => {
    const text = `metadata:\n  labels:\n    a: "[ a ]"\n    b: '{ "x" }'\n    c: |\n      [ kept ]  \n      as it is\n    d: "1.0"\n`;
    const formatted = format(text);
    expect(formatted).toContain('a: "[ a ]"');
    expect(formatted).toContain('      [ kept ]  \n      as it is\n');
    expect(formatted).toContain('d: "1.0"');
    expect(format(formatted)).toBe(formatted);
  });

  test('line ends become LF and a byte order mark goes', () => {
    expect(format('\ufeffkind: x\r\na: 1\r\n')).toBe('kind: x\na: 1\n');
  });

  test('a text that is no strict YAML is refused, not changed', () => {
    expect(formatDocument('a: *b\n')).toHaveProperty('diagnostics');
  });

  test('formatting again changes nothing, and never the hash, however the text was laid out', () => {
    const layouts = fc.record({
      example: fc.constantFrom(...examples),
      seeds: fc.array(fc.nat({ max: 3 }), { minLength: 5, maxLength: 40 }),
    });
    fc.assert(
      fc.property(layouts, ({ example, seeds }) => {
        let turn = 0;
        const next = (): number => seeds[turn++ % seeds.length]!;
        const messy = example
          .replace(/, (?=[a-zA-Z{])/g, () => `,${' '.repeat(1 + next())}`)
          .replace(/\{ /g, () => `{${' '.repeat(next())}`)
          .replace(/\n(?= {2}[a-z])/g, () => ['\n', '\n\n', '\n', '\n\n\n'][next()]!);
        const formatted = format(messy);
        expect(format(formatted)).toBe(formatted);
        expect(loadDocument(formatted).hash).toBe(loadDocument(example).hash);
      }),
      { numRuns: 60 },
    );
  });
});
