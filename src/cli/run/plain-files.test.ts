import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { FileSource, PagedSource } from './plain-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-plain-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => void vi.restoreAllMocks());

it('small reads all over a big file take the memory of a few pages', () => {
  const path = join(folder, 'file');
  const content = Buffer.alloc(10_000_000);
  for (let at = 0; at + 4 <= content.length; at += 4) content.writeUInt32LE(at, at);
  writeFileSync(path, content);
  const file = new FileSource(path);
  const allocated = vi.spyOn(Buffer, 'allocUnsafeSlow');
  const source = new PagedSource(file);
  const into = Buffer.alloc(8);
  for (const step of [10_007, 999_983]) {
    for (let turn = 0, at = 0; turn < 2_000; turn++, at = (at + step) % (content.length - 8)) {
      const count = source.read(into, 0, 8, at);
      expect(into.subarray(0, count)).toEqual(content.subarray(at, at + count));
      expect(count).toBeGreaterThan(0);
    }
  }
  file.close();
  const bytes = allocated.mock.calls.reduce((sum, [size]) => sum + size, 0);
  expect(bytes).toBeLessThan(3_000_000);
});
