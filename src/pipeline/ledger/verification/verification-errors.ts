/** What a verification can find wrong. Each is a finding about an export, reported with the place; none is thrown. */
import { defineErrors } from '../../../platform/base/errors.ts';

const actor = 'caller';
const next = 'Do not rely on this export; ask the issuer for another one, and if it says the same, for an explanation.';

export const verificationErrors = defineErrors({
  E_VERIFY_LAYOUT: { meaning: 'A file of the export is missing, or there is one that does not belong to it.', actor, next },
  E_VERIFY_MANIFEST: { meaning: 'A file of the export is not the one that the manifest lists, or the manifest is malformed.', actor, next },
  E_VERIFY_FLOW: { meaning: 'The flow definition of the export is not the one that the receipt names, or does not compile.', actor, next },
  E_VERIFY_FILE: { meaning: 'The raw file is not the one that the receipt names.', actor, next },
  E_VERIFY_SEGMENT: { meaning: 'A stored part of the job is not the one that the receipt names, or cannot be read.', actor, next },
  E_VERIFY_CHUNKS: { meaning: 'The chunks do not cover the raw file without gap and overlap, or do not end at records.', actor, next },
  E_VERIFY_RECORDS: { meaning: 'The counts of records are not those of the raw file.', actor, next },
  E_VERIFY_OUTCOME: { meaning: 'The recorded outcome of a record is not the one that the flow gives it.', actor, next },
  E_VERIFY_REJECTIONS: { meaning: 'The recorded findings of a record are not those that the flow makes.', actor, next },
  E_VERIFY_OUTPUT: { meaning: 'The output for a target is not what the flow makes of the raw file.', actor, next },
  E_VERIFY_AMOUNTS: { meaning: 'Amounts are not those of the raw file.', actor, next },
  E_VERIFY_EXCLUSIONS: { meaning: 'The excluded records are not those that the flow excludes.', actor, next },
  E_VERIFY_VERDICT: { meaning: 'The verdict on the file, or its control totals, are not what the flow gives.', actor, next },
  E_VERIFY_BATCHES: { meaning: 'The batches do not hold every record that was to be delivered exactly once.', actor, next },
  E_VERIFY_TARGET: { meaning: 'What became of the records of a target is not what its batches say.', actor, next },
  E_VERIFY_BALANCE: { meaning: 'The receipt breaks the law of conservation.', actor, next },
});

export type VerificationCode = keyof typeof verificationErrors | 'E_RECEIPT_FORMAT' | 'E_RECEIPT_SIGNATURE' | 'E_RECEIPT_KEY';
