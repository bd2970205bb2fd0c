import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { GrowingLines } from './growing-lines.ts';
import { OutputFile } from './output-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-growing-lines-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('lines that are written beside are there as far as it says, and few of them wait', async () => {
  const file = new OutputFile(folder, 'lines');
  const lines = new GrowingLines(file);
  const given: Buffer[] = [];
  for (let number = 0; number < 60; number++) {
    const piece = Buffer.alloc((number * 7_919) % 400_000, number);
    given.push(Buffer.from(piece));
    lines.add(piece);
    piece.fill(0xff);
    if (number % 10 !== 9) continue;
    await lines.below(1_500_000);
    const all = Buffer.concat(given);
    expect(all.length - lines.writtenBytes).toBeLessThan(1_500_000);
    expect(readFileSync(file.partPath).subarray(0, lines.writtenBytes).equals(all.subarray(0, lines.writtenBytes))).toBe(true);
  }
  await lines.below(1);
  file.finish();
  expect(file.bytes).toBe(lines.writtenBytes);
  expect(readFileSync(file.path).equals(Buffer.concat(given))).toBe(true);
});

it('lines that cannot be written fail whoever waits for them', async () => {
  symlinkSync('/dev/full', join(folder, 'full.part'));
  const lines = new GrowingLines(new OutputFile(folder, 'full'));
  lines.add(Buffer.alloc(10));
  await expect(lines.below(1)).rejects.toMatchObject({ code: 'E_OUTPUT_FOLDER' });
});
