/**
 * The offline verifier: takes an export and a trust file, believes nothing else, and recomputes from the raw bytes what the
 * receipt states. It uses the reference parser only, never generated code. It reports; it never throws for what an export says.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Plan } from '../../engine/plan.ts';
import { redrivePlan } from '../../engine/redrive-plan.ts';
import { summedScales } from '../../engine/reference/money.ts';
import type { FileCoverage } from '../../engine/reference/reference-run.ts';
import { findImbalances } from '../balance.ts';
import { type BatchEntry, decodeBatchEntry, isDecidedByPerson } from '../batch-list.ts';
import { decodeExclusions, type Exclusion } from '../exclusions.ts';
import { exportFiles } from '../export/export-layout.ts';
import type { Receipt, ReceiptRedrive } from '../receipt.ts';
import { decodeReceipt } from '../receipt-schema.ts';
import { verifyReceiptSignature } from '../receipt-signature.ts';
import type { Trust } from '../trust-file.ts';
import { BatchCheck } from './batch-check.ts';
import { checkBatchShapes } from './batch-shape-check.ts';
import { checkBodies, isShared } from './body-check.ts';
import { areChunksApart, checkAllChunks } from './chunk-borders.ts';
import { checkContainer, type PackFindings, packFindings, type UnpackedContainer } from './container-check.ts';
import { type ExportReader, hashFiles, readLines, readWhole } from './export-reader.ts';
import { checkLayout, checkNamedParts, isStated } from './layout-check.ts';
import { checkRecords } from './record-check.ts';
import { statedRecordBytesMax } from './record-limit.ts';
import { checkStatements } from './statement-check.ts';
import { checkTotals } from './totals-check.ts';
import { checkUnchecked } from './unchecked-check.ts';
import { checkVerdict } from './verdict-check.ts';
import type { VerificationCode } from './verification-errors.ts';
import { VerificationLog, type VerificationReport } from './verification-report.ts';

export interface Verification {
  readonly reader: ExportReader;
  readonly trust: Trust;
  /** From `unpackContainer`. */
  readonly container: UnpackedContainer | null;
  /** Compiles a flow definition; throws a HeadgateError for one that is none. */
  readonly compile: (definition: Uint8Array) => Plan;
}

export function verifyExport(verification: Verification): VerificationReport {
  const { reader } = verification;
  const log = new VerificationLog();
  const files = hashFiles(reader);
  const manifestJob = checkLayout(reader, files, log);
  const receipt = attempt(log, 'receipt form', 'E_RECEIPT_FORMAT', exportFiles.receipt, () =>
    decodeReceipt(readWhole(reader, exportFiles.receipt)),
  );
  if (receipt === null) return log.report();
  log.jobId = receipt.job.id;
  log.equal('manifest', 'E_VERIFY_MANIFEST', { at: 'jobId', stated: receipt.job.id, found: manifestJob });
  checkSignature(verification, receipt, log);
  checkNamedParts(receipt, files, log);
  checkContainer(receipt, verification.container, log);
  checkStatements(receipt, log);
  for (const { law, at, left, right } of findImbalances(receipt)) {
    log.check('balance', { code: 'E_VERIFY_BALANCE', at, message: `${law}: ${left} is not ${right}` });
  }
  log.check('balance', null);
  const plan = compileFlow(verification, receipt, log);
  const ofPack = packFindings(receipt, verification.container);
  if (ofPack.isStated) log.note('What the format found about the file as a whole is stated, not recomputed: the file came encrypted.');
  const hasSignedBatches = log.kid !== null && isStated(files.get(exportFiles.batches), receipt.batches);
  if (plan !== null && files.has(exportFiles.member)) recompute({ reader, receipt, plan, ofPack, hasSignedBatches, log });
  return log.report();
}

function checkSignature({ reader, trust }: Verification, receipt: Receipt, log: VerificationLog): void {
  const signed = readWhole(reader, exportFiles.receipt);
  log.kid = attempt(log, 'signature', 'E_RECEIPT_SIGNATURE', exportFiles.signature, () =>
    verifyReceiptSignature(signed, readWhole(reader, exportFiles.signature).toString('latin1'), trust, Date.parse(receipt.times.closedAt)),
  );
}

function compileFlow({ reader, compile }: Verification, receipt: Receipt, log: VerificationLog): Plan | null {
  const plan = attempt(log, 'flow definition', 'E_VERIFY_FLOW', exportFiles.definition, () =>
    compile(readWhole(reader, exportFiles.definition)),
  );
  if (plan === null) return null;
  log.equal('flow definition', 'E_VERIFY_FLOW', {
    at: 'flow',
    stated: Object.entries(receipt.flow).sort(),
    found: Object.entries(plan.flow).sort(),
  });
  log.equal('flow definition', 'E_VERIFY_FLOW', {
    at: 'targets',
    stated: receipt.targets.map(({ id }) => id),
    found: plan.targets.map(({ id }) => id),
  });
  const { redrive } = receipt.job;
  if (redrive !== undefined) checkRedriveNames(plan, redrive, log);
  const isShaped = receipt.chunks.every((chunk) => chunk.outputs.length === plan.targets.length);
  log.check(
    'flow definition',
    isShaped ? null : { code: 'E_VERIFY_FLOW', at: 'chunks', message: 'their outputs are not those of the targets' },
  );
  if (!isShaped) return null;
  return redrive === undefined ? plan : redrivePlan(plan, redrive.targets);
}

/** Targets that the records may go to, and fields that were repaired, are some of the flow's. */
function checkRedriveNames(plan: Plan, { targets, repair }: ReceiptRedrive, log: VerificationLog): void {
  const ids = new Set(plan.targets.map(({ id }) => id));
  const fields = new Set(plan.records.filter(({ role }) => role === 'data').flatMap((record) => record.fields.map(({ name }) => name)));
  for (const [at, names, known] of [
    ['job.redrive.targets', targets ?? [], ids],
    ['job.redrive.repair', Object.keys(repair ?? {}), fields],
  ] as const)
    log.equal('flow definition', 'E_VERIFY_FLOW', { at, stated: names.filter((name) => !known.has(name)), found: [] });
}

interface Recomputation {
  /** Found by a pack, beside what is found in the lines that it made. */
  readonly ofPack: PackFindings;
  readonly reader: ExportReader;
  readonly receipt: Receipt;
  readonly plan: Plan;
  /** The list of batches is the one that was signed. */
  readonly hasSignedBatches: boolean;
  readonly log: VerificationLog;
}

function recompute({ reader, receipt, plan, ofPack, hasSignedBatches, log }: Recomputation): void {
  if (!areChunksApart(receipt, log)) return;
  if (!receipt.job.checked) {
    checkUnchecked({ reader, receipt, plan, log });
    return;
  }
  const entries = readBatches(reader, receipt, log);
  const batches = new BatchCheck(entries, { targetIds: plan.targets.map(({ id }) => id), scales: summedScales(plan), log });
  checkBatchShapes(entries, { plan, redrive: receipt.job.redrive, log });
  const found = checkRecords({ plan, receipt, reader, batches, ofPack, log });
  checkChunkBorders({ receipt, reader, log }, found.coverage);
  if (hasSignedBatches)
    checkBodies(
      entries,
      plan.targets.map(({ id }) => id),
      reader,
      log,
    );
  else log.note('The bodies of batches are not recomputed: the list of batches is not one that was signed.');
  checkTotals({ receipt, found, outcomes: batches.finish(), ofPack, log });
  checkVerdict(plan, found, receipt, log);
  const stated = receipt.exclusions === null ? [] : readExclusions(reader);
  log.equal('exclusions', 'E_VERIFY_EXCLUSIONS', { at: exportFiles.exclusions, stated, found: found.exclusions });
  addNotes(receipt, found.poisoned, entries, log);
}

function checkChunkBorders({ receipt, reader, log }: Pick<Recomputation, 'receipt' | 'reader' | 'log'>, coverage: FileCoverage): void {
  const member = reader.open(exportFiles.member);
  try {
    checkAllChunks({ receipt, coverage, member, log });
  } finally {
    member.close();
  }
}

function readBatches(reader: ExportReader, receipt: Receipt, log: VerificationLog): BatchEntry[] {
  const entries: BatchEntry[] = [];
  const at = exportFiles.batches;
  const bytes = attempt(log, 'batch list', 'E_VERIFY_BATCHES', at, () => readWhole(reader, at));
  for (const { line, isWhole } of readLines(bytes ?? Buffer.alloc(0))) {
    const entry = isWhole ? decodeBatchEntry(line) : null;
    log.check('batch list', entry === null ? { code: 'E_VERIFY_BATCHES', at, message: 'a line is malformed' } : null);
    if (entry !== null) entries.push(entry);
  }
  log.equal('batch list', 'E_VERIFY_BATCHES', { at, stated: receipt.batches.count, found: entries.length });
  return entries;
}

/** Null when they are missing or malformed. */
function readExclusions(reader: ExportReader): Exclusion[] | null {
  return reader.names().includes(exportFiles.exclusions) ? decodeExclusions(readWhole(reader, exportFiles.exclusions)) : null;
}

function addNotes(receipt: Receipt, poisoned: number, entries: readonly BatchEntry[], log: VerificationLog): void {
  if (poisoned > 0) log.note(`${poisoned} records are rejected because they ended a worker (E_POISON): that is stated, not recomputed.`);
  const longest = statedRecordBytesMax(receipt);
  if (longest !== null)
    log.note(`The file is read up to its first record of more than ${longest} bytes: that this was the limit is stated.`);
  const unknown = unknownAttempts(entries, receipt);
  if (unknown > 0) log.note(`${unknown} delivery attempts ended unknown: each may have left a duplicate downstream, labelled as possible.`);
  const told = entries.filter((entry) => entry.state === 'delivered' && isDecidedByPerson(entry.evidence)).length;
  if (told > 0) log.note(`${told} batches are delivered by the word of a person, not of their target (\`evidence\` in batches.ndjson).`);
  const shared = entries.filter(isShared).length;
  if (shared > 0) log.note(`${shared} batches were shared with other jobs: only this job's part of their bodies is recomputed.`);
  log.note(
    'Stated, not recomputed: names, times, versions and environment; who decided; what was sent again, and how repaired; what targets answered; search hashes in the outcomes.',
  );
}

/** A part of a divided batch begins with the attempts of the whole, and a batch of records that may have arrived before with one. */
function unknownAttempts(entries: readonly BatchEntry[], { job }: Receipt): number {
  const known = new Map(entries.map((entry) => [entry.id, entry.unknownAttempts]));
  const first = job.redrive?.possibleDuplicate === true ? 1 : 0;
  const begun = (parentId: string | null) => (parentId === null ? first : (known.get(parentId) ?? 0));
  return entries.reduce((sum, entry) => sum + Math.max(0, entry.unknownAttempts - begun(entry.parentId)), 0);
}

function attempt<T>(log: VerificationLog, name: string, code: VerificationCode, at: string, run: () => T): T | null {
  try {
    const result = run();
    log.check(name, null);
    return result;
  } catch (error) {
    const failure = error instanceof HeadgateError ? error : null;
    const isOwn = failure?.code === 'E_RECEIPT_KEY' || failure?.code === code;
    log.check(name, { code: isOwn ? (failure!.code as VerificationCode) : code, at, message: failure?.message ?? 'it cannot be read' });
    return null;
  }
}
