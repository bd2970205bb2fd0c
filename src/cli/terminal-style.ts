/**
 * What a terminal adds to data: colour by state, ids in the background, how long ago. Colour says nothing that a word does not; it is
 * left out where `NO_COLOR` or `CI` is set or the terminal is a dumb one, and nothing of it reaches a file or another program.
 */
import type { AcknowledgementState } from '../control/jobs/acknowledging/acknowledgement-state.ts';
import type { JobState } from '../control/jobs/job-state.ts';
import type { ArrivalState } from '../pipeline/arrivals/arrival-state.ts';
import type { AnswerState } from '../pipeline/deliveries/answers/answer-state.ts';
import type { BatchState } from '../pipeline/deliveries/batch-state.ts';
import type { BreakerState } from '../pipeline/deliveries/breakers/breaker-state.ts';
import type { DeadLetterState } from '../pipeline/deliveries/endings/dead-letter-state.ts';

type Tone = 'good' | 'waiting' | 'bad' | 'faint';

type State = AcknowledgementState | AnswerState | ArrivalState | BatchState | BreakerState | DeadLetterState | JobState;

/** `waiting`: somebody may have to decide or mend something. Null: it goes on by itself, or a person wanted it so. */
const toneOfState: Readonly<Record<State, Tone | null>> = {
  accepted: 'good',
  acked: 'good',
  awaited: null,
  cancelled: null,
  checking: null,
  closed: 'good',
  complete: 'good',
  completed: 'good',
  completed_with_failures: 'bad',
  dead: 'bad',
  delivering: null,
  discarded: null,
  duplicate: 'waiting',
  expired: null,
  failed: 'bad',
  growing: null,
  half_open: 'waiting',
  held: 'waiting',
  open: 'waiting',
  overdue: 'waiting',
  parked: 'waiting',
  pending: null,
  quarantined: 'bad',
  queued: null,
  ready: null,
  redriven: 'good',
  redriving: null,
  refused: 'bad',
  rejected: 'bad',
  replaced: null,
  running: null,
  seen: null,
  sending: null,
  sent: 'good',
  split: null,
  stable: null,
  unknown: 'waiting',
  unpacked: 'good',
  vanished: null,
  verified: null,
};

/** Of records, findings and checks. */
const toneOfWord: Readonly<Record<string, Tone | null>> = {
  ...toneOfState,
  active: 'good',
  error: 'bad',
  ok: 'good',
  partial: 'waiting',
  valid: 'good',
  warn: 'waiting',
  warning: 'waiting',
};

/** Columns, or the last part of a path, that hold such a word. */
const wordColumns: ReadonlySet<string> = new Set(['answerState', 'outcome', 'result', 'severity', 'state', 'status', 'verdict']);

/** SGR of ECMA-48: codes that leave the colours to the theme of the terminal. */
const codes: Readonly<Record<Tone, readonly [number, number]>> = {
  good: [32, 39],
  waiting: [33, 39],
  bad: [31, 39],
  faint: [2, 22],
};

export type Paint = (column: string, cell: string) => string;

export const plain: Paint = (_column, cell) => cell;

/** For what is written to a terminal. */
export function painter(env: Readonly<Record<string, string | undefined>>): Paint {
  if (env['NO_COLOR'] || env['CI'] || env['TERM'] === 'dumb') return plain;
  return (column, cell) => {
    const tone = cell === '' ? null : toneOf(column.slice(column.lastIndexOf('.') + 1), cell);
    if (tone === null) return cell;
    const [on, off] = codes[tone];
    return `\u001b[${on}m${cell}\u001b[${off}m`;
  };
}

function toneOf(column: string, cell: string): Tone | null {
  if (/(?:^id|Id)$/.test(column)) return 'faint';
  return wordColumns.has(column) && Object.hasOwn(toneOfWord, cell) ? toneOfWord[cell]! : null;
}

const secondMs = 1_000;
/** From the largest on: how long it is, and how many of it are told before the date is clearer. */
const units = [
  ['d', 86_400 * secondMs],
  ['h', 3_600 * secondMs],
  ['min', 60 * secondMs],
  ['s', secondMs],
] as const;
const toldMs = 60 * 86_400 * secondMs;

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** `3 min ago`, `in 2 h`; the day where it is farther away than two months, and anything that is no instant as it is. */
export function relativeTime(text: string, nowMs: number): string {
  if (!instant.test(text)) return text;
  const awayMs = Date.parse(text) - nowMs;
  const lengthMs = Math.abs(awayMs);
  if (lengthMs >= toldMs) return text.slice(0, 10);
  const unit = units.find(([, ms]) => lengthMs >= ms);
  if (unit === undefined) return 'now';
  const said = `${Math.floor(lengthMs / unit[1])} ${unit[0]}`;
  return awayMs > 0 ? `in ${said}` : `${said} ago`;
}
