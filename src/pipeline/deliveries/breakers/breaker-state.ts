/**
 * The life of a target's breaker as one total table: state by event. A pair that is not in it is a programmer's error here and
 * is refused by a trigger in the database, whose own table is tested to be equal.
 */

export const breakerStates = ['closed', 'open', 'half_open'] as const;
export type BreakerState = (typeof breakerStates)[number];

/** The empty state is that of a target that never failed. */
export const breakerTransitions = {
  '': { watch: 'closed' },
  closed: { trip: 'open' },
  open: { try: 'half_open', close: 'closed' },
  half_open: { trip: 'open', close: 'closed' },
} as const satisfies Readonly<Record<BreakerState | '', Readonly<Record<string, BreakerState>>>>;

export type BreakerEvent = 'trip' | 'try' | 'close';

/** `auto`: it decides by itself. Else a person has said what it is until it is `auto` again. */
export const breakerModes = ['auto', 'open', 'closed'] as const;
export type BreakerMode = (typeof breakerModes)[number];

/** The state that the event leads to; an event that the state does not have is a programmer's error. */
export function nextBreakerState(state: BreakerState, event: BreakerEvent): BreakerState {
  const next = (breakerTransitions[state] as Readonly<Partial<Record<BreakerEvent, BreakerState>>>)[event];
  if (next === undefined) throw new Error(`a breaker in state "${state}" has no event "${event}"`);
  return next;
}
