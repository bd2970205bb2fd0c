/** What can go wrong between a job's acceptance and its receipt. */
import { defineErrors } from '../../platform/base/errors.ts';

export const jobErrors = defineErrors({
  E_FENCED: {
    meaning: 'The work went to another worker because its lease had run out; the result of this one was dropped.',
    actor: 'operator',
    next: 'Nothing: the other worker finishes it. If it happens often, raise `leaseMs` or give the workers more processors.',
    retryable: false,
  },
  E_JOB_UNKNOWN: {
    meaning: 'There is no job of this id.',
    actor: 'caller',
    next: 'Check the id with `headgate job list`.',
  },
  E_JOB_STATE: {
    meaning: 'The job is in a state that does not allow this.',
    actor: 'operator',
    next: 'Look at the job with `headgate job get`; only held jobs can be released or rejected, and closed ones stay as they are.',
  },
  E_JOB_INCOMPLETE: {
    meaning:
      'The job was held because records of its file could not be read, a part of it could not be processed, or the rules of its format find it wrong as a whole; it cannot be released.',
    actor: 'operator',
    next: 'Reject the job with a reason (`headgate job reject`), mend the cause that the job names, and have the file sent again.',
  },
  E_DECISION_STALE: {
    meaning: 'The job is no longer as it was when the decision was previewed.',
    actor: 'operator',
    next: 'Look at the preview again and decide anew.',
  },
  E_POISON: {
    meaning: 'The record ended the process that worked on it; it was rejected, and the rest of the file went on.',
    actor: 'operator',
    next: 'Look at the record by its offset, have it corrected by the sender, and report it.',
  },
  E_CHUNK_FAILED: {
    meaning: 'A part of a file could not be processed in several attempts, and no single record was found to be the cause.',
    actor: 'operator',
    next: 'Look at the log lines of the job for the cause; reject the job, and have the file sent again once it is mended.',
  },
  E_THREAD_DIED: {
    meaning: 'The thread that worked on a part of a file ended by itself, out of memory or by a fault.',
    actor: 'operator',
    next: 'Nothing at first: the part is tried again. If it happens often, report it with the job id.',
    retryable: false,
  },
  E_NO_THREAD: {
    meaning: 'No thread or process could be started to work on a part of a file, or it was ended from outside before it was done.',
    actor: 'operator',
    next: 'Look at what the machine allows (`ulimit -u`, `ulimit -n`, the limit of processes of the container) and at its memory; the work is tried again by itself.',
    retryable: true,
  },
  E_ACKNOWLEDGEMENT_STATE: {
    meaning: 'No acknowledgement of the file was given up, so that there is none to be written again.',
    actor: 'caller',
    next: 'Look at `acknowledgements` in `headgate file get`: what is pending is tried by itself.',
  },
  E_ACKNOWLEDGEMENT_FORMAT: {
    meaning: 'The acknowledgement of a file is asked for in a format in which files of its flow can not be answered.',
    actor: 'caller',
    next: 'Ask for json or csv; pain.002 answers files of flows that read pain.001 or pain.008, nacha (returns) ACH files that came as they are.',
  },
  E_ACKNOWLEDGEMENT_SIZE: {
    meaning: 'The acknowledgement of a file is larger than an object that is written to a bucket or container may be.',
    actor: 'operator',
    next: 'Send it to the sender yourself: `headgate file acknowledgement FILE --level record`.',
  },
  E_RECORD_UNKNOWN: {
    meaning: 'The job has no record of this number, or has not read it yet.',
    actor: 'caller',
    next: 'Look at the number of records with `headgate job get`.',
  },
});
