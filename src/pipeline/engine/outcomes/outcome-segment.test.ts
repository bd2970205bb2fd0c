import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { paymentColumns, paymentsPlan } from '../plans.fixture.ts';
import { publicHashKey } from '../run-chunk.ts';
import { memorySource, runInMemory } from '../runs.fixture.ts';
import { sortHashes } from './hash-index.ts';
import { KeyHash } from './key-hash.ts';
import { type OutcomeHeader as Header, OutcomeSegment } from './outcome-segment.ts';

const row = (id: string, country: string, amount = '10.00') =>
  `${id},2026-01-31,DE89370400440532013000,GB29NWBK60161331926819,${amount},EUR,${country},SEPA,Anna,REF-1,info`;

function segmentOf(rows: readonly string[]): { readonly segment: OutcomeSegment; readonly bytes: Buffer; readonly file: Buffer } {
  const file = Buffer.from(rows.map((line) => `${line}\n`).join(''), 'utf8');
  const { outcomes } = runInMemory({ plan: paymentsPlan(), bytes: file, columns: paymentColumns, spec: { firstRecord: 101 } });
  return { segment: new OutcomeSegment(memorySource(outcomes)), bytes: outcomes, file };
}

describe('an outcome segment', () => {
  const rows = [row('P000000001', 'DE'), row('P000000002', 'GB'), row('P000000003', 'CH', '1e3'), row('P000000002', 'FR')];

  it('says of every record what became of it, where it went and where it stands', () => {
    const { segment } = segmentOf(rows);
    const outcomes = rows.map((_, position) => segment.outcome(position));
    expect(outcomes.map(({ record, status, targets }) => [record, status, targets])).toEqual([
      [101, 'valid', [0]],
      [102, 'valid', [1]],
      [103, 'rejected', []],
      [104, 'valid', [0]],
    ]);
    expect(outcomes.map(({ offset }) => offset)).toEqual(rows.map((_, index) => rows.slice(0, index).join('').length + index));
  });

  it('finds records by the hash of their key, rejected ones too, in record order', () => {
    const { segment } = segmentOf(rows);
    const hash = new KeyHash(publicHashKey);
    const find = (key: string) => {
      hash.hashText(key);
      return segment.find(0, hash);
    };
    expect([find('P000000002'), find('P000000003'), find('P000000009')]).toEqual([[1, 3], [2], []]);
  });

  it('takes at most 30 bytes a record', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => row(`P${String(index).padStart(9, '0')}`, 'DE'));
    expect(segmentOf(many).bytes.length / many.length).toBeLessThan(20);
  });

  it('refuses what is no segment, and a segment that is cut at any byte', () => {
    const { bytes } = segmentOf(rows);
    const open = (part: Buffer) => () => new OutcomeSegment(memorySource(part));
    for (let length = 0; length < bytes.length; length += 7) expect(open(bytes.subarray(0, length))).toThrow(HeadgateError);
    const other = Buffer.from(bytes);
    other[4] = 2;
    expect(open(other)).toThrow('not an outcome segment');
  });

  it.each([
    ['entries of an index', (header: Header) => ({ ...header, indexes: [{ ...header.indexes[0], entries: -20 }] })],
    ['more entries of an index than records', (header: Header) => ({ ...header, indexes: [{ ...header.indexes[0], entries: 5 }] })],
    ['no indexes', ({ indexes, ...header }: Header) => header],
    ['half a record', (header: Header) => ({ ...header, records: 1.5 })],
    ['a first record as text', (header: Header) => ({ ...header, firstRecord: '101' })],
    ['a route that is none', (header: Header) => ({ ...header, routeSets: [[-1]] })],
    ['no hash', ({ hash, ...header }: Header) => header],
    ['nothing', () => null],
  ])('refuses a header that says what no segment has: %s', (_what, change) => {
    const { segment, bytes } = segmentOf(rows);
    const length = bytes.readUInt32LE(8);
    const header = Buffer.from(JSON.stringify(change(segment.header)).padEnd(length));
    const prefix = Buffer.from(bytes.subarray(0, 12));
    prefix.writeUInt32LE(header.length, 8);
    const changed = Buffer.concat([prefix, header, bytes.subarray(12 + length)]);
    expect(() => new OutcomeSegment(memorySource(changed))).toThrow('its header is malformed');
  });
});

describe('the hash index', () => {
  it('is in hash order, keeps record order among equals and leaves out records without a key', () => {
    const hash = fc.record({ low: fc.constantFrom(0, 1, 2, 0xffffffff), high: fc.constantFrom(0, 1, 0x80000000, 0xffffffff) });
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 200 }), (hashes) => {
        const interleaved = Uint32Array.from(hashes.flatMap(({ low, high }) => [low, high]));
        const index = sortHashes(interleaved, hashes.length);
        const expected = hashes
          .map(({ low, high }, record) => ({ low, high, record }))
          .filter(({ low, high }) => low !== 0 || high !== 0)
          .sort((a, b) => a.high - b.high || a.low - b.low || a.record - b.record);
        expect([...index.records]).toEqual(expected.map(({ record }) => record));
        expect([...index.hashes]).toEqual(expected.flatMap(({ low, high }) => [low, high]));
      }),
    );
  });
});
