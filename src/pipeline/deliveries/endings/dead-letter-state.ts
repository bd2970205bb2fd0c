/**
 * The life of a dead letter as one total table: it is open until a person sends its record again, discards it, or it expires.
 * What was sent again ends as delivered, or is replaced by the dead letter of the job that sent it, or comes back.
 */

export const deadLetterStates = ['open', 'redriving', 'redriven', 'replaced', 'discarded', 'expired'] as const;
export type DeadLetterState = (typeof deadLetterStates)[number];

export const deadLetterEvents = ['add', 'redrive', 'discard', 'expire', 'deliver', 'fail', 'return'] as const;
export type DeadLetterEvent = (typeof deadLetterEvents)[number];

/** The empty state is that of a dead letter that does not exist yet. */
export const deadLetterTransitions: Readonly<Record<DeadLetterState | '', Readonly<Partial<Record<DeadLetterEvent, DeadLetterState>>>>> = {
  '': { add: 'open' },
  open: { redrive: 'redriving', discard: 'discarded', expire: 'expired' },
  redriving: { deliver: 'redriven', fail: 'replaced', return: 'open' },
  redriven: {},
  replaced: {},
  discarded: {},
  expired: {},
};
