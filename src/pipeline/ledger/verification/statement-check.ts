/** Statements of a receipt that must agree with each other: the tenant with its flow's, and times with the order of things. */
import type { Receipt, ReceiptRedrive } from '../receipt.ts';
import type { VerificationLog } from './verification-report.ts';

export function checkStatements(receipt: Receipt, log: VerificationLog): void {
  const { tenant, flow, job, times } = receipt;
  log.equal('flow definition', 'E_VERIFY_FLOW', { at: 'tenant.name', stated: tenant.name, found: flow.tenant });
  const isOrdered = areOrdered([times.acceptedAt, times.startedAt, times.closedAt]);
  const message = 'the job was not accepted, started and closed in this order';
  log.check('times', isOrdered ? null : { code: 'E_VERIFY_VERDICT', at: 'times', message });
  if (job.redrive !== undefined) checkRedrive(receipt, job.redrive, log);
  if (job.decision === null) return;
  const isWithin = areOrdered([times.acceptedAt, job.decision.at, times.closedAt]);
  const outside = 'it was not made between acceptance and closing';
  log.check('verdict', isWithin ? null : { code: 'E_VERIFY_VERDICT', at: 'job.decision', message: outside });
}

/** Records of another job of the lineage, and so never of the one that began it. */
function checkRedrive({ job, records }: Receipt, redrive: ReceiptRedrive, log: VerificationLog): void {
  const { ofJobId, records: stated } = redrive;
  if (job.checked) log.equal('lineage', 'E_VERIFY_RECORDS', { at: 'job.redrive.records', stated, found: records.read });
  const isSound = ofJobId !== job.id && job.lineageId !== job.id;
  const message = 'a job that sends records again is not the first of its lineage';
  log.check('lineage', isSound ? null : { code: 'E_VERIFY_RECORDS', at: 'job.redrive', message });
  log.note(redriveNote(redrive));
}

/** Such a file is asked less of than any other, on the word of the receipt alone. */
function redriveNote({ id, ofJobId, targets, records, repair, possibleDuplicate, reason, actor }: ReceiptRedrive): string {
  const where = targets === null ? 'wherever the flow leads them' : `to ${targets.join(', ')}`;
  const how = repair === null ? 'as they were' : `repaired in ${Object.keys(repair).join(', ')}`;
  const before = possibleDuplicate ? 'some may have arrived before' : 'none had arrived before';
  return `The job sends ${records} records of job ${ofJobId} again, ${where}, ${how}; ${before}: redrive ${id} by ${actor}, reason: ${reason}. That is stated, not recomputed, and header, trailer and rules of the file as a whole are not asked for: compare the export of that job.`;
}

/** To the last digit; false also where one is no time. */
function areOrdered(texts: readonly string[]): boolean {
  const times = texts.map((text) => text.replace(/(?:\.(\d+))?Z$/, (_, fraction = '') => `.${String(fraction).padEnd(9, '0')}`));
  return texts.every((text, at) => !Number.isNaN(Date.parse(text)) && (at === 0 || times[at - 1]! <= times[at]!));
}
