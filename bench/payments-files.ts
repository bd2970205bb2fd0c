/** Payments files of a size, made once in a run of the bench and shared by its levels. */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchContext } from './bench-context.ts';
import { writePayments } from './payments-data.ts';

const seedRowsDefault = 200_000;

export function paymentsCsv(context: BenchContext, rows: number): string {
  const path = join(context.folder, `payments-${rows}.csv`);
  if (!existsSync(path)) writePayments(path, { rows, format: 'csv' });
  return path;
}

/** The same rows again and again until the file has the rows asked for: the work per row is the same in every size. */
export function repeatedPaymentsCsv(context: BenchContext, rows: number, seedRows = seedRowsDefault): string {
  const path = join(context.folder, `repeated-${rows}.csv`);
  if (existsSync(path)) return path;
  const { header, lines } = readSeed(context, seedRows);
  const file = openSync(path, 'w');
  writeSync(file, header);
  for (let left = rows; left > 0; left -= seedRows) writeSync(file, left >= seedRows ? lines : firstLines(lines, left));
  closeSync(file);
  return path;
}

export function paymentsCsvOfBytes(context: BenchContext, sizeBytes: number): { path: string; rows: number } {
  const { header, lines } = readSeed(context, seedRowsDefault);
  const rows = Math.ceil((sizeBytes - header.length) / lines.length) * seedRowsDefault;
  return { path: repeatedPaymentsCsv(context, rows), rows };
}

function readSeed(context: BenchContext, seedRows: number): { header: Buffer; lines: Buffer } {
  const bytes = readFileSync(paymentsCsv(context, seedRows));
  const headerEnd = bytes.indexOf(10) + 1;
  return { header: bytes.subarray(0, headerEnd), lines: bytes.subarray(headerEnd) };
}

/** No value of the payments holds a line break. */
export function firstLines(lines: Buffer, count: number): Buffer {
  let end = 0;
  for (let line = 0; line < count; line++) end = lines.indexOf(10, end) + 1;
  return lines.subarray(0, end);
}
