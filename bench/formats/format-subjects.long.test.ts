import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { iso20022Pack } from '../../src/pipeline/formats/iso20022/iso20022-pack.ts';
import { nachaPack } from '../../src/pipeline/formats/nacha/nacha-pack.ts';
import type { BenchContext } from '../bench-context.ts';
import { payments } from '../payments-data.ts';
import { fileOfBytes, fileOfRows, flowOfOtherFormat } from './format-subjects.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-test-'));
const context: BenchContext = { root: '', node: '', folder, isQuick: true, progress() {} };
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** More than a batch of an ACH file has. */
const rows = 10_300;

test.each([
  [iso20022Pack, 'pain.001', ['iban']],
  [nachaPack, 'ach', ['check-digit']],
] as const)('all that is wrong with a file for %o is what was spoiled in a record', (pack, kind, rules) => {
  const found: string[] = [];
  const settings = new Map(pack.settings.map(({ name, default: value }) => [name, value]));
  const reader = pack.createReader(settings, { finding: ({ rule }) => void found.push(rule), parsed() {} });
  reader.push(readFileSync(fileOfRows(context, kind, rows).path));
  const summary = reader.end();
  const spoiled = [...payments({ rows, faults: ['country'] })].filter(({ creditorIban }) => creditorIban.startsWith('XX')).length;
  expect(spoiled).toBeGreaterThan(50);
  expect(summary.records.read).toBe(rows);
  expect(found).toHaveLength(spoiled);
  expect([...new Set(found)]).toEqual(rules);
});

test('a file of a size has about so many bytes', () => {
  for (const kind of ['csv', 'fixed-width', 'ndjson', 'pain.001', 'ach'] as const) {
    const { bytes } = fileOfBytes(context, kind, 1_000_000);
    expect(Math.abs(bytes - 1_000_000)).toBeLessThan(20_000);
  }
});

test('payments that come again have ids of their own', () => {
  const lines = [...payments({ rows: 7, distinct: 3 })].map(({ id, reference }) => ({ id, reference }));
  expect(new Set(lines.map(({ id }) => id.slice(1))).size).toBe(7);
  expect(lines[6]!.reference).toBe(lines[0]!.reference);
});

test('a flow of another format differs in the format and in places of the fields', () => {
  const text = '  format: { type: delimited, header: true }\n        id: { type: string }\n';
  expect(flowOfOtherFormat(text, 'ndjson')).toBe('  format: { type: json-lines }\n        id: { type: string }\n');
  expect(() => flowOfOtherFormat(text, 'fixed-width')).toThrow('the flow of the CSV has 1 fields');
  const whole = readFileSync(join(import.meta.dirname, '../flows/payments.yaml'), 'utf8');
  const fixed = flowOfOtherFormat(whole, 'fixed-width');
  expect(fixed).toContain('id: { at: [1, 10], type: string');
  expect(fixed).toContain('info: { at: [181, 40], type: string }');
});
