/**
 * Time of a record and memory as files grow, format by format: 100 MB against 10 MB, then the time of 2 GB against that of 100 MB
 * and its memory against that of 10 MB, of ACH files 900 MB. One thread, so that memory is that of the same threads in every size. What a process needs to start is taken off the times. Of files of 2 GB there
 * is one run: it says how much memory, and has no bar for time. Where the disk has no room for them they are left out by name.
 */
import { rmSync, statfsSync } from 'node:fs';
import type { BenchContext } from '../bench-context.ts';
import { type Bar, type BenchRun, compare, type Measured } from '../comparison.ts';
import { fileOfBytes, fileOfRows, runSubject, type SubjectName, subjects } from './format-subjects.ts';

const smallBytes = 10_000_000;
const middleBytes = 100_000_000;
const big = { bytes: 2_000_000_000, size: '2 GB' };
/** The file control of an ACH file counts its blocks of ten lines with six digits. */
const bigAch = { bytes: 900_000_000, size: '900 MB' };
/** The file, its outputs, and the lines that a pack makes of it, which are some four times the file. */
const roomNeeded = 8 * big.bytes;
const pairs = 5;
/** What a record takes where noise made the start take longer than the whole: the interval shows it, and nothing is divided by 0. */
const recordSecondsMin = 1e-9;
/** As for all that has to grow as rows do, or not at all. */
const flat: Bar = { kind: 'at-most', value: 1.1 };

/** Nothing under --quick: small files measure noise. */
export async function runFormatGrowthLevel(context: BenchContext): Promise<BenchRun[]> {
  if (context.isQuick) return [];
  const runs: BenchRun[] = [];
  for (const name of Object.keys(subjects) as SubjectName[]) runs.push(...(await growthOf(context, name)));
  return runs;
}

async function growthOf(context: BenchContext, name: SubjectName): Promise<BenchRun[]> {
  context.progress(`growth of ${name}`);
  const { kind } = subjects[name];
  const largest = kind === 'ach' ? bigAch : big;
  const start = fileOfRows(context, kind, 1).path;
  const perRecord = async (bytes: number): Promise<Measured> => {
    const file = fileOfBytes(context, kind, bytes);
    const before = await runSubject(context, name, start, '1');
    const whole = await runSubject(context, name, file.path, '1');
    return { seconds: Math.max(recordSecondsMin, (whole.seconds - before.seconds) / file.rows), rssBytes: whole.rssBytes };
  };
  const level = 'format-growth';
  const against = 'with 10 MB';
  const ofRecord = (size: string) => ({ level, case: `${name}, a record with ${size}`, against, units: 1 });
  const middle = await compare({
    ...ofRecord('100 MB'),
    pairs,
    bar: flat,
    ours: () => perRecord(middleBytes),
    theirs: () => perRecord(smallBytes),
  });
  const runs = [middle, memoryRun(`${name}, memory with 100 MB`, middle)];
  rmSync(fileOfBytes(context, kind, middleBytes).path, { force: true });
  const room = statfsSync(context.folder);
  if (room.bavail * room.bsize < roomNeeded) {
    context.progress(`${name} of ${largest.size} is left out: the disk has no room for it`);
    return runs;
  }
  context.progress(`${name} of ${largest.size}`);
  const large = await compare({
    ...ofRecord(largest.size),
    against: 'with 100 MB',
    pairs: 1,
    bar: null,
    ours: () => perRecord(largest.bytes),
    theirs: async () => middle.ours,
  });
  rmSync(fileOfBytes(context, kind, largest.bytes).path, { force: true });
  return [...runs, large, memoryRun(`${name}, memory with ${largest.size}`, { ...large, against, theirs: middle.theirs })];
}

/** The most that either had resident. */
function memoryRun(name: string, run: BenchRun): BenchRun {
  const { ours, theirs } = run;
  const ratio = ours.rssBytes / theirs.rssBytes;
  const side = ({ rssBytes }: BenchRun['ours']) => ({ seconds: 0, perSecond: 0, rssBytes });
  const met = ratio <= flat.value;
  return { ...run, case: name, ours: side(ours), theirs: side(theirs), ratio, spread: [ratio, ratio], bar: `<= ${flat.value}x`, met };
}
