/**
 * Writes a pain.002: what became of a payment initiation, at the level of the message, of each payment information and of single
 * transactions. Statuses stand before what they are made of, so the outcomes are read three times and never held: once for the
 * message, then for each payment information once to count and once to write. Memory does not grow with their number.
 */

import { CheckedOutput } from '../../writing/checked-output.ts';
import { namespacePrefix } from '../definitions/messages.ts';
import { iso20022Errors } from '../iso20022-errors.ts';
import { Iso20022Reader } from '../iso20022-reader.ts';
import { iso20022Settings } from '../iso20022-settings.ts';
import { OutcomeCursor } from './outcome-cursor.ts';
import type { GroupStatus, Outcomes, PaymentOutcome, TransactionOutcome, TransactionStatus } from './outcomes.ts';
import { StatusTally } from './outcomes.ts';
import type { StatusReason } from './reason-codes.ts';
import {
  countElements,
  element,
  identification,
  optionalIdentification,
  reasonElements,
  textElement,
  typedElement,
} from './report-elements.ts';

export const reportVersions = ['pain.002.001.03', 'pain.002.001.10', 'pain.002.001.11'] as const;

export interface ReportFacts {
  readonly version: (typeof reportVersions)[number];
  /** Of the report: at most 35 characters, unique for its receiver. */
  readonly messageId: string;
  /** Of the report, as `2026-03-02T10:00:00Z`. */
  readonly createdAt: string;
  /** BIC of the bank that reports; null: none is named. */
  readonly agent: { readonly role: 'DbtrAgt' | 'CdtrAgt' | 'FwdgAgt'; readonly bic: string } | null;
  readonly original: {
    readonly messageId: string | null;
    /** As `pain.001.001.09`. */
    readonly messageName: string | null;
    readonly createdAt: string | null;
    /** As the group header declares them. */
    readonly transactions: string | null;
    readonly controlSum: string | null;
  };
  /** Why the message is rejected as a whole; its outcomes are not asked for then. Null: it is not. */
  readonly rejection: readonly StatusReason[] | null;
  /** Of a message that is not rejected: what is said of it beside its status. */
  readonly note?: readonly StatusReason[];
  /** Where some of a message that is rejected so was carried out before, of which nobody is told: PART; where nobody knows whether any was: PDNG. */
  readonly rejectedAs?: 'RJCT' | 'PART' | 'PDNG';
  /** Which transactions are listed: none, those that are not accepted, or all. */
  readonly listed: 'none' | 'not accepted' | 'all';
}

export interface ReportSummary {
  readonly groupStatus: GroupStatus | null;
  readonly transactions: Readonly<Record<string, number>>;
}

/** The statuses of nothing: an initiation without transactions is taken as it is. */
const statusOfNone: GroupStatus = 'ACTC';

/** After so many outcomes that give nothing to write, an empty piece is given: others may want their turn. */
const outcomesAtOnce = 4_096;
const noBytes = new Uint8Array(0);

/** Gives the bytes of the report in pieces, some of them empty. Throws E_ISO20022_DOCUMENT where a fact of the report itself breaks a rule. */
export function* writePaymentStatusReport(facts: ReportFacts, outcomes: Outcomes): Generator<Uint8Array, ReportSummary> {
  const pieces: Uint8Array[] = [];
  const settings = new Map(iso20022Settings.map(({ name, default: value }) => [name, value]));
  const output = new CheckedOutput({
    createReader: (sink) => new Iso20022Reader(settings, sink),
    code: iso20022Errors.E_ISO20022_DOCUMENT,
    pointerOf: ({ path }) => path ?? '',
    bytes: (piece) => void pieces.push(piece),
  });
  const tally = facts.rejection === null ? yield* tallyOf(facts, outcomes) : new StatusTally();
  const groupStatus = facts.rejection === null ? (tally.groupStatus ?? statusOfNone) : (facts.rejectedAs ?? 'RJCT');
  output.write(headOf(facts, groupStatus, tally));
  if (facts.rejection === null) {
    for (const text of paymentTexts(facts, outcomes, tally.total)) {
      if (text === '') yield noBytes;
      else output.write(text);
      yield* pieces.splice(0);
    }
  }
  output.write('</CstmrPmtStsRpt>\n</Document>\n');
  output.end();
  yield* pieces;
  return { groupStatus, transactions: Object.fromEntries(tally.counts) };
}

function headOf(
  { version, messageId, createdAt, agent, original, rejection, note = [] }: ReportFacts,
  status: GroupStatus,
  tally: StatusTally,
): string {
  const bankTag = version === 'pain.002.001.03' ? 'BIC' : 'BICFI';
  const bank = agent === null ? '' : element(agent.role, `<FinInstnId>${textElement(bankTag, agent.bic).trimEnd()}</FinInstnId>`);
  const header = element('GrpHdr', `\n${textElement('MsgId', messageId)}${textElement('CreDtTm', createdAt)}${bank}`);
  const group = [
    identification('OrgnlMsgId', original.messageId),
    identification('OrgnlMsgNmId', original.messageName),
    typedElement('OrgnlCreDtTm', original.createdAt, 'dateTime'),
    typedElement('OrgnlNbOfTxs', original.transactions, 'n15'),
    typedElement('OrgnlCtrlSum', original.controlSum, 'decimal'),
    textElement('GrpSts', status),
    reasonElements(rejection ?? (status === 'RJCT' ? [...note, ...tally.reasons] : note)),
    countElements(tally),
  ].join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="${namespacePrefix}${version}">\n<CstmrPmtStsRpt>\n${header}${element('OrgnlGrpInfAndSts', `\n${group}`)}`;
}

/** Texts of the payment informations, some of them empty. One cursor is a payment information ahead of the one that is written. */
function* paymentTexts(facts: ReportFacts, outcomes: Outcomes, expected: number): Generator<string> {
  const ahead = new OutcomeCursor(outcomes);
  const behind = new OutcomeCursor(outcomes);
  try {
    yield* paymentTextsOf(facts, { ahead, behind, expected });
  } finally {
    ahead.close();
    behind.close();
  }
}

interface Cursors {
  readonly ahead: OutcomeCursor;
  readonly behind: OutcomeCursor;
  /** Transactions that the first reading counted. */
  readonly expected: number;
}

function* paymentTextsOf(facts: ReportFacts, { ahead, behind, expected }: Cursors): Generator<string> {
  let written = 0;
  let read = 0;
  for (let payment = ahead.payment(); payment !== null; payment = ahead.payment()) {
    const tally = new StatusTally();
    for (let next = ahead.transaction(); next !== null; next = ahead.transaction()) {
      addTo(tally, facts, { payment, next });
      if (++read % outcomesAtOnce === 0) yield '';
    }
    yield paymentHead(payment, tally);
    if (behind.payment()?.id !== payment.id) throw new Error('the outcomes are not the same each time');
    for (let next = behind.transaction(); next !== null; next = behind.transaction()) {
      written++;
      const status = statusOf(payment, next);
      if (facts.listed === 'all' || (facts.listed !== 'none' && (status === 'RJCT' || status === 'PDNG') && payment.rejection === null))
        yield transactionText(next, status, facts.version);
      else if (written % outcomesAtOnce === 0) yield '';
    }
    yield '</OrgnlPmtInfAndSts>\n';
  }
  if (written !== expected) throw new Error('the outcomes are not the same each time');
}

function paymentHead({ id, transactions, controlSum, rejection }: PaymentOutcome, tally: StatusTally): string {
  const status = rejection === null ? (tally.groupStatus ?? statusOfNone) : 'RJCT';
  return [
    '<OrgnlPmtInfAndSts>\n',
    identification('OrgnlPmtInfId', id),
    typedElement('OrgnlNbOfTxs', transactions, 'n15'),
    typedElement('OrgnlCtrlSum', controlSum, 'decimal'),
    textElement('PmtInfSts', status),
    reasonElements(rejection ?? (status === 'RJCT' ? tally.reasons : [])),
    countElements(tally),
  ].join('');
}

function transactionText(
  { instructionId, endToEndId, uetr, reasons }: TransactionOutcome,
  status: TransactionStatus,
  version: string,
): string {
  const content = [
    optionalIdentification('OrgnlInstrId', instructionId),
    optionalIdentification('OrgnlEndToEndId', endToEndId),
    version === 'pain.002.001.03' ? '' : typedElement('OrgnlUETR', uetr, 'uuid'),
    textElement('TxSts', status),
    reasonElements(reasons),
  ].join('');
  return element('TxInfAndSts', `\n${content}`);
}

const statusOf = ({ rejection }: PaymentOutcome, { status }: TransactionOutcome): TransactionStatus =>
  rejection === null ? status : 'RJCT';

/** Where transactions are listed, each has its reasons. */
function addTo(
  tally: StatusTally,
  { listed }: ReportFacts,
  { payment, next }: { readonly payment: PaymentOutcome; readonly next: TransactionOutcome },
): void {
  tally.add(statusOf(payment, next));
  if (listed === 'none') tally.addReasons(payment.rejection ?? next.reasons);
}

function* tallyOf(facts: ReportFacts, outcomes: Outcomes): Generator<Uint8Array, StatusTally> {
  const tally = new StatusTally();
  const cursor = new OutcomeCursor(outcomes);
  try {
    for (let payment = cursor.payment(); payment !== null; payment = cursor.payment())
      for (let next = cursor.transaction(); next !== null; next = cursor.transaction()) {
        addTo(tally, facts, { payment, next });
        if (tally.total % outcomesAtOnce === 0) yield noBytes;
      }
  } finally {
    cursor.close();
  }
  return tally;
}
