/**
 * What a row costs in the engine alone, in this process and without writing files: cold (the first pass, compilation
 * included) and warm (the best of several), in user CPU time, by format and path. `node bench/kernel.ts [rows]`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileFlow } from '../src/pipeline/engine/compile-flow.ts';
import type { FieldPlan, Plan } from '../src/pipeline/engine/plan.ts';
import { type PaymentFormat, paymentColumns, paymentsPlan } from '../src/pipeline/engine/plans.fixture.ts';
import { publicHashKey, runOpenRange } from '../src/pipeline/engine/run-chunk.ts';
import { memorySource } from '../src/pipeline/engine/runs.fixture.ts';
import { fixedWidths, type PaymentsFormat, writePayments } from './payments-data.ts';

const passes = 12;
const lineFeed = 0x0a;
const fileFormats: Record<PaymentFormat, PaymentsFormat> = { delimited: 'csv', 'json-lines': 'ndjson', 'fixed-width': 'fixed-width' };

interface Cost {
  readonly format: PaymentFormat;
  readonly path: 'fast' | 'slow';
  readonly rows: number;
  readonly bytes: number;
  readonly slowRows: number;
  readonly coldNsPerRow: number;
  readonly warmNsPerRow: number;
}

/** The fixture's plan with the columns as wide as the bench's file has them. */
function planFor(format: PaymentFormat): Plan {
  const plan = paymentsPlan(format);
  if (format !== 'fixed-width') return plan;
  const place = (index: number): FieldPlan['at'] => ({
    start: fixedWidths.slice(0, index).reduce((sum, width) => sum + width, 0),
    length: fixedWidths[index]!,
  });
  const [record] = plan.records;
  return { ...plan, records: [{ ...record!, fields: record!.fields.map((field, index) => ({ ...field, at: place(index) })) }] };
}

function measure(bytes: Buffer, format: PaymentFormat, path: 'fast' | 'slow', count: number): Cost {
  const flow = compileFlow(planFor(format));
  const start = format === 'delimited' ? bytes.indexOf(lineFeed) + 1 : 0;
  const context = { version: 1, columns: format === 'delimited' ? paymentColumns : null } as const;
  const ignore = { write() {} };
  const sinks = { targets: flow.plan.targets.map(() => ignore), outcomes: ignore, rejected() {}, warned() {} };
  const costs: number[] = [];
  let rows = 0;
  let slowRows = 0;
  for (let pass = 0; pass < count; pass++) {
    const before = process.cpuUsage();
    const spec = { number: 0, start, end: bytes.length, firstRecord: 1, context };
    const result = runOpenRange(flow, spec, memorySource(bytes), sinks, { hashKey: publicHashKey, path, stopAfterBytes: bytes.length });
    rows = result.summary.records.read;
    slowRows = result.slowRecords;
    costs.push((process.cpuUsage(before).user * 1_000) / rows);
  }
  return {
    format,
    path,
    rows,
    bytes: bytes.length,
    slowRows,
    coldNsPerRow: Math.round(costs[0]!),
    warmNsPerRow: Math.round(Math.min(...costs)),
  };
}

const rows = Number(process.argv[2] ?? 200_000);
const folder = mkdtempSync(join(tmpdir(), 'headgate-kernel-'));
try {
  for (const format of Object.keys(fileFormats) as PaymentFormat[]) {
    const file = join(folder, format);
    writePayments(file, { rows, format: fileFormats[format] });
    const bytes = readFileSync(file);
    for (const path of ['fast', 'slow'] as const)
      process.stdout.write(`${JSON.stringify(measure(bytes, format, path, path === 'fast' ? passes : 3))}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
