/**
 * Progress of long work, on stderr: on a terminal one line with a bar, written over as the work goes on; elsewhere a line
 * when something new is to be said, and of what differs in numbers alone a line each ten seconds.
 */
import type { Clock } from '../platform/base/ports.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { printable } from './command.ts';

/** How far a step of the work is. */
export interface Measure {
  /** The step: with another one, rate and time begin anew. */
  readonly step: string;
  /** 0 to 1; null where the end is not known. */
  readonly share: number | null;
  /** What the rate is of. */
  readonly count: number;
  readonly unit: 'bytes' | 'records';
}

interface ProgressOptions {
  /** Says nothing of work that is done sooner than a line would be due. */
  readonly isPatient?: boolean;
  readonly clock?: Pick<Clock, 'monotonicMs'>;
  readonly out?: ProgressOut;
}

type ProgressOut = Pick<NodeJS.WriteStream, 'write'> & { readonly isTTY?: boolean; readonly columns?: number };

interface Sample {
  readonly ms: number;
  readonly share: number | null;
  readonly count: number;
}

const linePaceMs = 10_000;
const terminalPaceMs = 100;
const patienceMs = 500;
const sampleMs = 1_000;
/** Rate and time left are those of the last ten seconds. */
const samplesMax = 10;
const barCells = 10;
const columnsDefault = 80;

export class Progress {
  readonly #what: string;
  readonly #isPatient: boolean;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #out: ProgressOut;
  #shownMs: number;
  #last = '';
  #words = '';
  #step = '';
  #samples: Sample[] = [];

  constructor(what: string, { isPatient = false, clock = systemPorts.clock, out = process.stderr }: ProgressOptions = {}) {
    this.#what = what;
    this.#isPatient = isPatient;
    this.#clock = clock;
    this.#out = out;
    this.#shownMs = clock.monotonicMs();
  }

  /** May be called for each piece of the work. `text` is made when it is due. */
  show(text: () => string, measure?: Measure): void {
    const nowMs = this.#clock.monotonicMs();
    if (measure) this.#sample(measure, nowMs);
    const isDue = nowMs - this.#shownMs >= this.#paceMs();
    if (this.#isPatient && !isDue) return;
    const said = text();
    const words = said.replace(/\d+/g, '0');
    if (!isDue && words === this.#words) return;
    const { rate, left } = measure && this.#samples[0] ? rateOf(this.#samples[0], measure, nowMs) : nothingMoved;
    const { isTTY } = this.#out;
    // What a narrow terminal has no room for is at the end.
    const line = printable(isTTY ? `${barOf(measure, left)}${this.#what}: ${said}${rate}` : `${this.#what}: ${said}${rate}${left}`);
    this.#shownMs = nowMs;
    if (line === this.#last) return;
    this.#last = line;
    this.#words = words;
    this.#out.write(isTTY ? `\r\u001b[K${this.#fitted(line)}` : `${line}\n`);
  }

  /** `verb`: what was done with them. `total`: 0 where it is not known, as of a pipe. */
  showBytes(verb: string, done: number, total: number): void {
    const [of, share] = total === 0 ? ['', null] : [` of ${sizeOf(total)}`, done / total];
    this.show(() => `${sizeOf(done)}${of} ${verb}`, { step: verb, share, count: done, unit: 'bytes' });
  }

  end(): void {
    if (this.#out.isTTY && this.#last !== '') this.#out.write('\n');
  }

  #paceMs(): number {
    if (!this.#out.isTTY) return linePaceMs;
    return this.#isPatient && this.#last === '' ? patienceMs : terminalPaceMs;
  }

  #sample({ step, share, count }: Measure, ms: number): void {
    if (step !== this.#step) this.#samples = [];
    this.#step = step;
    const last = this.#samples.at(-1);
    if (last !== undefined && ms - last.ms < sampleMs) return;
    this.#samples.push({ ms, share, count });
    if (this.#samples.length > samplesMax) this.#samples.shift();
  }

  /** A line that wraps could not be written over. */
  #fitted(line: string): string {
    return [...line].slice(0, (this.#out.columns || columnsDefault) - 1).join('');
  }
}

/** `1.5 GB`, in powers of ten. */
function sizeOf(bytes: number): string {
  const power = Math.min(4, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${power === 0 ? bytes : (bytes / 1000 ** power).toFixed(1)} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`;
}

/** `left`: as `rateOf` gives it. */
function barOf(measure: Measure | undefined, left: string): string {
  if (measure === undefined || measure.share === null) return '';
  const share = Math.min(1, Math.max(0, measure.share));
  const full = Math.floor(share * barCells);
  return `${'█'.repeat(full)}${'░'.repeat(barCells - full)} ${String(Math.floor(share * 100)).padStart(3)} %${left.replace(',', '')}  `;
}

const nothingMoved = { rate: '', left: '' };

function rateOf(since: Sample, { share, count, unit }: Measure, nowMs: number): typeof nothingMoved {
  const seconds = (nowMs - since.ms) / 1000;
  if (seconds < sampleMs / 1000 || count <= since.count) return nothingMoved;
  const perSecond = (count - since.count) / seconds;
  const rate = unit === 'bytes' ? `, ${sizeOf(Math.round(perSecond))}/s` : `, ${Math.round(perSecond)}/s`;
  if (share === null || since.share === null || share <= since.share) return { rate, left: '' };
  return { rate, left: `, ${durationOf((Math.max(0, 1 - share) * seconds) / (share - since.share))} left` };
}

function durationOf(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
