import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HeadgateError } from '../base/errors.ts';
import { createLogger, type LogFields } from './logger.ts';
import { withSpan } from './tracing.ts';
import { withWork } from './work-context.ts';

function capture(level: 'trace' | 'info' = 'trace') {
  const lines: string[] = [];
  const clock = { nowMs: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678), monotonicMs: () => 0 };
  return {
    lines,
    logger: createLogger({ level, base: { region: 'local' }, clock, destination: { write: (line) => void lines.push(line) } }),
  };
}

const only = (lines: string[]) => JSON.parse(lines[0]!) as Record<string, unknown>;

it('a line is one JSON object with level, time and message', () => {
  const { lines, logger } = capture();
  logger.info('file accepted', { bytes: 12, amount: 12n });
  expect(lines).toHaveLength(1);
  expect(only(lines)).toEqual({
    level: 'info',
    time: '2026-01-02T03:04:05.678Z',
    region: 'local',
    bytes: 12,
    amount: '12',
    message: 'file accepted',
  });
});

it('a line carries the ids of the work and the trace it belongs to', async () => {
  const { lines, logger } = capture();
  await withWork({ tenant: 't', flow: 'eft', jobId: 'j' }, () =>
    withSpan('chunk', {}, async ({ context }) => {
      await Promise.resolve();
      logger.child({ recordId: 'j/3' }).warn('record is poison');
      expect(only(lines)).toMatchObject({
        traceId: context.traceId,
        spanId: context.spanId,
        tenant: 't',
        flow: 'eft',
        jobId: 'j',
        recordId: 'j/3',
      });
    }),
  );
});

it('a level below the configured one writes nothing', () => {
  const { lines, logger } = capture('info');
  logger.debug('not this');
  expect(lines).toEqual([]);
});

it.each(['password', 'apiKey', 'authorization', 'databaseUrl', 'masterKey', 'clientSecret', 'bearerToken', 'setCookie'])(
  'the field %s is redacted',
  (name) => {
    const { lines, logger } = capture();
    logger.child({ [name]: 'hunter2' }).info('x', { [name]: 'hunter2' });
    expect(lines[0]).not.toContain('hunter2');
  },
);

it('a foreign error is logged by name, code and frames: its message may quote content', () => {
  const { lines, logger } = capture();
  let foreign: unknown;
  try {
    JSON.parse('{"iban": "DE00 SECRET"');
  } catch (error) {
    foreign = error;
  }
  logger.error('could not read', { error: new HeadgateError('E_OURS', 'our words', { cause: foreign }) });
  expect(lines[0]).not.toContain('SECRET');
  expect(only(lines)['error']).toMatchObject({ code: 'E_OURS', message: 'our words', cause: { name: 'SyntaxError' } });
});

it('records and buffers that are handed in by mistake do not appear', () => {
  const { lines, logger } = capture();
  logger.info('x', { record: { iban: 'SECRET' }, bytes: Buffer.from('SECRET'), list: [{ iban: 'SECRET' }] });
  expect(lines[0]).not.toContain('SECRET');
});

it('whatever is logged becomes one bounded line of JSON', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), fc.dictionary(fc.string(), fc.anything()), (message, fields) => {
      const { lines, logger } = capture();
      logger.info(message, fields as LogFields);
      expect(lines).toHaveLength(1);
      expect(lines[0]!.slice(0, -1)).not.toMatch(/[\n\r]/);
      expect(JSON.parse(lines[0]!)).toBeTypeOf('object');
      expect(lines[0]!.length).toBeLessThan(1_000_000);
    }),
  );
});
