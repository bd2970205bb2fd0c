import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runPack } from '../../statements/pack-run.fixture.ts';
import { refusalOf, writeDocument } from '../../writing/pack-writing.fixture.ts';
import { lostValues, replacedPart } from '../../writing/replaced-part.fixture.ts';
import { swiftPack } from '../swift-pack.ts';

const letters = (characters: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...characters), minLength, maxLength });
const reference = letters('ABC019-.', 1, 16);
const currencies = fc.constantFrom('EUR', 'JPY', 'BHD');
const decimals: Readonly<Record<string, number>> = { EUR: 2, JPY: 0, BHD: 3 };
const amountOf = (currency: string) =>
  fc.tuple(fc.nat(99_999_999), fc.nat(999)).map(([whole, fraction]) => {
    const digits = decimals[currency]!;
    return digits === 0 ? String(whole) : `${whole}.${String(fraction).padStart(3, '0').slice(0, digits)}`;
  });
const dates = fc
  .date({ min: new Date('1980-08-01'), max: new Date('2079-05-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const later = (date: string, days: number) => new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const lines = fc
  .array(
    letters("AB 01/?:(),.'+-", 1, 60).map((line) => `X${line}`.trimEnd()),
    { minLength: 1, maxLength: 6 },
  )
  .map((texts) => texts.join('\n'));
const headers = fc.constantFrom(
  { basicHeader: 'F01BANKBEBBAXXX2222123456', userHeader: '{108:REF1}', trailer: '{CHK:123456789ABC}' },
  null,
);

const entryOf = (currency: string, type: string) =>
  fc.tuple(dates, fc.integer({ min: -60, max: 60 }), fc.boolean()).chain(([valueDate, days, hasEntryDate]) =>
    fc.record(
      {
        valueDate: fc.constant(valueDate),
        entryDate: fc.constant(hasEntryDate ? later(valueDate, days) : null),
        mark: fc.constantFrom('C', 'D', 'RC', 'RD', ...(type === '942' ? ['EC', 'ED'] : [])),
        fundsCode: optional(fc.constantFrom('R', 'N')),
        amount: amountOf(currency),
        transactionType: fc.constantFrom('NTRF', 'S103', 'FCHK'),
        customerReference: reference,
        bankReference: optional(reference),
        supplementaryDetails: optional(reference.map((text) => `X${text}`)),
        ...(type === '950' ? {} : { information: lines.map((text) => ({ text })) }),
      },
      { requiredKeys: ['valueDate', 'entryDate', 'mark', 'amount', 'transactionType'] },
    ),
  );

const statement = fc.tuple(fc.constantFrom('940', '950', '942'), currencies).chain(([messageType, currency]) => {
  const balance = fc.record({ mark: fc.constantFrom('C', 'D'), date: dates, currency: fc.constant(currency), amount: amountOf(currency) });
  const closing = fc.record({ date: dates });
  const own: Readonly<Record<string, fc.Arbitrary<unknown>>> =
    messageType === '942'
      ? {
          floorLimits: fc.constant([{ currency, amount: '0' }]),
          dateTimeIndication: fc.constant('2601031200+0100'),
          debitEntries: fc.constant({}),
          creditEntries: fc.constant({}),
        }
      : { openingBalance: balance, closingBalance: closing, closingAvailableBalance: balance };
  return fc.record({
    messageType: fc.constant(messageType),
    transactionReference: reference,
    accountIdentification: letters('ABC019', 1, 35),
    statementNumber: letters('19', 1, 5),
    sequenceNumber: fc.constant('1'),
    entries: fc.array(entryOf(currency, messageType), { minLength: 1, maxLength: 4 }),
    ...own,
  });
});

const payment = currencies.chain((currency) =>
  fc.record({
    messageType: fc.constant('103'),
    fields: fc.tuple(reference, dates, amountOf(currency), lines).map(([id, date, amount, text]) => [
      { tag: '20', value: id },
      { tag: '23B', value: 'CRED' },
      { tag: '32A', date, currency, amount: amount.replace(/^0/, '1') },
      { tag: '50K', value: '/12345678\nACME INC.' },
      { tag: '59', value: 'JOHN DOE' },
      {
        tag: '70',
        value: text
          .split('\n')
          .slice(0, 4)
          .map((line) => line.slice(0, 35).trimEnd())
          .join('\n'),
      },
      { tag: '71A', value: 'SHA' },
    ]),
  }),
);

const anyFile = fc.tuple(fc.array(fc.oneof(statement, payment), { minLength: 1, maxLength: 4 }), headers).map(([messages, each]) => ({
  messages: messages
    .filter(({ messageType }) => each !== null || messageType !== '950')
    .map((message, index) => {
      // Pages of one statement would have to join.
      const numbered = 'statementNumber' in message ? { ...message, statementNumber: String(index * 7 + 1) } : message;
      return each === null ? numbered : { ...each, applicationHeader: `I${message.messageType}BANKUS33XXXXN`, ...numbered };
    }),
}));

const write = (document: unknown, lineEnd = 'CRLF') => writeDocument(swiftPack, document, { lineEnd }).text;

describe('any document', () => {
  it('is written without a finding, and its own document writes the same bytes', () => {
    fc.assert(
      fc.property(anyFile, fc.constantFrom('LF', 'CRLF'), (document, lineEnd) => {
        fc.pre(document.messages.length > 0);
        const text = write(document, lineEnd);
        const { findings, document: read, summary } = runPack(swiftPack, text);
        expect(findings).toEqual([]);
        expect(write(JSON.parse(read), lineEnd)).toBe(text);
        expect(summary.records.read).toBe(
          document.messages.reduce((sum, message) => sum + ('entries' in message ? message.entries.length : 1), 0),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('with anything in place of a part of it is refused with a code and a place, or is written as it is', () => {
    fc.assert(
      fc.property(anyFile, replacedPart, (document, replace) => {
        const changed = replace(document);
        const refusal = refusalOf(swiftPack, changed);
        if (refusal === null) {
          const { errors, document: read } = runPack(swiftPack, write(changed));
          expect(errors).toEqual([]);
          expect(JSON.parse(read).messages.length).toBe((changed as typeof document).messages.length);
          expect(lostValues(changed, JSON.parse(read))).toEqual([]);
        } else expect(refusal).toEqual(['E_SWIFT_DOCUMENT', expect.stringMatching(/^(?:\/|the document: )/)]);
      }),
      { numRuns: 250 },
    );
  });
});
