/**
 * The formats level: `headgate run` as a whole process on the payments in each format. Fixed width and NDJSON are held against
 * the CSV by the time of a megabyte, a pain.001 against saxes that only parses it, the CSV against Miller doing the same work.
 * ACH files have no peer: their rows have no bar. Then, outside of quick runs, time and memory as files grow.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../test/support/debian-programs.ts';
import type { BenchContext } from './bench-context.ts';
import { type Bar, type BenchRun, compare, type Measured, notThere } from './comparison.ts';
import { fileOfRows, outputFolder, runSubject, type SubjectFile, type SubjectName, subjects } from './formats/format-subjects.ts';
import { assertEqualOutputs } from './kernel-level.ts';
import { timedRun } from './timed-run.ts';

const megabyte = 1e6;
const millerBar: Bar = { kind: 'at-least', value: 80 };
const saxesBar: Bar = { kind: 'at-least', value: 5 };
const sizeBars: readonly (readonly [SubjectName, Bar | null])[] = [
  ['fixed-width', { kind: 'at-least', value: 1 }],
  ['ndjson', { kind: 'at-least', value: 0.5 }],
  ['ACH, reading', null],
  ['ACH, flow', null],
];

export async function runFormatsLevel(context: BenchContext): Promise<BenchRun[]> {
  const rows = context.isQuick ? 5_000 : 1_000_000;
  const runs = [...(await againstCsv(context, rows)), ...(await againstSaxes(context, rows))];
  removeFiles(context, rows);
  return runs;
}

/** A level of its own, since Miller takes minutes for a run. */
export async function runMillerLevel(context: BenchContext): Promise<BenchRun[]> {
  const rows = context.isQuick ? 5_000 : 1_000_000;
  const run = await againstMiller(context, rows);
  removeFiles(context, rows);
  return [run];
}

function removeFiles(context: BenchContext, rows: number): void {
  for (const name of Object.keys(subjects) as SubjectName[]) rmSync(fileOfRows(context, subjects[name].kind, rows).path, { force: true });
}

/** By megabytes, since the same payments are of another size in each format. */
async function againstCsv(context: BenchContext, rows: number): Promise<BenchRun[]> {
  const runs: BenchRun[] = [];
  const csv = fileOfRows(context, 'csv', rows);
  for (const [name, bar] of sizeBars) {
    context.progress(`${name} against the CSV`);
    const file = fileOfRows(context, subjects[name].kind, rows);
    const perMegabyte = async (subject: SubjectName, { path, bytes }: SubjectFile): Promise<Measured> => {
      const { seconds, rssBytes } = await runSubject(context, subject, path);
      return { seconds: (seconds * megabyte) / bytes, rssBytes };
    };
    await runSubject(context, name, file.path);
    runs.push(
      await compare({
        level: 'formats',
        case: `${name}, a MB`,
        against: 'csv, a MB',
        units: 1,
        pairs: pairsOf(context, 9),
        bar,
        ours: () => perMegabyte(name, file),
        theirs: () => perMegabyte('csv', csv),
      }),
    );
  }
  return runs;
}

async function againstSaxes(context: BenchContext, rows: number): Promise<BenchRun[]> {
  const runs: BenchRun[] = [];
  const { path } = fileOfRows(context, 'pain.001', rows);
  const parse = () => timedRun([context.node, join(context.root, 'bench/peers/saxes-parse.js'), path]);
  for (const name of ['pain.001, reading', 'pain.001, flow'] as const) {
    context.progress(`${name} against saxes`);
    await runSubject(context, name, path);
    const ours = () => runSubject(context, name, path);
    const options = { level: 'formats', against: 'saxes, parse only', units: rows, pairs: pairsOf(context, 9) } as const;
    runs.push(await compare({ ...options, case: name, bar: saxesBar, ours, theirs: parse }));
  }
  return runs;
}

async function againstMiller(context: BenchContext, rows: number): Promise<BenchRun> {
  const row = { level: 'miller', case: 'csv', against: 'Miller', bar: millerBar } as const;
  const miller = findProgram('miller');
  if (miller === null) {
    context.progress('Miller is not there (Debian package miller)');
    return notThere(row);
  }
  context.progress('CSV against Miller');
  const { path } = fileOfRows(context, 'csv', rows);
  const folder = join(context.folder, 'miller');
  mkdirSync(folder, { recursive: true });
  const program = join(context.root, 'bench/peers/payments.mlr');
  const theirs = () =>
    timedRun([miller.path, '-S', '--icsv', 'put', '-q', '-s', `folder=${folder}`, '-f', program, path], { env: miller.env });
  const ours = () => runSubject(context, 'csv', path);
  await ours();
  await theirs();
  assertEqualOutputs(outputFolder(context), folder);
  const outcomes = readFileSync(join(folder, 'outcomes.csv'), 'utf8').split('\n').length - 1;
  if (outcomes !== rows) throw new Error(`Miller kept outcomes of ${outcomes} records in place of ${rows}`);
  // It takes minutes for what takes us a second: a few pairs decide.
  return await compare({ ...row, units: rows, pairs: pairsOf(context, 3), ours, theirs });
}

function pairsOf(context: BenchContext, pairs: number): number {
  return context.isQuick ? 1 : pairs;
}
