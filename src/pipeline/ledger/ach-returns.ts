/**
 * The acknowledgement of an ACH file in its own language: a file of returns, an entry for each one that was rejected. The codes are
 * those of the flow's rules, where they are return reason codes; what a pack or a flow finds otherwise has the nearest one.
 */
import { HeadgateError } from '../../platform/base/errors.ts';
import { AnswerMaking } from '../formats/nacha/making/answer-making.ts';
import { nachaErrors } from '../formats/nacha/nacha-errors.ts';
import { nachaSettingList } from '../formats/nacha/nacha-settings.ts';
import { writerSettingList } from '../formats/nacha/writing/writer-settings.ts';
import type { PackSettings } from '../formats/pack.ts';
import type { AcknowledgedFinding } from './acknowledged-finding.ts';
import type { Receipt } from './receipt.ts';

export interface ReturnFileParts {
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
const returnsMax = 100_000;
/** Entry that does not meet the edit criteria of the receiver (Nacha Operating Rules, Appendix Four). */
const editCriteria = 'R17';
/** By rule of the pack: check digit, mandatory field, amount, trace number, addenda (Appendix Four). */
const codes: readonly (readonly [rules: RegExp, code: string])[] = [
  [/^check-digit$/, 'R28'],
  [/^individual-name$/, 'R26'],
  [/^amount-/, 'R19'],
  [/^trace-/, 'R27'],
  [/^addenda-/, 'R25'],
];
/** Return reason codes that need nothing but themselves: a death needs its date, the others answer returns. */
const returnCode = /^R(0[1-9]|1[0-36-9]|2[0-9]|3[0-9]|4[0-7]|5[0-3]|8[0-5])$/;
/** Columns of the information in addenda 99. */
const informationLength = 44;

/** Fails with E_NACHA_ANSWER where no entry can be returned. */
export function* returnFilePieces(parts: ReturnFileParts): Generator<Uint8Array> {
  const { receipt, original, settings } = parts;
  const pieces: Uint8Array[] = [];
  const writing: PackSettings = new Map([
    ...writerSettingList.map(({ name, default: value }) => [name, value] as const),
    ...nachaSettingList.map(({ name, default: value }) => [name, settings[name] ?? value] as const),
    ['findings', 'keep'],
  ]);
  const sink = { begin: () => ({ bytes: (piece: Uint8Array) => void pieces.push(Buffer.from(piece)) }) };
  const making = new AnswerMaking(writing, sink, { takesFaultyFiles: true });
  const day = receipt.times.closedAt.slice(2, 10).replaceAll('-', '');
  const time = receipt.times.closedAt.slice(11, 16).replace(':', '');
  making.pushDocument(
    Buffer.from(JSON.stringify({ fileHeader: { fileCreationDate: day, fileCreationTime: time }, entries: returnsOf(parts) })),
  );
  making.beginFile(receipt.file.container.name);
  for (const piece of original()) making.push(piece);
  making.endFile();
  making.end();
  yield* pieces;
}

interface Return {
  readonly traceNumber: string;
  readonly code: string;
  readonly addendaInformation?: string;
}

function returnsOf({ findings, lines }: ReturnFileParts): Return[] {
  const wanted = codesByRecord(findings());
  const found = new Map<string, Return>();
  const traces = new Set<string>();
  let number = 0;
  for (const text of lines()) {
    const line = JSON.parse(text) as { record: string; traceNumber?: string | null; category?: string; standardEntryClassCode?: string };
    if (line.record !== 'record') continue;
    const code = wanted.get(++number);
    const trace = line.traceNumber ?? '';
    // A trace number that two entries have tells neither of them.
    if (traces.has(trace)) found.delete(trace);
    else if (code !== undefined && line.category === 'Forward' && line.standardEntryClassCode !== 'ADV' && /^[0-9]{15}$/.test(trace))
      found.set(trace, { traceNumber: trace, ...code });
    traces.add(trace);
  }
  if (found.size === 0)
    throw new HeadgateError(
      nachaErrors.E_NACHA_ANSWER,
      'of the rejected entries none can be returned: returns answer entries with a trace number of their own',
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
    const nearest = codes.find(([rules]) => rule !== null && rules.test(rule))?.[1] ?? editCriteria;
    byRecord.set(record, { code: isOwn ? code : nearest, addendaInformation: informationOf(message), isOwn });
  }
  return new Map([...byRecord].map(([record, { code, addendaInformation }]) => [record, { code, addendaInformation }]));
}

/** In the characters of an addenda record. */
function informationOf(message: string): string {
  return message
    .replace(/[^\x20-\x7e]/g, ' ')
    .slice(0, informationLength)
    .trim();
}
