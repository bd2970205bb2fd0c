import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createLogOutput } from './log-output.ts';
import { createLogger } from './logger.ts';

const clock = { nowMs: () => Date.UTC(2026, 0, 2), monotonicMs: () => 0 };
const folder = mkdtempSync(join(tmpdir(), 'headgate-log-'));
const open = (path: string, flags: number) => {
  const descriptor = openSync(path, flags);
  opened.push(descriptor);
  return descriptor;
};
const opened: number[] = [];

afterEach(() => {
  for (const descriptor of opened.splice(0)) closeSync(descriptor);
  rmSync(folder, { recursive: true, force: true });
});

/** A pipe with both its ends, of which neither waits. */
function pipe(): { readonly input: number; readonly output: number } {
  const path = join(folder, 'pipe');
  mkdirSync(folder, { recursive: true });
  execFileSync('mkfifo', [path]);
  const output = open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { output, input: open(path, constants.O_WRONLY | constants.O_NONBLOCK) };
}

function readAll(descriptor: number): string {
  const pieces: Buffer[] = [];
  for (;;) {
    const piece = Buffer.alloc(65_536);
    try {
      const count = readSync(descriptor, piece);
      if (count === 0) break;
      pieces.push(piece.subarray(0, count));
    } catch (error) {
      expect(error).toMatchObject({ code: 'EAGAIN' });
      break;
    }
  }
  return Buffer.concat(pieces).toString();
}

it('a log on a full disk loses its lines, and fails nothing', () => {
  const logger = createLogger({ level: 'info', destination: createLogOutput(open('/dev/full', constants.O_WRONLY), clock) });
  expect(() => {
    for (let line = 0; line < 100; line++) logger.error('a loop failed and goes on', { line });
  }).not.toThrow();
});

it('a log whose reader is gone loses its lines, and fails nothing', () => {
  const { input, output } = pipe();
  closeSync(opened.splice(opened.indexOf(output), 1)[0]!);
  const log = createLogOutput(input, clock);
  expect(() => log.write('nobody reads this\n')).not.toThrow();
});

it('lines that a reader which stands still does not take are lost whole, and told of when it goes on', () => {
  const { input, output } = pipe();
  const log = createLogOutput(input, clock);
  const line = (number: number) => `${JSON.stringify({ number, text: 'x'.repeat(1_000) })}\n`;
  for (let number = 0; number < 100; number++) log.write(line(number));
  const before = readAll(output);
  log.write(line(100));
  log.write(line(101));
  const lines = (before + readAll(output)).split('\n');
  expect(lines.pop()).toBe('');
  const whole = lines.flatMap((text) => {
    try {
      return [JSON.parse(text) as { number?: number; lines?: number; code?: string }];
    } catch {
      return [];
    }
  });
  // The one that was being written when the pipe was full.
  expect(lines.length - whole.length).toBeLessThanOrEqual(1);
  const taken = whole.filter(({ number }) => number !== undefined);
  expect(taken.slice(-2)).toMatchObject([{ number: 100 }, { number: 101 }]);
  expect(whole.find(({ lines }) => lines !== undefined)).toMatchObject({ lines: 102 - taken.length, code: 'EAGAIN' });
});
