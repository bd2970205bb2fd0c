import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lostValues, replacedPart } from '../../writing/replaced-part.fixture.ts';
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
          const made = anyMessage(message, choose);
          const { text } = writeMessage(made);
          const { findings, document } = readMessage(text);
          expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
          expect(writeMessage(JSON.parse(document)).text).toBe(text);
          expect(withoutComputed(JSON.parse(document))).toEqual(withoutComputed(made));
        }),
        { numRuns: 5 },
      );
    },
  );

  it('with anything in place of a part of it is refused with a code and a place, or is written as it is', () => {
    fc.assert(
      fc.property(choices, fc.constantFrom(...messages), replacedPart, (choose, message, replace) => {
        const document = replace(anyMessage(message, choose));
        const refusal = refusalOf(document);
        if (refusal !== null) {
          expect(refusal[0]).toBe('E_ISO20022_DOCUMENT');
          expect(refusal[1]).toMatch(/^(?:\/|the document: )/);
          return;
        }
        const { findings, document: read } = readMessage(writeMessage(document).text);
        expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
        expect(lostValues(document, JSON.parse(read))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

/** Without what the writer adds. */
function withoutComputed(document: unknown): unknown {
  const added = /^(?:@xmlns|NbOfTxs|CtrlSum|Ttl(?:Rtrd)?IntrBkSttlmAmt)$/;
  return JSON.parse(JSON.stringify(document, (key, value) => (added.test(key) ? undefined : value)));
}
