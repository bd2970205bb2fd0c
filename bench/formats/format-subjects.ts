/**
 * What the formats level runs: the same payments as delimited, fixed-width and json-lines files, as a pain.001 and as ACH
 * entries, through a flow, and the last two also read alone. Flows of the first three are one flow with another format.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchContext } from '../bench-context.ts';
import type { Measured } from '../comparison.ts';
import { fixedWidths, writePayments } from '../payments-data.ts';
import { timedRun } from '../timed-run.ts';
import { writeAch } from './ach-data.ts';
import { writePain001 } from './pain001-data.ts';

type FileKind = 'csv' | 'fixed-width' | 'ndjson' | 'pain.001' | 'ach';

interface Subject {
  readonly kind: FileKind;
  /** The pack that reads the file without a flow; the flow of the kind where there is none. */
  readonly pack?: 'iso20022' | 'nacha';
}

export const subjects = {
  csv: { kind: 'csv' },
  'fixed-width': { kind: 'fixed-width' },
  ndjson: { kind: 'ndjson' },
  'pain.001, reading': { kind: 'pain.001', pack: 'iso20022' },
  'pain.001, flow': { kind: 'pain.001' },
  'ACH, reading': { kind: 'ach', pack: 'nacha' },
  'ACH, flow': { kind: 'ach' },
} as const satisfies Record<string, Subject>;

export type SubjectName = keyof typeof subjects;

export interface SubjectFile {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
}

/** After so many payments those of a bigger file come again: making a file is no part of what is measured. */
const distinctMax = 1_000_000;
/** A mean that the seed's next payments don't move. */
const sampleRows = 2_000;

export function fileOfRows(context: BenchContext, kind: FileKind, rows: number): SubjectFile {
  const path = join(context.folder, `formats-${rows}.${kind}`);
  const options = { rows, distinct: Math.min(rows, distinctMax) };
  if (!existsSync(path)) {
    if (kind === 'pain.001') writePain001(path, options);
    else if (kind === 'ach') writeAch(path, options);
    else writePayments(path, { ...options, format: kind });
  }
  return { path, rows, bytes: statSync(path).size };
}

/** About so many bytes. */
export function fileOfBytes(context: BenchContext, kind: FileKind, bytes: number): SubjectFile {
  const sample = fileOfRows(context, kind, sampleRows);
  return fileOfRows(context, kind, Math.max(1, Math.round((bytes * sampleRows) / sample.bytes)));
}

/**
 * The whole process, as it is installed. Reading alone ends with 1 when records are invalid, as some of every file are.
 * Outputs are in the folder `formats-out` of the context.
 */
export async function runSubject(context: BenchContext, name: SubjectName, path: string, threads?: '1'): Promise<Measured> {
  const { kind, pack }: Subject = subjects[name];
  const program = join(context.root, 'bin/headgate');
  if (pack !== undefined) return await timedRun([program, 'run', '--format', pack, path], { exitCodes: [0, 1] });
  const command = [program, 'run', flowOf(context, kind), path, '--out', outputFolder(context)];
  return await timedRun(threads ? [...command, '--threads', threads] : command);
}

export function outputFolder(context: BenchContext): string {
  return join(context.folder, 'formats-out');
}

function flowOf(context: BenchContext, kind: FileKind): string {
  const folder = join(context.root, 'bench/flows');
  if (kind === 'pain.001') return join(folder, 'payments-pain001.yaml');
  if (kind === 'ach') return join(folder, 'payments-ach.yaml');
  const path = join(folder, 'payments.yaml');
  if (kind === 'csv') return path;
  const derived = join(context.folder, `payments-${kind}.yaml`);
  writeFileSync(derived, flowOfOtherFormat(readFileSync(path, 'utf8'), kind));
  return derived;
}

/** The flow of the CSV with another format, and the places of the fields where it needs them. */
export function flowOfOtherFormat(text: string, kind: 'fixed-width' | 'ndjson'): string {
  const type = kind === 'ndjson' ? 'json-lines' : kind;
  const changed = text.replace('format: { type: delimited, header: true }', `format: { type: ${type} }`);
  if (changed === text) throw new Error('the flow of the CSV has another format than expected');
  if (kind === 'ndjson') return changed;
  let column = 0;
  let start = 1;
  const placed = changed.replace(/^( {8}\w+: \{ )(?=type: )/gm, (entry) => {
    const width = fixedWidths[column++];
    start += width;
    return `${entry}at: [${start - width}, ${width}], `;
  });
  if (column !== fixedWidths.length) throw new Error(`the flow of the CSV has ${column} fields`);
  return placed;
}
