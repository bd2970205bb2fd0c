import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { BenchContext } from './bench-context.ts';
import { firstLines, paymentsCsv, repeatedPaymentsCsv } from './payments-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-test-'));
const context: BenchContext = { root: '', node: '', folder, isQuick: true, progress() {} };
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a payments file has a header and the rows asked for, the same each time', () => {
  const text = readFileSync(paymentsCsv(context, 50), 'utf8');
  expect(text.split('\n')).toHaveLength(52);
  rmSync(join(folder, 'payments-50.csv'));
  expect(readFileSync(paymentsCsv(context, 50), 'utf8')).toBe(text);
});

test('lines are counted from the start and end with their line ends', () => {
  const lines = Buffer.from('a\nbb\nccc\n');
  expect(firstLines(lines, 2).toString()).toBe('a\nbb\n');
  expect(firstLines(lines, 0).length).toBe(0);
});

test('a repeated file has one header and the rows asked for', () => {
  const [header, ...rows] = readFileSync(repeatedPaymentsCsv(context, 7, 3), 'utf8')
    .split('\n')
    .slice(0, -1);
  expect(header).toMatch(/^id,valueDate,/);
  expect(rows).toHaveLength(7);
  expect(rows.slice(3, 6)).toEqual(rows.slice(0, 3));
  expect(rows[6]).toBe(rows[0]);
});
