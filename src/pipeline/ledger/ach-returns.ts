/**
 * The acknowledgement of an ACH file in its own language: a file of returns, an entry for each one that was rejected. The codes are
 * those of the flow's rules, where they are return reason codes; what a pack or a flow finds otherwise has the nearest one.
 */
import { HeadgateError } from '../../platform/base/errors.ts';
import { isAdvice, transactionCodes } from '../formats/nacha/code-tables.ts';
import { AnswerMaking } from '../formats/nacha/making/answer-making.ts';
import { iatInformationLength } from '../formats/nacha/making/answered-records.ts';
import { nachaErrors } from '../formats/nacha/nacha-errors.ts';
import { nachaSettingList } from '../formats/nacha/nacha-settings.ts';
import { secClasses } from '../formats/nacha/sec-classes.ts';
import { writerSettingList } from '../formats/nacha/writing/writer-settings.ts';
import type { PackSettings } from '../formats/pack.ts';
import type { AcknowledgedFinding } from './acknowledged-finding.ts';
import type { Receipt } from './receipt.ts';

export interface ReturnNumbers {
  /** Of the file among those that its flow returned, from 1. */
  readonly file: number;
  /** Of its first entry among all that the flow returned, from 1; the others follow it. */
  readonly firstEntry: number;
}

export interface ReturnFileParts {
  /** Null: nobody was to be told, so that there are none; they are those of the first file then. */
  readonly numbers: ReturnNumbers | null;
  readonly receipt: Receipt;
  /** In record order. */
  readonly findings: () => Iterable<AcknowledgedFinding>;
  /** Of the file, in order. */
  readonly lines: () => Iterable<string>;
  /** The ACH file as it was received. */
  readonly original: () => Iterable<Uint8Array>;
  /** Of the flow's format. */
  readonly settings: Readonly<Record<string, string | boolean | number | null>>;
}

/** Of one file; more is said by the other acknowledgements. */
export const returnsMax = 100_000;
/** The end of a trace number has seven digits, and is not zero. */
export const traceSequences = 9_999_999;
/** By which files of one day between the same two are told apart (Nacha Operating Rules, Appendix Three, file ID modifier). */
const modifiers = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
/** Entry that does not meet the edit criteria of the receiver (Nacha Operating Rules, Appendix Four). */
const editCriteria = 'R17';
/** Rules of a flow have names and codes of its author. */
const isOfPack = /^E_NACHA_/;
/** By rule of the pack: check digit, mandatory field, amount, trace number, addenda (Appendix Four). */
const codes: readonly (readonly [rules: RegExp, code: string])[] = [
  [/^check-digit$/, 'R28'],
  [/^(individual-name|field-blank)$/, 'R26'],
  [/^amount-/, 'R19'],
  [/^trace-/, 'R27'],
  [/^addenda-/, 'R25'],
];
/** Return reason codes that need nothing but themselves: a death needs its date, the others answer returns. */
const returnCode = /^R(0[1-9]|1[0-36-9]|2[0-9]|3[0-9]|4[0-7]|5[0-3]|8[0-5])$/;
/** Columns of the information in addenda 99. */
const informationLength = 44;

/** Some pieces are empty. Fails with E_NACHA_ANSWER where no entry can be returned. */
export function* returnFilePieces(parts: ReturnFileParts): Generator<Uint8Array> {
  const { receipt, original, settings } = parts;
  // Who sent the file is to be told once: it was refused as a whole, or withdrawn.
  if (receipt.job.verdict === 'rejected' || receipt.job.verdict === 'cancelled')
    throw new HeadgateError(
      nachaErrors.E_NACHA_ANSWER,
      `the file was ${receipt.job.verdict} as a whole: no entry of it is returned by itself`,
    );
  const { file, firstEntry } = parts.numbers ?? { file: 1, firstEntry: 1 };
  const pieces: Uint8Array[] = [];
  const writing: PackSettings = new Map([
    ...writerSettingList.map(({ name, default: value }) => [name, value] as const),
    ...nachaSettingList.map(({ name, default: value }) => [name, settings[name] ?? value] as const),
    ['findings', 'keep'],
    ['firstSequence', ((firstEntry - 1) % traceSequences) + 1],
  ]);
  const sink = { begin: () => ({ bytes: (piece: Uint8Array) => void pieces.push(Buffer.from(piece)) }) };
  const making = new AnswerMaking(writing, sink, { takesFaultyFiles: true });
  const day = receipt.times.closedAt.slice(2, 10).replaceAll('-', '');
  const time = receipt.times.closedAt.slice(11, 16).replace(':', '');
  const entries = yield* returnsOf(parts);
  const fileHeader = { fileCreationDate: day, fileCreationTime: time, fileIDModifier: modifiers[(file - 1) % modifiers.length] };
  making.pushDocument(Buffer.from(JSON.stringify({ fileHeader, entries })));
  making.beginFile(receipt.file.container.name);
  for (const piece of original()) {
    making.push(piece);
    yield noBytes;
  }
  making.endFile();
  making.end();
  yield* pieces;
}

const recordStart = '{"record":"record",';
/** In a line: inside a text a quote has a backslash before it. */
const traceOf = /,"traceNumber":"([0-9]{15})"/;
/** After so many lines an empty piece is given: others may want their turn. */
const linesAtOnce = 4_096;
const noBytes = new Uint8Array(0);

interface Line {
  readonly traceNumber?: string | null;
  readonly category?: string;
  readonly standardEntryClassCode?: string;
  readonly transactionCode?: number | null;
  readonly ODFIIdentification?: string | null;
  readonly RDFIIdentification?: string | null;
  readonly debit?: unknown;
  readonly credit?: unknown;
}

const bank = /^[0-9]{8}$/;
/** Advices, and notifications of change, which are refused and not returned (Appendix Five). */
const notReturned: ReadonlySet<string> = new Set(['ADV', 'COR']);

/** A forward one of a class of the Rules that goes back to somebody: with a trace number, both banks, and an amount on one of both sides. */
function canBeReturned(line: Line): boolean {
  const {
    traceNumber,
    category,
    standardEntryClassCode = '',
    transactionCode,
    ODFIIdentification,
    RDFIIdentification,
    debit,
    credit,
  } = line;
  if (category !== 'Forward' || notReturned.has(standardEntryClassCode) || !secClasses.has(standardEntryClassCode)) return false;
  if (!/^[0-9]{15}$/.test(traceNumber ?? '') || (transactionCodes[transactionCode ?? 0]! & isAdvice) !== 0) return false;
  return (
    bank.test(ODFIIdentification ?? '') && bank.test(RDFIIdentification ?? '') && (typeof debit === 'number' || typeof credit === 'number')
  );
}

interface Return {
  readonly traceNumber: string;
  readonly code: string;
  readonly addendaInformation: string;
}

/** Twice through the lines: the entries that are wanted, then how often their trace numbers come. Holds no more than is returned. */
function* returnsOf({ findings, lines }: ReturnFileParts): Generator<Uint8Array, Return[]> {
  const wanted = codesByRecord(findings());
  const found = new Map<string, Return>();
  const unclear = new Set<string>();
  let number = 0;
  for (const text of lines()) {
    if (!text.startsWith(recordStart)) continue;
    if (++number % linesAtOnce === 0) yield noBytes;
    const code = wanted.get(number);
    if (code === undefined) continue;
    const line = JSON.parse(text) as Line;
    if (!canBeReturned(line)) continue;
    const trace = line.traceNumber!;
    if (found.has(trace)) unclear.add(trace);
    const addendaInformation =
      line.standardEntryClassCode === 'IAT' ? code.addendaInformation.slice(0, iatInformationLength) : code.addendaInformation;
    found.set(trace, { traceNumber: trace, code: code.code, addendaInformation });
  }
  number = 0;
  // A trace number that two entries have tells neither of them.
  const seen = new Set<string>();
  for (const text of found.size === 0 ? [] : lines()) {
    if (++number % linesAtOnce === 0) yield noBytes;
    const trace = traceOf.exec(text)?.[1];
    if (trace === undefined || !found.has(trace)) continue;
    if (seen.has(trace)) unclear.add(trace);
    seen.add(trace);
  }
  for (const trace of unclear) found.delete(trace);
  if (found.size === 0)
    throw new HeadgateError(
      nachaErrors.E_NACHA_ANSWER,
      'of the rejected entries none can be returned: returns answer entries with a trace number of their own, both banks, an amount, and a class and a transaction code of the Rules',
    );
  return [...found.values()];
}

/** Of each rejected record its first return reason code, else the nearest to its first finding. */
function codesByRecord(findings: Iterable<AcknowledgedFinding>): ReadonlyMap<number, Omit<Return, 'traceNumber'>> {
  const byRecord = new Map<number, Omit<Return, 'traceNumber'> & { readonly isOwn: boolean }>();
  for (const { record, code, rule, message } of findings) {
    const known = byRecord.get(record);
    const isOwn = returnCode.test(code);
    if (known !== undefined && (known.isOwn || !isOwn)) continue;
    if (known === undefined && byRecord.size === returnsMax)
      throw new HeadgateError(nachaErrors.E_NACHA_LIMIT, `more than ${returnsMax} entries are rejected: they are not returned in one file`);
    const nearest = codes.find(([rules]) => isOfPack.test(code) && rules.test(rule ?? ''))?.[1] ?? editCriteria;
    byRecord.set(record, { code: isOwn ? code : nearest, addendaInformation: informationOf(message), isOwn });
  }
  return new Map([...byRecord].map(([record, { code, addendaInformation }]) => [record, { code, addendaInformation }]));
}

/** Where in the file it was: the return names the entry by its trace number. */
const place = /^line \d{1,16}(?:, columns \d{1,16} to \d{1,16})?(?:, [A-Za-z]{1,80})?: /;

/** In the characters of an addenda record. */
function informationOf(message: string): string {
  return message
    .replace(place, '')
    .replace(/[^\x20-\x7e]/g, ' ')
    .slice(0, informationLength)
    .trim();
}
