/**
 * The acknowledgement of a payment initiation in its own language: a pain.002 that says what became of the message, of its payment
 * informations and of its transactions. What transactions there are is told by the lines that the pack made of the file.
 */
import { fileErrors } from '../engine/engine-errors.ts';
import type { AcceptedStatus, Outcome } from '../formats/iso20022/status-report/outcomes.ts';
import { type ReportFacts, writePaymentStatusReport } from '../formats/iso20022/status-report/payment-status-report.ts';
import { reasonCode, type StatusReason } from '../formats/iso20022/status-report/reason-codes.ts';
import type { AcknowledgedFinding } from './acknowledged-finding.ts';
import { type PassedOn, passedOnOf, type UnknownRecords } from './passed-on.ts';
import type { Receipt } from './receipt.ts';

export interface StatusReportParts {
  readonly receipt: Receipt;
  /** In record order. */
  readonly findings: () => Iterable<AcknowledgedFinding>;
  /** Of the file, in order. */
  readonly lines: () => Iterable<string>;
  /** `file`: the message and its payment informations; `record`: the transactions that are rejected as well. */
  readonly level: 'file' | 'record';
  /** What transactions are that were accepted and passed on. */
  readonly acceptedAs: 'ACSP' | 'ACCP';
  readonly unknown: UnknownRecords;
}

/** Reasons of the message, or of one transaction; what is beyond is in the JSON acknowledgement. */
const reasonsMax = 10;
/** Payment informations without an identification have one in a status report all the same (EPC guidelines). */
const notProvided = 'NOTPROVIDED';
/** Versions of initiations whose answer is the third version of pain.002. */
const older = /^(pain\.001\.001\.0[3-6]|pain\.008\.001\.0[2-5])$/;

export function* statusReportPieces({ receipt, findings, lines, level, acceptedAs, unknown }: StatusReportParts): Generator<Uint8Array> {
  const { job, times } = receipt;
  const original = headerOf(lines);
  const messageName = original.messageName ?? null;
  const passedOn = passedOnOf(receipt, unknown);
  const isKeptBack = passedOn.keptBack > 0;
  const isRefused = job.verdict === 'rejected' || job.verdict === 'cancelled';
  const facts: ReportFacts = {
    version: messageName !== null && older.test(messageName) ? 'pain.002.001.03' : 'pain.002.001.10',
    // Two levels of one job are two messages.
    messageId: `${job.id.replaceAll('-', '')}-${level === 'file' ? 'F' : 'R'}`,
    createdAt: `${times.closedAt.slice(0, 19)}Z`,
    agent: null,
    original: {
      messageId: original.messageId ?? null,
      messageName,
      createdAt: original.creationDateTime ?? null,
      transactions: original.numberOfTransactions ?? null,
      controlSum: original.controlSum ?? null,
    },
    rejection: isRefused ? refusal(receipt, passedOn) : null,
    rejectedAs: passedOn.records > 0 ? 'PART' : passedOn.unknown > 0 ? 'PDNG' : 'RJCT',
    note: isKeptBack ? [narrative(keptBackText(passedOn, receipt.records.valid))] : [],
    listed: level === 'record' ? 'not accepted' : 'none',
  };
  yield* writePaymentStatusReport(facts, () => outcomes(findings, lines, isKeptBack ? 'ACTC' : acceptedAs));
}

function narrative(information: string): StatusReason {
  return { code: 'NARR', information };
}

function keptBackText({ keptBack, unknown, isExact }: PassedOn, valid: number): string {
  const text = `${isExact ? '' : 'at least '}${keptBack} of ${valid} valid transactions were not passed on`;
  return unknown === 0 ? `${text}; ask which` : `${text}, or it is not known whether they were (${unknown}); ask which`;
}

function refusal(receipt: Receipt, passedOn: PassedOn): StatusReason[] {
  const { job, records, reasons, errors } = receipt;
  const { unknown } = passedOn;
  const atLeast = passedOn.isExact ? '' : 'at least ';
  const of = `of ${records.valid} valid transactions`;
  if (passedOn.records > 0) {
    const more = unknown === 0 ? '' : `, of ${atLeast}${unknown} it is not known`;
    return [narrative(`the message was cancelled after ${atLeast}${passedOn.records} ${of} had been passed on${more}; ask which`)];
  }
  if (unknown > 0)
    return [narrative(`the message was cancelled; whether ${atLeast}${unknown} ${of} were passed on before is not known; ask`)];
  const found = firstCauses([...reasons, ...errors]).slice(0, reasonsMax);
  if (job.verdict === 'cancelled') return [narrative('the message was cancelled'), ...found].slice(0, reasonsMax);
  if (job.decision === null || found.length > 0) return found;
  return [narrative('the message was refused by a person')];
}

/** What the product finds missing or unreadable where the message is not valid by its schema. */
const ofUnreadable = new Set(
  ['REQUIRED', 'TYPE', 'INT', 'DECIMAL', 'DATE', 'EXPRESSION', 'CONTROL', 'ENVELOPE', 'TRUNCATED', 'EMPTY'].map((name) => `E_${name}`),
);
const ofSchema = /^E_(XML_|ISO20022_(SCHEMA|MESSAGE)$)/;
/** Totals are compared by the pack and by rules that it adds to the flow; those of an author may have names like theirs. */
const packTotals = new Set(['iso20022-number-of-transactions', 'iso20022-control-sum']);

/** Each fault once: without what only follows from one that has a code of its own. */
function firstCauses(findings: readonly Pick<AcknowledgedFinding, 'code' | 'rule' | 'message'>[]): StatusReason[] {
  const isBroken = findings.some(({ code }) => ofSchema.test(code));
  const isKnown = findings.some(({ code, rule }) => reasonCode(code, rule) !== 'NARR');
  const follows = ({ code, rule }: (typeof findings)[number]): boolean =>
    (isBroken && ofUnreadable.has(code)) || (isKnown && (code === fileErrors.E_ACCEPTANCE || packTotals.has(rule ?? '')));
  const causes = findings.filter((finding) => !follows(finding));
  const reasons = causes.map(({ code, rule, message }) => ({ code: reasonCode(code, rule), information: message }));
  return [...new Map(reasons.map((reason) => [JSON.stringify(reason), reason])).values()];
}

interface Header {
  readonly record: string;
  readonly messageName?: string;
  readonly messageId?: string | null;
  readonly creationDateTime?: string | null;
  readonly numberOfTransactions?: string | null;
  readonly controlSum?: string | null;
}

/** The first line, where the message was read so far. */
function headerOf(lines: StatusReportParts['lines']): Partial<Header> {
  for (const text of lines()) {
    const line = parseLine(text) as Header;
    return line.record === 'header' ? line : {};
  }
  return {};
}

interface Line {
  readonly record: string;
  /** Position of the payment information, as text. */
  readonly paymentInformationNumber?: string;
  readonly paymentInformationId?: string | null;
  readonly paymentNumberOfTransactions?: string | null;
  readonly paymentControlSum?: string | null;
  readonly instructionId?: string | null;
  readonly endToEndId?: string | null;
  readonly uetr?: string | null;
}

const recordStart = '{"record":"record",';
/** Where the pack writes it: most lines need not be read further. */
const positionOf = /^[^,]+,"line":[0-9]+,"offset":[0-9]+,"paymentInformationNumber":([0-9]+),/;
/**
 * Accepted transactions were valid, and are on their way (ACSP: preceding checks are done, and it is accepted for execution); where
 * some were not passed on, of which nobody is told, it is said of all that they were valid (ACTC).
 */
function* outcomes(findings: StatusReportParts['findings'], lines: StatusReportParts['lines'], status: AcceptedStatus): Generator<Outcome> {
  // Reports do not list it.
  const accepted: Outcome = { kind: 'transaction', instructionId: null, endToEndId: null, uetr: null, status, reasons: [] };
  const rejected = findings()[Symbol.iterator]();
  try {
    let next = rejected.next();
    let payment: string | null = null;
    let number = 0;
    for (const text of lines()) {
      if (!text.startsWith(recordStart)) continue;
      number++;
      const isNext = !next.done && next.value.record <= number;
      if (!isNext && payment !== null && positionOf.exec(text)?.[1] === payment) {
        yield accepted;
        continue;
      }
      const line = parseLine(text) as Line;
      const id = line.paymentInformationId ?? notProvided;
      const place = line.paymentInformationNumber ?? id;
      if (place !== payment) yield paymentOf(line, id);
      payment = place;
      const reasons: StatusReason[] = [];
      let isRejected = false;
      for (; !next.done && next.value.record <= number; next = rejected.next()) {
        isRejected = true;
        const { code, rule, message } = next.value;
        if (reasons.length < reasonsMax) reasons.push({ code: reasonCode(code, rule), information: message });
      }
      const { instructionId = null, endToEndId = null, uetr = null } = line;
      yield { kind: 'transaction', instructionId, endToEndId, uetr, status: isRejected ? 'RJCT' : status, reasons };
    }
  } finally {
    rejected.return?.(undefined);
  }
}

function paymentOf({ paymentNumberOfTransactions, paymentControlSum }: Line, id: string): Outcome {
  return { kind: 'payment', id, transactions: paymentNumberOfTransactions ?? null, controlSum: paymentControlSum ?? null, rejection: null };
}

/** Numbers are their texts, so that no digit of a sum is lost. */
function parseLine(text: string): unknown {
  const exact = (_: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? context!.source : value;
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown);
}
