/**
 * The life of a job as one total table: state by event. A pair that is not in it is a programmer's error here and is
 * refused by a trigger in the database, whose own table is tested to be equal. A small file's job has no state `running` of
 * its own: it is queued until the one commit that finishes its group. Closing has two ends, hence lists.
 */

export const jobStates = [
  'queued',
  'running',
  'checking',
  'held',
  'delivering',
  'completed',
  'completed_with_failures',
  'rejected',
  'cancelled',
] as const;
export type JobState = (typeof jobStates)[number];

export const jobEvents = ['create', 'start', 'check', 'accept', 'hold', 'reject', 'release', 'cancel', 'close'] as const;
export type JobEvent = (typeof jobEvents)[number];

/** The empty state is that of a job that does not exist yet. */
export const jobTransitions: Readonly<Record<JobState | '', Readonly<Partial<Record<JobEvent, readonly JobState[]>>>>> = {
  '': { create: ['queued'] },
  queued: { start: ['running'], accept: ['delivering'], hold: ['held'], reject: ['rejected'], cancel: ['cancelled'] },
  running: {
    check: ['checking'],
    accept: ['delivering'],
    hold: ['held'],
    reject: ['rejected'],
    cancel: ['cancelled'],
  },
  checking: { accept: ['delivering'], hold: ['held'], reject: ['rejected'], cancel: ['cancelled'] },
  held: { release: ['delivering'], reject: ['rejected'], cancel: ['cancelled'] },
  delivering: { close: ['completed', 'completed_with_failures'], cancel: ['cancelled'] },
  completed: {},
  completed_with_failures: {},
  rejected: {},
  cancelled: {},
};

/** States from which no event leads on. */
export const closedJobStates: readonly JobState[] = jobStates.filter((state) => Object.keys(jobTransitions[state]).length === 0);

export function isClosed(state: JobState): boolean {
  return closedJobStates.includes(state);
}

/** The states that have this event: the guard of the statement that brings it about. */
export function statesBefore(event: JobEvent): JobState[] {
  return jobStates.filter((state) => jobTransitions[state][event] !== undefined);
}

/** The only state that the event leads to; an event that the state does not have, or that has two ends, is a programmer's error. */
export function nextJobState(state: JobState | '', event: JobEvent): JobState {
  const next = jobTransitions[state][event];
  if (next?.length !== 1) throw new Error(`a job in state "${state}" has no single next state for event "${event}"`);
  return next[0]!;
}
