/** Reading along what came before has to be reading element by element: the same findings, places, sums and lines. */
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RecordLines } from '../../record-lines.ts';
import { creditTransfers, goodMessages } from '../iso20022-files.fixture.ts';
import { change, harmless, mutants } from '../iso20022-mutants.fixture.ts';
import { Iso20022Reader } from '../iso20022-reader.ts';
import { MessageChecker } from '../schema/message-checker.ts';
import { windowBytes } from './path-layout.ts';

afterEach(() => void vi.restoreAllMocks());

interface Sizes {
  readonly sizes: readonly number[];
  readonly hasLines: boolean;
}

function read(bytes: Buffer, learned: number, { sizes, hasLines }: Sizes) {
  const findings: unknown[] = [];
  const written: Buffer[] = [];
  const lines = hasLines ? new RecordLines((piece) => void written.push(Buffer.from(piece))) : undefined;
  const sink = { finding: (finding: unknown) => void findings.push(finding), ...(lines === undefined ? {} : { lines }) };
  const reader = new Iso20022Reader(new Map(), sink, learned);
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    const piece = Buffer.from(bytes.subarray(at, at + size));
    reader.push(piece);
    piece.fill(0);
    at += size;
  }
  const summary = reader.end();
  lines?.flush();
  return { findings, summary, lines: Buffer.concat(written).toString('utf8') };
}

const elements = /<(?:p:)?(CdtTrfTxInf|DrctDbtTxInf|TxInf|Ntry|PmtInf)>[\s\S]*?<\/(?:p:)?\1>/g;

/** The message with each of its records so many times. */
const repeated = (message: string, times: number): string => message.replace(elements, (element) => element.repeat(times));

/** What is put into messages, and may be right, wrong or the end of the reading there. */
const fragments = [
  ...[
    '<!-- x -->',
    '"',
    '\\',
    '<?pi x?>',
    '<![CDATA[a]]>',
    '&amp;',
    '&#10;',
    '&',
    '<',
    '>',
    ']]>',
    'ä',
    'é€ß',
    '\uFFFD',
    '\uFFFE',
    'ä'.repeat(100),
    '\u{1F600}',
    '\n',
    '\r\n',
    '\t',
    ' ',
    '\u0001',
  ],
  ...[
    '<x/>',
    '<Nm>',
    '</Nm>',
    '<AdrLine>y</AdrLine>',
    '<Ustrd>z</Ustrd>',
    '<Ctry>XX</Ctry>',
    '<ChrgBr>SLEV</ChrgBr>',
    '<Dt>2026-02-29</Dt>',
  ],
  ...[' xmlns="urn:other"', ' xmlns:q="urn:q"', ' Ccy="EUR"', ' Ccy="XXX"', '9', '-1', '.5', '0000000000000000001', 'x'.repeat(200), 'DE'],
];

const edit = fc.record({ at: fc.nat(1_000_000), cut: fc.nat(30), fragment: fc.option(fc.constantFrom(...fragments), { nil: '' }) });

function edited(message: string, edits: readonly { readonly at: number; readonly cut: number; readonly fragment: string }[]): string {
  let text = message;
  for (const { at, cut, fragment } of edits) {
    const place = at % (text.length + 1);
    text = text.slice(0, place) + fragment + text.slice(place + (fragment === '' ? cut : cut % 3));
  }
  return text;
}

/** In a tag or text of this message, so that more edits than one by chance hit something that matters. */
const tagEdit = fc.record({ at: fc.nat(1_000_000), fragment: fc.constantFrom(...fragments), isBefore: fc.boolean() });

function atTags(message: string, edits: readonly { readonly at: number; readonly fragment: string; readonly isBefore: boolean }[]): string {
  let text = message;
  for (const { at, fragment, isBefore } of edits) {
    const place = text.indexOf(isBefore ? '<' : '>', at % text.length);
    if (place < 0) continue;
    const to = isBefore ? place : place + 1;
    text = text.slice(0, to) + fragment + text.slice(to);
  }
  return text;
}

const sizes = fc.record({ sizes: fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 4 }), hasLines: fc.boolean() });

const spoiledByte = fc.record({ at: fc.nat(1_000_000), byte: fc.integer({ min: 0, max: 255 }) });

function expectAlike(message: string, how: Sizes, spoiled: readonly { readonly at: number; readonly byte: number }[] = []): void {
  const bytes = Buffer.from(message);
  for (const { at, byte } of spoiled) bytes[at % bytes.length] = byte;
  expect(read(bytes, 0, how)).toEqual(read(bytes, Number.POSITIVE_INFINITY, how));
}

describe('a message that is read along what came before', () => {
  it('is read as element by element, with changes anywhere', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(goodMessages)),
        fc.integer({ min: 1, max: 12 }),
        fc.array(edit, { maxLength: 4 }),
        sizes,
        (message, times, edits, how) => expectAlike(edited(repeated(message, times), edits), how),
      ),
      { numRuns: 400 },
    );
  });

  it('is read as element by element, with other bytes anywhere', () => {
    const arbitraries = [fc.constantFrom(...Object.values(goodMessages)), fc.array(spoiledByte, { maxLength: 3 }), sizes] as const;
    fc.assert(
      fc.property(...arbitraries, (message, spoiled, how) =>
        expectAlike(repeated(message.replaceAll('Muster', 'Mü€\u{1F600}'), 8), how, spoiled),
      ),
      { numRuns: 400 },
    );
  });

  it('is read as element by element, with changes at its tags', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(goodMessages)),
        fc.integer({ min: 2, max: 12 }),
        fc.array(tagEdit, { maxLength: 6 }),
        sizes,
        (message, times, edits, how) => expectAlike(atTags(repeated(message, times), edits), how),
      ),
      { numRuns: 400 },
    );
  });

  it.each(mutants.map(([rule], index) => ({ rule, index })))('breaks $rule in the last of its records ($index)', ({ index }) => {
    const [, message, search, replacement] = mutants[index]!;
    const records = [...message.matchAll(elements)];
    const last = records.at(-1)?.index ?? 0;
    const start = repeated(message.slice(0, last), 6);
    const changed = change(message, search, replacement).slice(0);
    for (const hasLines of [false, true]) {
      expectAlike(repeated(changed, 6), { sizes: [700], hasLines });
      expectAlike(start + message.slice(last).replace(search, replacement), { sizes: [300], hasLines });
    }
  });

  it.each(harmless)('has %s', (_, message, search, replacement) => {
    for (const hasLines of [false, true]) expectAlike(repeated(change(message, search, replacement), 6), { sizes: [500], hasLines });
  });

  it('is read as element by element over many windows', () => {
    const message = edited(repeated(creditTransfers, 2_500), [
      { at: 2_900_000, cut: 3, fragment: '' },
      { at: 900_000, cut: 0, fragment: '"\\"' },
    ]);
    expect(message.length).toBeGreaterThan(2 * windowBytes);
    for (const size of [262_144, 1_000_003]) expectAlike(message, { sizes: [size], hasLines: true });
  });

  it('is hardly read element by element', () => {
    const message = Buffer.from(repeated(creditTransfers, 500));
    const starts = vi.spyOn(MessageChecker.prototype, 'start');
    read(message, Number.POSITIVE_INFINITY, { sizes: [65_536], hasLines: false });
    const all = starts.mock.calls.length;
    starts.mockClear();
    read(message, 0, { sizes: [65_536], hasLines: false });
    expect(starts.mock.calls.length).toBeLessThan(all / 4);
  });
});
