/** What an entry has to hold by itself, when its record is read; its addenda are still to come. */
import { cardTransactionTypes, isAdvice, isCredit, isDebit, isPrenote, loanDebit, transactionCodes } from './code-tables.ts';
import type { Findings } from './findings.ts';
import type { NachaSettings } from './nacha-settings.ts';
import type { OpenBatch } from './open-batch.ts';
import type { OpenEntry } from './open-entry.ts';
import type { RecordView } from './record-view.ts';
import { checkDigitOf, isRoutingNumber } from './routing-number.ts';
import type { SecClass } from './sec-classes.ts';

/** The same columns in each layout of an entry. */
const routingAt = 3;
const checkDigitAt = 11;
const zero = 0x30;
const space = 0x20;

export interface EntryColumns {
  readonly amountAt: number;
  readonly amountLength: number;
}

/** Takes the numbers of an entry into itself and its batch. */
export function readEntry(view: RecordView, { amountAt, amountLength }: EntryColumns, entry: OpenEntry, batch: OpenBatch): void {
  const isWhole = view.unreadable.length === 0;
  batch.entries++;
  batch.records++;
  entry.transactionCode = isWhole || view.isReadable('transactionCode') ? view.number(1, 2) : Number.NaN;
  entry.codeBits = Number.isNaN(entry.transactionCode) ? 0 : transactionCodes[entry.transactionCode]!;
  entry.amount = isWhole || view.isReadable('amount') ? view.number(amountAt, amountLength) : Number.NaN;
  entry.indicator = view.byte(78) - zero;
  if (!isWhole && !(view.isReadable('transactionCode') && view.isReadable('amount') && view.isReadable('RDFIIdentification')))
    batch.isComputable = false;
  batch.addHash(view.number(routingAt, 8));
  if (Number.isNaN(entry.amount)) return;
  if ((entry.codeBits & isCredit) !== 0) batch.credit.add(entry.amount);
  else if ((entry.codeBits & isDebit) !== 0) batch.debit.add(entry.amount);
  else batch.sideless.add(entry.amount);
}

export function checkEntry(view: RecordView, entry: OpenEntry, batch: OpenBatch, settings: NachaSettings, findings: Findings): void {
  const { sec, kind } = batch.header;
  checkRouting(view, findings);
  if (kind !== 'adv') checkTrace(view, entry, batch, findings);
  if (kind === 'standard') {
    if (settings.balancedOffset !== 'ignore') entry.isOffset = /^OFFSET *$/i.test(view.fieldText('individualName'));
    if (sec.countsAddenda) entry.declaredAddenda = numberOrNaN(view.text(54, 4));
    if (sec.blankName !== 'allowed') checkName(view, sec, findings);
    checkSpecialFields(view, batch, findings);
  } else if (kind === 'adv') checkAdvice(view, batch, findings);
  else if (kind === 'iat') entry.declaredAddenda = view.isReadable('addendaRecords') ? view.number(12, 4) : Number.NaN;
  checkTransactionCode(view, entry, batch, findings);
}

function checkRouting(view: RecordView, findings: Findings): void {
  if (view.unreadable.length > 0 && !(view.isReadable('RDFIIdentification') && view.isReadable('checkDigit'))) return;
  const computed = checkDigitOf(view.bytes, view.at + routingAt);
  // Nothing has a check digit too: zero.
  if (computed === 0 && view.isNothing(routingAt, 8)) {
    findings.field('field-blank', view, 'RDFIIdentification', 'a mandatory field is blank or zero');
    return;
  }
  if (view.original?.[checkDigitAt] === space) {
    findings.field('check-digit', view, 'checkDigit', 'it is blank');
    return;
  }
  const declared = view.byte(checkDigitAt) - zero;
  if (declared !== computed) findings.field('check-digit', view, 'checkDigit', `the check digit is ${declared}, computed ${computed}`);
}

function checkTrace(view: RecordView, entry: OpenEntry, batch: OpenBatch, findings: Findings): void {
  const isReadable = view.unreadable.length === 0 || view.isReadable('traceNumber');
  entry.trace = isReadable ? view.number(79, 15) : Number.NaN;
  if (!isReadable) return;
  const sequence = entry.trace % 10_000_000;
  const odfi = (entry.trace - sequence) / 10_000_000;
  if (!Number.isNaN(batch.header.odfi) && odfi !== batch.header.odfi)
    findings.field('trace-number-odfi', view, 'traceNumber', 'it does not begin with the ODFI of the batch');
  if (entry.trace <= batch.lastTrace) findings.field('trace-number-order', view, 'traceNumber', 'it is not above that of the entry before');
  batch.lastTrace = entry.trace;
}

function checkName(view: RecordView, { blankName, isNameFirst, countsAddenda }: SecClass, findings: Findings): void {
  if (blankName === 'refused') {
    if (isNameFirst ? view.isNothing(39, 15) : view.isNothing(54, 22))
      findings.field('individual-name', view, 'individualName', 'it is blank or zero');
    return;
  }
  // Behind the number of addenda there are sixteen columns for it.
  const [at, length]: [number, number] = countsAddenda ? [58, 16] : [54, 22];
  if (view.isBlank(at, length))
    findings.field('field-blank-expected', view, 'individualName', 'the name of the receiver is blank', [at, length]);
}

function checkSpecialFields(view: RecordView, { header: { sec } }: OpenBatch, findings: Findings): void {
  if (sec.identification !== 'free') {
    const { at, length } = view.field('identificationNumber');
    if (sec.identification === 'check' && view.isBlank(at, length))
      findings.field('check-serial-number', view, 'identificationNumber', 'it is blank');
    else if (sec.identification === 'nonzero' && view.isNothing(at, length))
      findings.field('identification-number', view, 'identificationNumber', 'it is blank or zero');
  }
  if (sec.hasProcessControl) {
    if (view.isBlank(54, 6)) findings.field('process-control', view, 'individualName', 'the process control field is blank', [54, 6]);
    if (view.isBlank(60, 16)) findings.field('process-control', view, 'individualName', 'the item research number is blank', [60, 16]);
  }
  if (sec.hasCardType && !cardTransactionTypes.has(view.text(76, 2)))
    findings.field('card-transaction-type', view, 'discretionaryData', 'it is no card transaction type code');
  if (sec.hasPaymentType && !isPaymentType(view.byte(76), view.byte(77)))
    findings.field('payment-type', view, 'discretionaryData', 'the payment type code is neither R nor S');
  if (sec.hasCardExpiration && !/^(?:0[1-9]|1[0-2])(?:1[89]|[2-4][0-9]|50)$/.test(view.text(39, 4)))
    findings.field('card-expiration', view, 'identificationNumber', 'it does not begin with a month and a year', [39, 4]);
}

/** R or S, on either side of a space, or two spaces. */
function isPaymentType(first: number, second: number): boolean {
  const isLetter = (byte: number) => byte === 0x52 || byte === 0x53;
  return first === space ? second === space || isLetter(second) : second === space && isLetter(first);
}

function checkAdvice(view: RecordView, batch: OpenBatch, findings: Findings): void {
  if (!isRoutingNumber(view.text(39, 9))) findings.field('advice-routing-number', view, 'adviceRoutingNumber', 'it is no routing number');
  if (view.isReadable('julianDay') && view.number(87, 3) > 366) findings.field('advice-day', view, 'julianDay', 'it is no day of the year');
  if (!view.isReadable('sequenceNumber')) return;
  const sequence = view.number(90, 4);
  if (sequence !== 0 && sequence <= batch.lastAdvice)
    findings.field('advice-order', view, 'sequenceNumber', `the sequence number is ${sequence} after ${batch.lastAdvice}`);
  batch.lastAdvice = sequence;
}

function checkTransactionCode(view: RecordView, entry: OpenEntry, batch: OpenBatch, findings: Findings): void {
  const { sec, kind, serviceClass, originatorStatus, isReversal } = batch.header;
  const { transactionCode: code, codeBits: bits } = entry;
  if (Number.isNaN(code)) return;
  if (bits === 0) {
    batch.isSided = false;
    findings.field('transaction-code', view, 'transactionCode', `there is no transaction code ${code}`);
    return;
  }
  if ((bits & isAdvice) !== 0 && kind !== 'adv')
    findings.field('transaction-code-sec', view, 'transactionCode', `transaction code ${code} is for ADV entries only`);
  if (sec.code === 'DNE' && (bits & isPrenote) !== 0 && originatorStatus !== 2)
    findings.field('originator-dne', view, 'transactionCode', `the originator status code of the batch is ${originatorStatus}, not 2`);
  const side = sec.side === 'debit' ? isDebit : isCredit;
  if (sec.side !== null && (bits & side) === 0 && !entry.isOffset && !isReversal)
    findings.field(
      'transaction-code-sec',
      view,
      'transactionCode',
      `${sec.code} entries are ${sec.side}s, transaction code ${code} is none`,
    );
  if (code === loanDebit && !isReversal)
    findings.field('loan-debit', view, 'transactionCode', `transaction code ${code} is for reversals only`);
  const wanted = serviceClass === 220 ? isCredit : serviceClass === 225 ? isDebit : 0;
  if (wanted !== 0 && (bits & wanted) === 0)
    findings.field(
      kind === 'iat' ? 'iat-service-class' : 'transaction-code-service-class',
      view,
      'transactionCode',
      `transaction code ${code} does not fit service class ${serviceClass}`,
    );
}

function numberOrNaN(text: string): number {
  const digits = text.trim();
  return /^[0-9]*$/.test(digits) ? Number(digits) : Number.NaN;
}
