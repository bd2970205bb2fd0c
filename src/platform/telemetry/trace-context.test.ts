import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatTraceparent, parseTraceparent } from './trace-context.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const hex = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });

it('what is formatted is parsed again', () => {
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (trace, span, isSampled) => {
      fc.pre(!/^0+$/.test(trace) && !/^0+$/.test(span));
      const context = { traceId: trace, spanId: span, isSampled };
      expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
    }),
  );
});

it.each([
  undefined,
  null,
  '',
  'garbage',
  `00-${traceId}-${spanId}`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `00-${'0'.repeat(32)}-${spanId}-01`,
  `00-${traceId}-${'0'.repeat(16)}-01`,
  `00-${traceId}-${spanId}-01-more`,
  `ff-${traceId}-${spanId}-01`,
  `00-${traceId}-${spanId}-0g`,
  `00-${traceId}-${spanId}-01${' '.repeat(600)}`,
])('the malformed header %j is ignored', (header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});

it('a later version is read as far as it is known', () => {
  expect(parseTraceparent(`01-${traceId}-${spanId}-03-more`)).toEqual({ traceId, spanId, isSampled: true });
});
