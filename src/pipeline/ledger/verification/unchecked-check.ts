/**
 * The receipt of a job that a person ended before its file was checked. It may state nothing but that: whose decision, that
 * no record was counted, routed or put in a batch, and which chunks had been run by then. Those are recomputed like any
 * other, so that what was made of the file is not hidden; that nothing was sent stays the signer's statement.
 */
import type { Plan } from '../../engine/plan.ts';
import { ReferenceRun } from '../../engine/reference/reference-run.ts';
import { receiptControlTotals } from '../control-totals.ts';
import { exportFiles } from '../export/export-layout.ts';
import type { Receipt } from '../receipt.ts';
import { checkRunChunks } from './chunk-borders.ts';
import { ChunkCheck } from './chunk-check.ts';
import { type ExportReader, readPieces } from './export-reader.ts';
import { RecordNumbers } from './record-numbers.ts';
import type { VerificationLog } from './verification-report.ts';

interface Parts {
  readonly plan: Plan;
  readonly receipt: Receipt;
  readonly reader: ExportReader;
  readonly log: VerificationLog;
}

const nothing = { records: 0, amounts: {} };

export function checkUnchecked(parts: Parts): void {
  const { receipt, log } = parts;
  const { state, decision } = receipt.job;
  const isEnded = (state === 'rejected' && decision?.kind === 'reject') || (state === 'cancelled' && decision?.kind === 'cancel');
  const message = 'a job whose file was not checked was rejected or cancelled by a person';
  log.check('verdict', isEnded ? null : { code: 'E_VERIFY_VERDICT', at: 'job', message });
  const isSaid = receipt.job.verdict === state;
  log.check('verdict', isSaid ? null : { code: 'E_VERIFY_VERDICT', at: 'job', message: `a job that is ${state} has no other verdict` });
  checkStatesNothing(parts);
  const { records, poisoned } = recomputeRunChunks(parts);
  addNotes(receipt, { records, poisoned }, log);
}

/** Whatever a receipt of a checked file would count. */
function checkStatesNothing({ plan, receipt, log }: Parts): void {
  const none = { read: 0, valid: 0, rejected: 0, filtered: 0 };
  const found = {
    records: none,
    warned: 0,
    excluded: 0,
    amounts: { read: {}, valid: {}, rejected: {}, filtered: {} },
    reasons: [],
    errors: [],
    warnings: [],
    exclusions: null,
    controlTotals: receiptControlTotals(plan, { declared: {}, computed: {}, balanced: null }),
    batches: 0,
    batchBytes: 0,
    targets: plan.targets.map(({ id }) => ({
      id,
      routed: nothing,
      delivered: nothing,
      refused: nothing,
      dead: nothing,
      cancelled: nothing,
    })),
  };
  const stated = { ...receipt, batches: receipt.batches.count, batchBytes: receipt.batches.bytes };
  for (const name of Object.keys(found) as (keyof typeof found)[])
    log.equal('nothing counted', 'E_VERIFY_RECORDS', { at: name, stated: stated[name], found: found[name] });
}

/** What had been run is recomputed like any other chunk. */
function recomputeRunChunks({ plan, receipt, reader, log }: Parts): { readonly records: number; readonly poisoned: number } {
  const { chunks } = receipt;
  const run = new ReferenceRun(plan);
  const numbers = new RecordNumbers(receipt);
  let [records, poisoned, at] = [0, 0, 0];
  let check: ChunkCheck | null = null;
  const names = new Set(reader.names());
  const checkOf = (index: number): ChunkCheck => (check ??= new ChunkCheck(chunks[index]!, { reader, names, log }));
  const finish = (): void => {
    checkOf(at++).finish();
    check = null;
  };
  const member = reader.open(exportFiles.member);
  try {
    for (const read of run.records(readPieces(member, 0, member.size))) {
      records++;
      while (at < chunks.length && read.offset >= chunks[at]!.end) finish();
      const chunk = chunks[at];
      if (chunk === undefined || read.offset < chunk.start) continue;
      const record = numbers.take(read, at);
      if (check === null)
        log.equal('chunk borders', 'E_VERIFY_CHUNKS', { at: `chunk ${chunk.number}`, stated: chunk.firstRecord, found: record.record });
      if (checkOf(at).take(record).isPoison) poisoned++;
    }
    checkRunChunks({ receipt, coverage: run.coverage(), member, log });
  } finally {
    member.close();
  }
  while (at < chunks.length) finish();
  return { records, poisoned };
}

function addNotes({ job, chunks }: Receipt, found: { records: number; poisoned: number }, log: VerificationLog): void {
  const { decision } = job;
  if (decision === null) return;
  log.note(
    `The job was ${job.state} before its file was checked: by ${decision.actor} at ${decision.at}, event ${decision.eventId}, reason: ${decision.reason}`,
  );
  log.note(
    `The file holds ${found.records} records; ${chunks.length} chunks of it had been run. That no batch was made or sent is stated, not recomputed: what targets received can contradict it.`,
  );
  if (found.poisoned > 0) log.note(`${found.poisoned} records are rejected because they ended a worker (E_POISON): that is stated too.`);
}
