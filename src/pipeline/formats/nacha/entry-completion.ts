/** What an entry has to hold together with its addenda, when the next record is none of them. */
import type { AddendaName } from './addenda-layouts.ts';
import { isCredit, isPrenote, isReturn, isZeroDollar, transactionCodes } from './code-tables.ts';
import type { Findings } from './findings.ts';
import type { NachaSettings } from './nacha-settings.ts';
import type { Category, OpenBatch } from './open-batch.ts';
import type { OpenEntry } from './open-entry.ts';
import type { SecClass } from './sec-classes.ts';

const iatAddenda: readonly AddendaName[] = ['addenda10', 'addenda11', 'addenda12', 'addenda13', 'addenda14', 'addenda15', 'addenda16'];
const returnAddenda: readonly AddendaName[] = ['addenda99', 'addenda99Dishonored', 'addenda99Contested'];
const notificationAddenda: readonly AddendaName[] = ['addenda98', 'addenda98Refused'];
const answerAddenda: ReadonlySet<AddendaName> = new Set([...returnAddenda, ...notificationAddenda]);
/** Classes whose dishonored and contested returns may have the addenda of the entry too; of their returns only those of CTX may. */
const dishonoredWithAddenda: ReadonlySet<string> = new Set(['ATX', 'CTX', 'PPD', 'TRX', 'WEB', '']);
const repeatable: ReadonlySet<AddendaName> = new Set(['addenda05', 'addenda17', 'addenda18']);

export function completeEntry(entry: OpenEntry, batch: OpenBatch, settings: NachaSettings, findings: Findings): void {
  const { sec, kind } = batch.header;
  noteCategory(entry, batch, findings);
  if (entry.addendaRecords > 0) checkKinds(entry, batch, findings);
  else if (entry.indicator === 1 && kind !== 'iat')
    findings.field('addenda-missing', entry, 'addendaRecordIndicator', 'the indicator is 1, but no addenda record follows');
  if (entry.category === 'Forward' && !entry.isOffset) checkForward(entry, batch, findings);
  else if (kind !== 'adv' && entry.codeBits !== 0 && !entry.isOffset) checkAnswer(entry, sec, findings);
  if (kind === 'iat') checkIat(entry, batch, findings);
  checkCounts(entry, sec, findings);
  if (!(entry.isOffset && settings.balancedOffset !== 'ignore')) checkAmount(entry, batch, findings);
}

function noteCategory(entry: OpenEntry, batch: OpenBatch, findings: Findings): void {
  const { category } = entry;
  if (category !== 'Forward') batch.answers ??= category;
  if (entry.isOffset) return;
  batch.category ??= category;
  if (category !== batch.category && category !== 'NOC')
    findings.record('category-mixed', entry, `an entry of category ${category} is in a batch of category ${batch.category}`);
}

function checkKinds(entry: OpenEntry, batch: OpenBatch, findings: Findings): void {
  const { sec, kind } = batch.header;
  const allowed = kind === 'iat' ? iatAllowed(entry.category) : standardAllowed(sec, entry.category);
  let answers = 0;
  for (const name of entry.addendaTypes) {
    if (!allowed.includes(name)) {
      findings.record('addenda-forbidden', entry, `an entry of class ${sec.code} and category ${entry.category} has ${name}`);
      continue;
    }
    if (answerAddenda.has(name)) answers++;
    if (entry.count(name) > 1 && !repeatable.has(name))
      findings.record('addenda-repeated', entry, `an entry has ${entry.count(name)} records ${name}`);
  }
  if (answers > 1) findings.record('answers-together', entry, `an entry has ${answers} kinds of addenda that answer another one`);
}

function standardAllowed(sec: SecClass, category: Category): readonly AddendaName[] {
  if (sec.addenda === '98' && category !== 'NOC') return [];
  switch (category) {
    case 'Forward':
      return sec.addenda === '02' || sec.addenda === '05' ? [`addenda${sec.addenda}`] : [];
    case 'NOC':
      return sec.addenda === '98' || sec.code === '' ? notificationAddenda : [];
    case 'DishonoredReturn':
    case 'DishonoredReturnContested':
      return dishonoredWithAddenda.has(sec.code) ? [...returnAddenda, 'addenda05'] : returnAddenda;
    case 'Return':
      return sec.code === 'CTX' || sec.code === '' ? [...returnAddenda, 'addenda05'] : returnAddenda;
  }
}

function iatAllowed(category: Category): readonly AddendaName[] {
  if (category === 'Forward') return [...iatAddenda, 'addenda17', 'addenda18'];
  return [...iatAddenda, ...(category === 'NOC' ? notificationAddenda : returnAddenda)];
}

function checkForward(entry: OpenEntry, { header: { sec } }: OpenBatch, findings: Findings): void {
  const { transactionCode: code, codeBits } = entry;
  const isRefused =
    sec.transactionCodes === null ? !sec.hasZeroDollar && (codeBits & isZeroDollar) !== 0 : !sec.transactionCodes.includes(code);
  if (codeBits !== 0 && isRefused)
    findings.field('transaction-code-sec', entry, 'transactionCode', `${sec.code} entries do not have transaction code ${code}`);
  else if ((codeBits & isReturn) !== 0 && sec.transactionCodes === null && sec.code !== '')
    findings.field(
      'return-transaction-code',
      entry,
      'transactionCode',
      `transaction code ${code} is one of returns, but no addenda 99 follows`,
    );
  else if (
    (codeBits & isZeroDollar) !== 0 &&
    sec.transactionCodes === null &&
    sec.addenda === '05' &&
    sec.code !== '' &&
    !entry.count('addenda05')
  )
    findings.record('zero-dollar-addenda', entry, `transaction code ${code} is for remittance data, and no addenda 05 follows`);
  if (!sec.needsAddenda) return;
  const wanted = sec.addenda === '98' ? 'addenda98' : sec.addenda === '02' ? 'addenda02' : 'addenda05';
  if (entry.count(wanted) === 0) findings.record('addenda-required', entry, `a ${sec.code} entry has no ${wanted}`);
}

function checkAnswer(entry: OpenEntry, sec: SecClass, findings: Findings): void {
  const { transactionCode: code, codeBits } = entry;
  if ((codeBits & isReturn) === 0)
    findings.field(
      entry.category === 'NOC' ? 'transaction-code-sec' : 'return-transaction-code',
      entry,
      'transactionCode',
      `transaction code ${code} is not one of returns and notifications`,
    );
  else if (sec.transactionCodes !== null && !sec.transactionCodes.some((forward) => isAnsweredBy(forward, code)))
    findings.field('transaction-code-sec', entry, 'transactionCode', `no ${sec.code} entry is returned with transaction code ${code}`);
}

/** Of the same account and side: the first digit of a code is the account. */
function isAnsweredBy(forward: number, code: number): boolean {
  return Math.floor(forward / 10) === Math.floor(code / 10) && ((transactionCodes[forward]! ^ transactionCodes[code]!) & isCredit) === 0;
}

function checkIat(entry: OpenEntry, { header: { sec } }: OpenBatch, findings: Findings): void {
  const isNotification = entry.category === 'NOC';
  if (isNotification !== (sec.code === 'COR')) {
    const found = isNotification ? 'a notification of change is in a batch of IAT' : 'an entry is in a batch of notifications of change';
    findings.record('iat-noc', entry, found);
  }
  if (!isNotification) {
    const missing = iatAddenda.filter((name) => entry.count(name) === 0);
    if (missing.length > 0) findings.record('iat-addenda-required', entry, `an IAT entry has no ${missing.join(', ')}`);
  }
  const { declaredAddenda } = entry;
  if (declaredAddenda !== null && declaredAddenda !== entry.addendaRecords && !Number.isNaN(declaredAddenda))
    findings.field(
      'iat-addenda-count',
      entry,
      'addendaRecords',
      `${declaredAddenda} addenda records declared, ${entry.addendaRecords} read`,
    );
}

function checkCounts(entry: OpenEntry, sec: SecClass, findings: Findings): void {
  refuseMore('addenda05', sec.addendaMax, entry, findings);
  refuseMore('addenda17', 2, entry, findings);
  refuseMore('addenda18', 5, entry, findings);
  if (!sec.countsAddenda || entry.isOffset || entry.declaredAddenda === entry.addendaRecords) return;
  // What answers an entry has its number, not one of its own.
  if (entry.category !== 'Forward' && !Number.isNaN(entry.declaredAddenda)) return;
  const declared = Number.isNaN(entry.declaredAddenda) ? 'no number of' : entry.declaredAddenda;
  const message = `${declared} addenda records declared, ${entry.addendaRecords} read`;
  findings.field('addenda-count-field', entry, 'individualName', message, [54, 4]);
}

function refuseMore(name: AddendaName, max: number, entry: OpenEntry, findings: Findings): void {
  const count = entry.count(name);
  if (count > max) findings.record('addenda-maximum', entry, `an entry has ${count} records ${name}, at most ${max} are allowed`);
}

function checkAmount(entry: OpenEntry, { header: { sec, isPrenotification } }: OpenBatch, findings: Findings): void {
  const { amount, codeBits, category } = entry;
  if (Number.isNaN(amount) || codeBits === 0 || sec.amount === 'free') return;
  const isIat = sec.amount === 'iat';
  const isZeroWanted = sec.amount === 'zero' || category === 'NOC' || (codeBits & (isPrenote | isZeroDollar)) !== 0;
  if (isZeroWanted) {
    if (amount !== 0) findings.field(isIat ? 'iat-amount' : 'amount-nonzero', entry, 'amount', 'the amount is not zero');
    return;
  }
  if (amount === 0 && isPrenotification) return;
  if (amount === 0) {
    const isReturned = category !== 'Forward' || (codeBits & isReturn) !== 0;
    const rule = isIat ? 'iat-amount' : 'amount-zero';
    findings.field(isReturned ? 'amount-zero-return' : rule, entry, 'amount', 'the amount is zero');
  } else if (amount > sec.amountMaxCents)
    findings.field('amount-limit', entry, 'amount', `the amount is above ${sec.amountMaxCents / 100}.00, the most of ${sec.code} entries`);
}
