/** What can go wrong for readers of the event log. */
import { defineErrors } from '../base/errors.ts';

export const eventErrors = defineErrors({
  E_CURSOR_FENCED: {
    meaning: 'Another process reads on for this subscriber; what this one handled is handled again there.',
    actor: 'operator',
    next: 'Nothing: the other process goes on from the last place that was kept.',
  },
});
