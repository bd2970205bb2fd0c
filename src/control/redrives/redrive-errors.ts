/** What can go wrong with sending dead letters again. */
import { defineErrors } from '../../platform/base/errors.ts';

export const redriveErrors = defineErrors({
  E_REDRIVE_EMPTY: {
    meaning: 'Nothing that was chosen can be sent again: there is no open dead letter among it, or none that the flow would accept.',
    actor: 'operator',
    next: 'Look at the dead letters with `headgate dead-letter list --state open`, and at what a repair makes of them with --dry-run. Those of a job that is still open wait until it is closed (`headgate job get`).',
  },
  E_REDRIVE_SIZE: {
    meaning: 'More was chosen than is sent again at once, in records or in bytes.',
    actor: 'operator',
    next: 'Choose fewer, by group, job, target or id, or with `--first 1000` the first of them: said again once these are sent, it chooses the next.',
  },
  E_REDRIVE_FLOWS: {
    meaning: 'The chosen dead letters belong to several flows, and records are sent again for one flow at a time.',
    actor: 'operator',
    next: 'Choose by group or by flow, and decide for each flow by itself.',
  },
  E_REDRIVE_VERSION: {
    meaning:
      'The version of the flow that is in force does not read the chosen records as the version did that they ran under, has not their target, or gives that target other keys to know records by while one of them may be there: it would be done twice.',
    actor: 'operator',
    next: "Send them again without --current-version, or apply a version that differs from theirs in rules, transforms or settings of targets only; while a record may be there, not in what makes the target's keys (`idempotencyKey`, `mode`, `table`, `keys`, `topic`, `key`, the connection). Where the target says that it has not the record, discard the dead letter and have it sent in a new file.",
  },
  E_REPAIR_UNKNOWN: {
    meaning:
      'A repair would change a record of which nobody knows whether its target has it: a target that keeps delivery keys would leave what it has as it was, and the repaired record would count as delivered.',
    actor: 'operator',
    next: 'Send it again without a repair first: its target takes it then, knows it, or refuses it for certain, and what is refused can be repaired. Where the target says that it has it, discard the dead letter and have it corrected there.',
  },
  E_REDRIVE_STALE: {
    meaning:
      'The chosen dead letters are not what they were when the decision was previewed, or somebody else decided about one of them meanwhile.',
    actor: 'operator',
    next: 'Look at the preview again and decide anew.',
  },
});
