/** Holds the totals that controls declare against those that were read. */
import { decimalText, type ExactSum } from '../exact-sum.ts';
import type { Findings, RecordPlace } from './findings.ts';
import type { NachaRuleId } from './nacha-rules.ts';
import type { NachaSettings } from './nacha-settings.ts';
import { hashModulus, type OpenBatch } from './open-batch.ts';
import type { RecordView } from './record-view.ts';

/** Batches of a file so far. */
export class FileTotals {
  batches = 0;
  records = 0;
  hash = 0;

  add(batch: OpenBatch, sums: FileAmounts): void {
    this.batches++;
    this.records += batch.records;
    this.hash = (this.hash + batch.hash) % hashModulus;
    sums.debit.addSum(batch.debit);
    sums.credit.addSum(batch.credit);
    sums.sideless.addSum(batch.sideless);
  }
}

export function checkBatchControl(view: RecordView, batch: OpenBatch, settings: NachaSettings, findings: Findings): void {
  const { header } = batch;
  const match = (rule: NachaRuleId, name: string, of: number): void => {
    if (!view.isReadable(name) || Number.isNaN(of)) return;
    const declared = view.fieldNumber(name);
    if (declared !== of) findings.field(rule, view, name, `the batch control has ${declared}, its header ${of}`);
  };
  match('service-class-match', 'serviceClassCode', header.serviceClass);
  if (header.kind === 'standard' && view.fieldText('companyIdentification').trim() !== header.companyIdentification)
    findings.field('company-identification-match', view, 'companyIdentification', 'it is not that of the batch header');
  match('odfi-match', 'ODFIIdentification', header.odfi);
  match('batch-number-match', 'batchNumber', header.batchNumber);
  compare(view, 'entryAddendaCount', BigInt(batch.records), 'batch-entry-count', findings);
  if (!batch.isComputable) return;
  compare(view, 'entryHash', BigInt(batch.hash), 'batch-hash', findings);
  compareAmounts(view, 'batch', batch, findings);
  if (!batch.isSided) return;
  const [debit, credit] = [batch.debit.value, batch.credit.value];
  if (settings.balancedOffset === 'require' && debit !== credit)
    findings.record('batch-unbalanced', view, `debits are ${decimalText(debit, 2)}, credits ${decimalText(credit, 2)}`);
}

export interface FileAmounts {
  readonly debit: ExactSum;
  readonly credit: ExactSum;
  readonly sideless: ExactSum;
}

/** Of a batch or a file. */
interface ComparedAmounts extends FileAmounts {
  readonly isSided: boolean;
}

/** `isComputable`: every entry of the file could be read. */
export function checkFileControl(
  view: RecordView,
  { totals, amounts, isComputable }: { readonly totals: FileTotals; readonly amounts: ComparedAmounts; readonly isComputable: boolean },
  findings: Findings,
): void {
  compare(view, 'batchCount', BigInt(totals.batches), 'file-batch-count', findings);
  compare(view, 'entryAddendaCount', BigInt(totals.records), 'file-entry-count', findings);
  if (!isComputable) return;
  compare(view, 'entryHash', BigInt(totals.hash), 'file-hash', findings);
  compareAmounts(view, 'file', amounts, findings);
}

/** When the whole file was read: `records` are those without the filler. */
export function checkBlocks(
  { place, declared, records, filler }: { place: RecordPlace; declared: number; records: number; filler: number },
  findings: Findings,
): void {
  const blocks = Math.ceil(records / 10);
  if (declared !== blocks && declared !== 0)
    findings.field('block-count', place, 'blockCount', `the block count is ${declared}, computed ${blocks}`);
  if ((records + filler) % 10 !== 0)
    findings.record('filler-count', place, `there are ${records + filler} records with ${filler} of filler, which is no multiple of ten`);
}

/** Where an entry is neither debit nor credit, both totals together are compared with the amounts of all entries, and none is less than its own. */
function compareAmounts(view: RecordView, whole: 'batch' | 'file', amounts: ComparedAmounts, findings: Findings): void {
  const { debit, credit, sideless, isSided } = amounts;
  if (isSided) {
    compare(view, 'totalDebit', debit.value, `${whole}-debit`, findings, dollars);
    compare(view, 'totalCredit', credit.value, `${whole}-credit`, findings, dollars);
    return;
  }
  if (!view.isReadable('totalDebit') || !view.isReadable('totalCredit')) return;
  const [debits, credits] = [declaredNumber(view, 'totalDebit'), declaredNumber(view, 'totalCredit')];
  const computed = debit.value + credit.value + sideless.value;
  if (debits + credits !== computed) {
    const message = `debits and credits declared ${dollars(debits + credits)}, computed ${dollars(computed)}`;
    findings.field(`${whole}-debit`, view, 'totalDebit', message);
  } else if (debits < debit.value)
    findings.field(`${whole}-debit`, view, 'totalDebit', `declared ${dollars(debits)}, computed ${dollars(debit.value)} at the least`);
  else if (credits < credit.value)
    findings.field(`${whole}-credit`, view, 'totalCredit', `declared ${dollars(credits)}, computed ${dollars(credit.value)} at the least`);
}

/** Of cents. */
const dollars = (cents: bigint): string => decimalText(cents, 2);

function compare(
  view: RecordView,
  name: string,
  computed: bigint,
  rule: NachaRuleId,
  findings: Findings,
  text: (value: bigint) => string = String,
): void {
  if (!view.isReadable(name)) return;
  const declared = declaredNumber(view, name);
  if (declared !== computed) findings.field(rule, view, name, `declared ${text(declared)}, computed ${text(computed)}`);
}

export function declaredNumber(view: RecordView, name: string): bigint {
  const { at, length } = view.field(name);
  return length > 15 ? view.bigNumber(at, length) : BigInt(view.number(at, length));
}
