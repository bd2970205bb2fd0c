import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messages } from '../definitions/messages.ts';
import { readMessage } from '../iso20022-files.fixture.ts';
import { anyMessage, choices } from './any-message.fixture.ts';
import { refusalOf, writeMessage } from './written-messages.fixture.ts';

describe('any message', () => {
  it.each(messages.map((message) => [message.name, message] as const))(
    '%s is written without a finding, and its document writes the same bytes',
    (_, message) => {
      fc.assert(
        fc.property(choices, (choose) => {
          const { text } = writeMessage(anyMessage(message, choose));
          const { findings, document } = readMessage(text);
          expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
          expect(writeMessage(JSON.parse(document)).text).toBe(text);
        }),
        { numRuns: 5 },
      );
    },
  );

  it('with anything in place of a part of it is refused with a code and a place, or is written as it is', () => {
    const foreign = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', '-1', null, [], {}, [[]], [{}], { '@Ccy': 'EUR' }, { __proto__: null }),
    );
    fc.assert(
      fc.property(choices, fc.constantFrom(...messages), foreign, fc.array(fc.nat(99), { maxLength: 9 }), (choose, message, part, way) => {
        const document = replaced(anyMessage(message, choose), way, part);
        const refusal = refusalOf(document);
        if (refusal !== null) {
          expect(refusal[0]).toBe('E_ISO20022_DOCUMENT');
          expect(refusal[1]).toMatch(/^(?:\/|the document: )/);
        } else expect(readMessage(writeMessage(document).text).findings.filter(({ severity }) => severity === 'error')).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

/** `part` in place of what is at the end of the way, each step of which is a key by its number. */
function replaced(value: unknown, way: readonly number[], part: unknown): unknown {
  const [step, ...rest] = way;
  if (step === undefined || typeof value !== 'object' || value === null) return part;
  const keys = Object.keys(value);
  if (keys.length === 0) return part;
  const key = keys[step % keys.length]!;
  const inner = replaced((value as Record<string, unknown>)[key], rest, part);
  return Array.isArray(value) ? value.map((item, index) => (String(index) === key ? inner : item)) : { ...value, [key]: inner };
}
