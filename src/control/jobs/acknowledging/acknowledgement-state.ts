/**
 * The life of what is written for the sender of a file, as one total table: it is asked for with the closing of the job, and
 * written or given up; what was given up can be asked for again.
 */

export const acknowledgementStates = ['pending', 'sent', 'failed'] as const;
export type AcknowledgementState = (typeof acknowledgementStates)[number];

export const acknowledgementEvents = ['ask', 'send', 'fail', 'retry'] as const;
export type AcknowledgementEvent = (typeof acknowledgementEvents)[number];

/** The empty state is that of one that does not exist yet. */
export const acknowledgementTransitions: Readonly<
  Record<AcknowledgementState | '', Readonly<Partial<Record<AcknowledgementEvent, AcknowledgementState>>>>
> = {
  '': { ask: 'pending' },
  pending: { send: 'sent', fail: 'failed' },
  sent: {},
  failed: { retry: 'pending' },
};
