import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeliveryOutcome, RecordResult } from '../../connectors/connector.ts';
import { decide } from './outcome-decision.ts';
import { isExhausted, retryDelayMs } from './retry-schedule.ts';

const retry = { max: 2, initialMs: 100, capMs: 1_000 };
const rngOf = (fraction: number) => ({ fraction: () => fraction, bytes: (length: number) => new Uint8Array(length) });
const context = (tries: number, records = 4, isFoundOut = false, mayHalve = () => true, isOrdered = false) => ({
  target: { retry },
  tries,
  isFoundOut,
  records,
  isOrdered,
  mayHalve,
  rng: rngOf(0.5),
});
const refused = (retryable: boolean, more = {}): DeliveryOutcome => ({ kind: 'refused', retryable, code: 'E_X', message: 'm', ...more });

describe('retries', () => {
  it('wait anywhere between nothing and a bound that doubles up to the cap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.double({ min: 0, max: 0.999999, noNaN: true }), (attempt, fraction) => {
        const delayMs = retryDelayMs(retry, attempt, rngOf(fraction));
        const bound = Math.min(retry.capMs, retry.initialMs * 2 ** (attempt - 1));
        expect(delayMs).toBe(Math.ceil(fraction * bound));
      }),
    );
  });

  it('wait at least as long as the target asked for, up to a quarter of an hour', () => {
    expect(retryDelayMs(retry, 1, rngOf(0.5), 7_000)).toBe(7_000);
    expect(retryDelayMs(retry, 1, rngOf(0.5), 10)).toBe(50);
    expect(retryDelayMs(retry, 1, rngOf(0.5), 10 ** 9)).toBe(900_000);
  });

  it('end after the first try and as many more as the flow says', () => {
    expect([1, 2, 3].map((attempts) => isExhausted(retry, attempts))).toEqual([false, false, true]);
    expect(isExhausted({ ...retry, max: 0 }, 1)).toBe(true);
  });
});

describe('the outcome of a whole batch', () => {
  it.each([
    [{ kind: 'acked' } as const, 1, 'acked'],
    [refused(false), 1, 'refused'],
    [refused(true), 1, 'retry'],
    [refused(true), 3, 'exhausted'],
    [refused(true, { code: 'E_TARGET_SETUP' }), 2, 'retry'],
    [refused(true, { code: 'E_TARGET_SETUP' }), 3, 'held'],
    [refused(false, { code: 'E_TARGET_REDIRECT' }), 2, 'retry'],
    [refused(false, { code: 'E_TARGET_REDIRECT' }), 9, 'held'],
    [{ kind: 'acked', perRecord: [0, 1, 2, 3].map((index) => ({ index, status: 'retry' as const, code: 'E_SSRF' })) } as const, 3, 'held'],
    [{ kind: 'unknown', code: 'E_X', message: 'm' } as const, 1, 'unknown'],
    [{ kind: 'unknown', code: 'E_X', message: 'm' } as const, 3, 'unknown'],
  ])('%j at attempt %i is %s', (outcome, attempt, kind) => {
    expect(decide(outcome, context(attempt)).kind).toBe(kind);
  });

  it('was held before: settings that are still at fault hold it at once, anything else has all its tries', () => {
    expect(decide(refused(true, { code: 'E_TARGET_FORBIDDEN' }), context(1, 4, true)).kind).toBe('held');
    expect([1, 2, 3].map((tries) => decide(refused(true), context(tries, 4, true)).kind)).toEqual(['retry', 'retry', 'exhausted']);
  });

  it('never comes sooner again than the target asked for', () => {
    expect(decide(refused(true, { retryAfterMs: 3_000 }), context(1))).toMatchObject({ kind: 'retry', delayMs: 3_000 });
    const unknown = { kind: 'unknown', code: 'E_TARGET_BUSY', message: 'm', retryAfterMs: 3_000 } as const;
    expect(decide(unknown, context(1))).toMatchObject({ kind: 'unknown', delayMs: 3_000 });
    const rest = { kind: 'acked', perRecord: [{ index: 1, status: 'retry', code: 'E_TARGET_BUSY' }], retryAfterMs: 3_000 } as const;
    expect(decide(rest, { ...context(1), records: 2 })).toMatchObject({ kind: 'split', delayMs: 3_000 });
  });
});

describe('results per record', () => {
  const result = fc.constantFrom('acked', 'refused', 'retry', 'unknown');

  it('put every record into exactly one part, and never lose a code or a message', () => {
    fc.assert(
      fc.property(fc.array(result, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 3 }), (results, attempt) => {
        const perRecord = results.flatMap((status, index): RecordResult[] =>
          status === 'acked' ? [] : [{ index, status, code: `C${index}`, ...(index % 2 === 0 ? { message: `m${index}` } : {}) }],
        );
        const decision = decide({ kind: 'acked', perRecord }, context(attempt, results.length));
        const kinds = new Set(results);
        if (decision.kind !== 'split') {
          expect(kinds.size).toBe(1);
          expect(decision.kind).toBe([...kinds][0]);
          return;
        }
        expect(decision.parts.flatMap(({ indexes }) => indexes).sort((a, b) => a - b)).toEqual(results.map((_, index) => index));
        for (const { becomes, indexes, codes, messages } of decision.parts) {
          expect([...indexes].sort((a, b) => a - b)).toEqual(indexes);
          expect(codes).toEqual(becomes === 'acked' ? [] : indexes.map((index) => `C${index}`));
          expect(messages).toEqual(becomes === 'acked' ? [] : indexes.map((index) => (index % 2 === 0 ? `m${index}` : null)));
          // What is left of a batch that the target decided about in part has its tries again.
          const isLast = attempt > retry.max && !kinds.has('acked') && !kinds.has('refused');
          for (const index of indexes) expect(becomes).toBe(results[index] === 'retry' && isLast ? 'exhausted' : results[index]);
        }
      }),
    );
  });
});

describe('results per record of a batch in a lane', () => {
  const open = ['held', 'retry', 'unknown'];
  const status = fc.constantFrom('acked', 'refused', 'retry', 'unknown', 'forbidden');
  const decideInOrder = (statuses: readonly string[]) => {
    const perRecord = statuses.flatMap((each, index): RecordResult[] =>
      each === 'acked'
        ? []
        : [each === 'forbidden' ? { index, status: 'retry', code: 'E_TARGET_FORBIDDEN' } : { index, status: each as 'retry', code: 'C' }],
    );
    const decision = decide(
      { kind: 'acked', perRecord },
      context(1, statuses.length, true, () => true, true),
    );
    return decision.kind === 'split' ? decision.parts : [];
  };

  it('go on in stretches, so that none is sent before an earlier one', () => {
    fc.assert(
      fc.property(fc.array(status, { minLength: 1, maxLength: 60 }), (statuses) => {
        const parts = decideInOrder(statuses).filter(({ becomes }) => open.includes(becomes));
        const going = parts.flatMap(({ indexes }) => indexes);
        expect(going).toEqual([...going].sort((a, b) => a - b));
        expect(parts.length).toBeLessThanOrEqual(16);
        for (const { becomes, indexes } of parts)
          if (indexes.some((index) => statuses[index] === 'unknown')) expect(becomes).toBe('unknown');
      }),
    );
  });

  it('stay together where only ended ones are between them', () => {
    expect(decideInOrder(['retry', 'acked', 'retry', 'unknown', 'refused', 'unknown', 'retry']).map(({ indexes }) => indexes)).toEqual([
      [0, 2],
      [1],
      [3, 5],
      [4],
      [6],
    ]);
  });

  it('are taken together in the end where they go back and forth, and for unknown if one is', () => {
    const parts = decideInOrder(Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 'retry' : 'unknown')));
    expect([parts.length, parts.at(-1)!.becomes, parts.at(-1)!.indexes.length]).toEqual([16, 'unknown', 25]);
    const [late] = decideInOrder([...Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? 'retry' : 'forbidden')), 'unknown']).slice(
      -1,
    );
    expect(late).toMatchObject({ becomes: 'unknown', reason: 'C', indexes: [15, 16] });
    const held = decideInOrder(Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? 'retry' : 'forbidden')));
    expect(held.map(({ becomes }) => becomes)).toEqual([
      ...Array.from({ length: 15 }, (_, index) => (index % 2 === 0 ? 'retry' : 'held')),
      'retry',
    ]);
  });
});

describe('a refusal for good', () => {
  const refused = { kind: 'refused', retryable: false, code: 'E_TARGET_REFUSED', message: 'no' } as const;

  it('of a batch of which one record may be at fault cuts it in half, in order and at once', () => {
    const part = (...indexes: number[]) => {
      const each = <T>(value: T) => indexes.map(() => value);
      return { becomes: 'retry', indexes, codes: each(refused.code), messages: each(refused.message) };
    };
    expect(decide({ ...refused, mayBeOneRecord: true }, context(1, 5))).toEqual({
      kind: 'split',
      delayMs: 0,
      parts: [part(0, 1, 2), part(3, 4)],
      refusal: { code: refused.code, message: refused.message },
    });
  });

  it('of one record, of a batch that goes together, or where there were too many, is one', () => {
    const { kind: _, retryable: __, ...given } = refused;
    const expected = { kind: 'refused', ...given };
    expect(decide({ ...refused, mayBeOneRecord: true }, context(1, 1))).toEqual(expected);
    expect(decide(refused, context(1, 5))).toEqual(expected);
    expect(
      decide(
        { ...refused, mayBeOneRecord: true },
        context(1, 5, false, () => false),
      ),
    ).toEqual(expected);
  });
});
