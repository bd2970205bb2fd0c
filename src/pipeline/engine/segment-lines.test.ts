import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBodyWriter } from './bodies/body-writer.ts';
import type { BodyPlan } from './plan.ts';
import { literal, outputField } from './plans.fixture.ts';
import { segmentLines } from './segment-lines.ts';

const output = [outputField('a', literal('string', '')), outputField('b', literal('string', ''))];
const bodies: BodyPlan[] = [
  { format: 'ndjson' },
  { format: 'csv', delimiter: 0x2c, header: false, lineEnd: '\r\n' },
  { format: 'csv', delimiter: 0x3b, header: true, lineEnd: '\n' },
];

describe('lines of a segment', () => {
  it('are the bodies that were written, whatever texts they hold', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[",;\r\n a]{0,6}$/));
    fc.assert(
      fc.property(fc.constantFrom(...bodies), fc.array(fc.tuple(text, text), { maxLength: 10 }), (body, rows) => {
        const write = createBodyWriter(body, output);
        const lines = rows.map((row) => write(row) as string);
        const cut = [...segmentLines(body, Buffer.from(lines.join(''), 'utf8'))].map((line) => Buffer.from(line).toString('utf8'));
        expect(cut).toEqual(lines.map((line) => Buffer.from(line, 'utf8').toString('utf8')));
      }),
    );
  });

  it('are refused when the bytes end inside a record', () => {
    expect(() => [...segmentLines(bodies[1]!, Buffer.from('"a\r\n'))]).toThrow('inside a record');
  });
});
