import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChunkOutput } from './chunk-output.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-output-'));
  path = join(folder, 'out');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const mebibyte = 1024 * 1024;
const open = () => new ChunkOutput(path, join(folder, 'spill'));

describe('the output of a chunk', () => {
  it('holds what was written and what was lent in order, chunk after chunk, at the place it is told', async () => {
    const step = fc.record({
      isLent: fc.boolean(),
      lent: fc.integer({ min: 0, max: 300_000 }),
      length: fc.integer({ min: 0, max: 300_000 }),
    });
    const chunks = fc.array(fc.array(step, { maxLength: 60 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(chunks, async (steps) => {
        writeFileSync(path, 'head');
        const output = open();
        let expected = Buffer.from('head');
        for (const [number, chunk] of steps.entries()) {
          const parts: Buffer[] = [];
          for (const [at, { isLent, lent, length }] of chunk.entries()) {
            const used = isLent ? Math.min(lent, length) : length;
            const bytes = Buffer.alloc(used, (number * 61 + at) % 251);
            parts.push(bytes);
            if (!isLent) output.write(bytes);
            else {
              const memory = output.lend(lent);
              expect(memory.length).toBeGreaterThanOrEqual(lent);
              memory.set(bytes);
              output.giveBack(memory, used);
            }
          }
          const whole = Buffer.concat(parts);
          expect(output.length).toBe(whole.length);
          await output.writeAt(expected.length);
          expected = Buffer.concat([expected, whole]);
        }
        output.close();
        expect(readFileSync(path).equals(expected)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('of more than memory may hold waits in a file that has no name', async () => {
    writeFileSync(path, '');
    const output = open();
    for (let part = 0; part < 20; part++) output.write(Buffer.alloc(mebibyte, part));
    output.write(Buffer.alloc(9 * mebibyte, 20));
    output.write(Buffer.from('end'));
    expect(readdirSync(folder)).toEqual(['out']);
    await output.writeAt(0);
    output.close();
    const written = readFileSync(path);
    expect(written.length).toBe(29 * mebibyte + 3);
    for (let part = 0; part < 20; part++)
      expect(written.subarray(part * mebibyte, (part + 1) * mebibyte).every((byte) => byte === part)).toBe(true);
    expect(written.subarray(20 * mebibyte, -3).every((byte) => byte === 20)).toBe(true);
    expect(written.toString('utf8', written.length - 3)).toBe('end');
  });

  it('uses memory again, also that of blocks which nothing was written to', async () => {
    writeFileSync(path, '');
    const output = open();
    const first = output.lend(1_000);
    output.giveBack(first, 0);
    expect(output.lend(1_000)).toBe(first);
    output.giveBack(first, 10);
    await output.writeAt(0);
    expect(output.lend(500)).toBe(first);
    output.close();
  });
});
