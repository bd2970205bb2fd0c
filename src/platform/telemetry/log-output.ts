/**
 * Writes log lines to a descriptor at once, and outlives what takes none: a full disk, a reader that is gone or stands still.
 * Such lines are lost, which ends nothing else; the first one that is taken again comes behind a line that says how many were.
 */
import { writeSync } from 'node:fs';
import type { Clock } from '../base/ports.ts';

export interface LogOutput {
  /** Whole, with its line end. Never fails. */
  write(line: string): void;
}

/** For a reader that is only slow; one that stands still is waited for once. */
const waitMs = 20;
const waitsMax = 50;

export function createLogOutput(descriptor: number, clock: Pick<Clock, 'nowMs'>): LogOutput {
  let lost = 0;
  let code = '';
  /** What was written last does not end with a line end. */
  let isCut = false;

  /** False: not all of it was taken. */
  function put(text: string): boolean {
    const bytes = Buffer.from(isCut ? `\n${text}` : text);
    let [done, waits] = [0, lost > 0 ? waitsMax : 0];
    while (done < bytes.length) {
      try {
        done += writeSync(descriptor, bytes, done);
        isCut = done < bytes.length;
      } catch (error) {
        code = (error as NodeJS.ErrnoException).code ?? 'unexpected failure';
        if (code !== 'EAGAIN' || waits >= waitsMax) return false;
        waits += 1;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMs);
      }
    }
    return true;
  }

  function noticeOf(lines: number): string {
    const time = new Date(clock.nowMs()).toISOString();
    return `${JSON.stringify({ level: 'warn', time, lines, code, message: 'lines of the log were lost: nothing took them' })}\n`;
  }

  return {
    write(line) {
      if (lost > 0 && put(noticeOf(lost))) lost = 0;
      if (lost > 0 || !put(line)) lost += 1;
    },
  };
}
