import { expect, it } from 'vitest';
import type { PackSink } from '../pack.ts';
import type { PackFinding } from '../pack-finding.ts';
import { CheckedOutput } from './checked-output.ts';

const finding = (line: number, severity: PackFinding['severity']): PackFinding => ({
  code: 'E_ANY',
  severity,
  line,
  columns: null,
  offset: 0,
  record: null,
  field: null,
  rule: 'any',
  message: 'something is wrong',
});

/** Its reader finds `tell` in the second piece and at the end. */
function output(atPiece: PackFinding | null, atEnd: PackFinding | null) {
  const given: number[] = [];
  const checked = new CheckedOutput({
    createReader: (sink: PackSink) => {
      let pieces = 0;
      return {
        push: () => {
          if (++pieces === 2 && atPiece !== null) sink.finding(atPiece);
        },
        end: () => {
          if (atEnd !== null) sink.finding(atEnd);
          return {
            records: { read: 1, rejected: 0 },
            amounts: {},
            controlTotals: { declared: { total: '1' }, computed: {}, balanced: true },
            details: {},
          };
        },
      };
    },
    code: 'E_DOCUMENT',
    pointerOf: ({ line }) => `/${line}`,
    bytes: (piece) => void given.push(piece.length),
  });
  return { checked, given };
}

const long = 'x'.repeat(70_000);
const refusal = { code: 'E_DOCUMENT', message: '/7: something is wrong (rule any)' };

it('a piece that the reader refuses is not given, and stops the writing at once', () => {
  const { checked, given } = output(finding(7, 'error'), null);
  checked.write(long);
  expect(() => checked.write(long)).toThrow(expect.objectContaining(refusal));
  expect(given).toEqual([70_000]);
});

it('what the reader refuses at the end is refused, and warnings are told', () => {
  expect(() => output(null, finding(7, 'error')).checked.end()).toThrow(expect.objectContaining(refusal));
  const { checked, given } = output(null, finding(7, 'warn'));
  checked.write('é');
  expect(checked.end()).toEqual({ records: 1, amounts: {}, details: {}, controlTotals: { total: '1' }, warnings: [finding(7, 'warn')] });
  expect(given).toEqual([2]);
});
