/**
 * Pairs of runs, ours and theirs in alternation, so that a drifting machine moves both. The ratio is the median over the
 * pairs; whether a bar is met is decided by a bootstrap interval of that median, and is `undecided` where the interval
 * holds the bar.
 */
import { seededNumbers } from '../src/main/demo/demo-files.ts';

export interface Measured {
  readonly seconds: number;
  readonly rssBytes: number;
}

/** `no bar` where nothing was set that it has to keep; `not there` where the peer is not installed. */
export type Met = boolean | 'undecided' | 'no bar' | 'not there';

export interface BenchRun {
  readonly level: string;
  readonly case: string;
  readonly against: string;
  readonly ours: { readonly seconds: number; readonly perSecond: number; readonly rssBytes: number };
  readonly theirs: { readonly seconds: number; readonly perSecond: number; readonly rssBytes: number };
  /** How many times faster we are, or how many times their time we take, as `bar` says. */
  readonly ratio: number;
  readonly spread: readonly [number, number];
  readonly bar: string;
  readonly met: Met;
  /** None where the peer is not there. */
  readonly pairs: number;
  /** Where it was another machine than that of the document: its processors. Both sides of a ratio ran there. */
  readonly machine?: string;
}

export interface Bar {
  readonly kind: 'at-least' | 'at-most';
  readonly value: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** 95% interval of the median by resampling, seeded. */
export function medianInterval(values: readonly number[], resamples = 2_000): [number, number] {
  const draw = seededNumbers(7);
  const medians = Array.from({ length: resamples }, () => median(Array.from(values, () => values[draw.below(values.length)]))).sort(
    (a, b) => a - b,
  );
  return [medians[Math.floor(resamples * 0.025)], medians[Math.floor(resamples * 0.975)]];
}

export function judge(ratios: readonly number[], bar: Bar): { ratio: number; spread: [number, number]; met: Met } {
  const spread = medianInterval(ratios);
  const [low, high] = spread;
  const isMet = bar.kind === 'at-least' ? low >= bar.value : high <= bar.value;
  const isMissed = bar.kind === 'at-least' ? high < bar.value : low > bar.value;
  return { ratio: median(ratios), spread, met: isMet ? true : isMissed ? false : 'undecided' };
}

export interface ComparisonOptions {
  readonly level: string;
  readonly case: string;
  readonly against: string;
  /** What `perSecond` counts. */
  readonly units: number;
  readonly pairs: number;
  /** Null where there is none; the ratio is then ours ÷ theirs. */
  readonly bar: Bar | null;
  readonly ours: () => Promise<Measured>;
  readonly theirs: () => Promise<Measured>;
}

/** `at-least` bars: ratio = theirs ÷ ours (times faster). `at-most` bars: ratio = ours ÷ theirs (times their time). */
export async function compare(options: ComparisonOptions): Promise<BenchRun> {
  const ours: Measured[] = [];
  const theirs: Measured[] = [];
  for (let pair = 0; pair < options.pairs; pair++) {
    ours.push(await options.ours());
    theirs.push(await options.theirs());
  }
  const ratios = ours.map((mine, index) =>
    options.bar?.kind === 'at-least' ? theirs[index].seconds / mine.seconds : mine.seconds / theirs[index].seconds,
  );
  const side = (runs: readonly Measured[]) => {
    const seconds = median(runs.map((run) => run.seconds));
    return { seconds, perSecond: options.units / seconds, rssBytes: Math.max(...runs.map((run) => run.rssBytes)) };
  };
  return {
    level: options.level,
    case: options.case,
    against: options.against,
    ours: side(ours),
    theirs: side(theirs),
    ...(options.bar === null ? { ratio: median(ratios), spread: medianInterval(ratios), met: 'no bar' } : judge(ratios, options.bar)),
    bar: options.bar === null ? '' : barText(options.bar),
    pairs: options.pairs,
  };
}

export function barText({ kind, value }: Bar): string {
  return `${kind === 'at-least' ? '>=' : '<='} ${value}x`;
}

/** The row of a peer that is not installed here. */
export function notThere(options: Pick<ComparisonOptions, 'level' | 'case' | 'against'> & { readonly bar: Bar }): BenchRun {
  const nothing = { seconds: 0, perSecond: 0, rssBytes: 0 };
  const { level, case: name, against, bar } = options;
  return {
    level,
    case: name,
    against,
    ours: nothing,
    theirs: nothing,
    ratio: 0,
    spread: [0, 0],
    bar: barText(bar),
    met: 'not there',
    pairs: 0,
  };
}

export interface LimitOptions {
  readonly level: string;
  readonly case: string;
  readonly against: string;
  readonly unit: 'bytes' | 'seconds';
  readonly limit: number;
  readonly values: readonly number[];
  /** Of the work that the memory was measured on, and what it was. */
  readonly seconds?: number;
  readonly units?: number;
}

/** Against a fixed limit instead of a peer: ratio = measured ÷ limit, to be at most 1. */
export function compareWithLimit(options: LimitOptions): BenchRun {
  const isBytes = options.unit === 'bytes';
  const seconds = isBytes ? (options.seconds ?? 0) : median(options.values);
  return {
    level: options.level,
    case: options.case,
    against: options.against,
    ours: {
      seconds,
      perSecond: options.units && seconds ? options.units / seconds : 0,
      rssBytes: isBytes ? Math.max(...options.values) : 0,
    },
    theirs: { seconds: isBytes ? 0 : options.limit, perSecond: 0, rssBytes: isBytes ? options.limit : 0 },
    ...judge(
      options.values.map((value) => value / options.limit),
      { kind: 'at-most', value: 1 },
    ),
    bar: '<= 1x',
    pairs: options.values.length,
  };
}
