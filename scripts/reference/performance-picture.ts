/**
 * docs/performance.svg, from bench/results.json: a row for each run that has a bar, as long as it is far beyond the bar or short
 * of it, with the line of the bar and the 95% interval. Rows without a bar, or without a peer, are in the table only.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchRun } from '../../bench/comparison.ts';
import type { BenchDocument } from '../../bench/results.ts';

const resultsPath = join(import.meta.dirname, '../../bench/results.json');

/** All in pixels. */
const width = 1220;
const labelWidth = 710;
const plotWidth = 380;
const rowHeight = 20;
const headHeight = 56;
const footHeight = 16;
const barHeight = 10;
/** Of the scale, which is logarithmic: from an eighth of what the bar asks for to eight times as good. */
const doublings = 3;
const ticks = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8];
const tickTexts = ['⅛', '¼', '½', 'bar', '2x', '4x', '8x'];

export function renderPerformancePicture(): string {
  const runs = existsSync(resultsPath) ? (JSON.parse(readFileSync(resultsPath, 'utf8')) as BenchDocument).runs : [];
  return performancePicture(runs);
}

export function performancePicture(runs: readonly BenchRun[]): string {
  const rows = runs.filter(({ met }) => met !== 'no bar' && met !== 'not there');
  const height = headHeight + rows.length * rowHeight + footHeight;
  const bottom = headHeight + rows.length * rowHeight;
  const lines = ticks.map((tick, index) => {
    const x = place(tick);
    const name = tick === 1 ? 'bar' : 'tick';
    return `<line class="${name}" x1="${x}" y1="${headHeight - 6}" x2="${x}" y2="${bottom}"/><text x="${x}" y="${headHeight - 12}" text-anchor="middle">${tickTexts[index]}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="What was measured, against its bars">
<style>
.page { fill: #ffffff } text { fill: #1f2328; font: 12px sans-serif } .title { font-weight: bold }
.true { fill: #1a7f5a } .false { fill: #c2541b } .undecided { fill: #7d8590 }
.tick { stroke: #d0d7de } .bar { stroke: #1f2328; stroke-width: 2 } .interval { stroke: #1f2328 }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117 } text { fill: #e6edf3 } .true { fill: #3fb68b } .false { fill: #e5793d } .undecided { fill: #8b949e }
.tick { stroke: #30363d } .bar { stroke: #e6edf3 } .interval { stroke: #e6edf3 }
}
</style>
<rect class="page" width="${width}" height="${height}"/>
<text class="title" x="8" y="18">Each run against its bar: further to the right is better</text>
${legend()}
${lines.join('\n')}
${rows.map((run, index) => row(run, headHeight + index * rowHeight)).join('\n')}
</svg>
`;
}

function legend(): string {
  const entries = [
    ['true', 'met'],
    ['false', 'missed'],
    ['undecided', 'undecided'],
  ] as const;
  return entries
    .map(([name, text], index) => {
      const x = 8 + index * 90;
      return `<rect class="${name}" x="${x}" y="29" width="10" height="10"/><text x="${x + 16}" y="39">${text}</text>`;
    })
    .join('\n');
}

function row(run: BenchRun, top: number): string {
  const middle = top + rowHeight / 2;
  const start = place(0);
  const [low, high] = run.spread.map((value) => place(marginOf(run, value))) as [number, number];
  const label = escaped(`${run.level}: ${run.case}, against ${run.against}`);
  const bar = `<rect class="${run.met}" x="${start}" y="${middle - barHeight / 2}" width="${fixed(place(marginOf(run, run.ratio)) - start)}" height="${barHeight}"/>`;
  const interval = `<line class="interval" x1="${low}" y1="${middle}" x2="${high}" y2="${middle}"/>`;
  const value = `<text x="${labelWidth + plotWidth + 12}" y="${middle + 4}">${run.ratio.toFixed(2)}x (${escaped(run.bar)})</text>`;
  return `<text x="${labelWidth - 8}" y="${middle + 4}" text-anchor="end">${label}</text>${bar}${interval}${value}`;
}

/** How many times as good as the bar asks for. */
export function marginOf({ bar }: Pick<BenchRun, 'bar'>, ratio: number): number {
  const match = /^(>=|<=) ([0-9.]+)x$/.exec(bar);
  if (match === null) throw new Error(`the bar ${bar} has no known form`);
  return match[1] === '>=' ? ratio / Number(match[2]) : Number(match[2]) / ratio;
}

/** Beyond the ends of the scale a place is its end. */
function place(margin: number): number {
  const doubled = Math.min(doublings, Math.max(-doublings, Math.log2(margin)));
  return fixed(labelWidth + ((doubled + doublings) / (2 * doublings)) * plotWidth);
}

function fixed(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
