/**
 * The life of the answer that a batch expects, as one total table: awaited from its delivery on, overdue when its time is over,
 * complete when every record is accepted or refused. The rest of
 * the same file may say that some of them are pending after all.
 */

export const answerStates = ['awaited', 'overdue', 'complete'] as const;
export type AnswerState = (typeof answerStates)[number];

export const answerEvents = ['expect', 'pass', 'complete', 'reopen'] as const;
export type AnswerEvent = (typeof answerEvents)[number];

/** The empty state is that of one that does not exist yet. */
export const answerTransitions: Readonly<Record<AnswerState | '', Readonly<Partial<Record<AnswerEvent, AnswerState>>>>> = {
  '': { expect: 'awaited' },
  awaited: { pass: 'overdue', complete: 'complete' },
  overdue: { complete: 'complete' },
  complete: { reopen: 'awaited' },
};
