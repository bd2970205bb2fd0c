/** What can be wrong with a question about a job. */
import { defineErrors } from '../../platform/base/errors.ts';

export const jobViewErrors = defineErrors({
  E_JOB_NOT_FOUND: {
    meaning: 'There is no job of this id, or it has no receipt yet.',
    actor: 'caller',
    next: 'Check the id with `headgate job list`; a receipt exists once the job is closed.',
  },
  E_RECORD_NOT_FOUND: {
    meaning: 'The job has no record of this number, or has not read it yet.',
    actor: 'caller',
    next: 'Look at the number of records with `headgate job get`.',
  },
});
