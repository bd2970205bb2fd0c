/**
 * The life of a delivery batch as one total table: state by event. A pair that is not in it is a programmer's error here
 * and is refused by a trigger in the database, whose own table is tested to be equal.
 */

export const batchStates = ['ready', 'sending', 'unknown', 'held', 'parked', 'acked', 'refused', 'split', 'dead', 'cancelled'] as const;
export type BatchState = (typeof batchStates)[number];

export const batchEvents = [
  'cut',
  'send',
  'acknowledge',
  'refuse',
  'retry',
  'split',
  'exhaust',
  'lose',
  'hold',
  'cancel',
  'block',
  'park',
  'resume',
] as const;
export type BatchEvent = (typeof batchEvents)[number];

/** The empty state is that of a batch that does not exist yet. */
export const batchTransitions: Readonly<Record<BatchState | '', Readonly<Partial<Record<BatchEvent, BatchState>>>>> = {
  '': { cut: 'ready' },
  ready: { send: 'sending', split: 'split', cancel: 'cancelled', block: 'dead', hold: 'held', park: 'parked' },
  sending: { acknowledge: 'acked', refuse: 'refused', retry: 'ready', split: 'split', exhaust: 'dead', lose: 'unknown' },
  unknown: { send: 'sending', acknowledge: 'acked', refuse: 'refused', hold: 'held', exhaust: 'dead' },
  held: { retry: 'ready', acknowledge: 'acked', exhaust: 'dead', cancel: 'cancelled' },
  parked: { resume: 'ready', split: 'split', cancel: 'cancelled' },
  acked: {},
  refused: {},
  split: {},
  dead: {},
  cancelled: {},
};

/** States in which a batch still waits for something. */
export const openBatchStates: readonly BatchState[] = batchStates.filter((state) => Object.keys(batchTransitions[state]).length > 0);

/** The state that the event leads to; an event that the state does not have is a programmer's error. */
export function nextBatchState(state: BatchState | '', event: BatchEvent): BatchState {
  const next = batchTransitions[state][event];
  if (next === undefined) throw new Error(`a batch in state "${state}" has no event "${event}"`);
  return next;
}
