/**
 * The life of an arrival as one total table: state by event. A pair that is not in it is a programmer's error here and is
 * refused by a trigger in the database, whose own table is tested to be equal.
 */
export const arrivalStates = [
  'seen',
  'growing',
  'stable',
  'complete',
  'verified',
  'held',
  'accepted',
  'unpacked',
  'duplicate',
  'quarantined',
  'vanished',
] as const;
export type ArrivalState = (typeof arrivalStates)[number];

export const arrivalEvents = [
  'see',
  'grow',
  'settle',
  'complete',
  'verify',
  'accept',
  'unpack',
  'duplicate',
  'quarantine',
  'hold',
  'vanish',
  // Steps that are made together: one move of the row, and an event for each step.
  'verify+accept',
  'verify+unpack',
  'verify+duplicate',
  'verify+quarantine',
  'verify+hold',
] as const;
export type ArrivalEvent = (typeof arrivalEvents)[number];

/** The empty state is that of an arrival that does not exist yet. */
export const arrivalTransitions: Readonly<Record<ArrivalState | '', Readonly<Partial<Record<ArrivalEvent, ArrivalState>>>>> = {
  '': { see: 'seen' },
  seen: { grow: 'growing', settle: 'stable', complete: 'complete', vanish: 'vanished', quarantine: 'quarantined' },
  growing: { settle: 'stable', vanish: 'vanished', quarantine: 'quarantined' },
  stable: { grow: 'growing', complete: 'complete', vanish: 'vanished', quarantine: 'quarantined' },
  complete: {
    verify: 'verified',
    grow: 'growing',
    vanish: 'vanished',
    quarantine: 'quarantined',
    'verify+accept': 'accepted',
    'verify+unpack': 'unpacked',
    'verify+duplicate': 'duplicate',
    'verify+quarantine': 'quarantined',
    'verify+hold': 'held',
  },
  verified: { accept: 'accepted', unpack: 'unpacked', duplicate: 'duplicate', quarantine: 'quarantined', hold: 'held' },
  held: { accept: 'accepted', quarantine: 'quarantined' },
  accepted: {},
  unpacked: {},
  duplicate: {},
  quarantined: {},
  vanished: {},
};

/** After the verdict: the file may still have to be taken away at its source. */
export const decidedArrivalStates: readonly ArrivalState[] = ['held', 'accepted', 'unpacked', 'duplicate', 'quarantined'];

/** Before the verdict: the file is at its source only. */
export const openArrivalStates: readonly ArrivalState[] = arrivalStates.filter(
  (state) => !decidedArrivalStates.includes(state) && state !== 'vanished',
);

/** The states that an event leads through, the last one included. */
export function statesThrough(state: ArrivalState | '', event: ArrivalEvent): ArrivalState[] {
  let at = state;
  return event.split('+').map((step) => (at = nextArrivalState(at, step as ArrivalEvent)));
}

/** An event that the state does not have is a programmer's error. */
export function nextArrivalState(state: ArrivalState | '', event: ArrivalEvent): ArrivalState {
  const next = arrivalTransitions[state][event];
  if (next === undefined) throw new Error(`an arrival in state "${state}" has no event "${event}"`);
  return next;
}
