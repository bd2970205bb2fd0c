/**
 * The acknowledgement of a file for its sender, from its receipt: what became of the file, and of which records it is not so.
 * The same bytes for one closed job. Holds codes, names of fields and record numbers, and what the author says of a rule; no
 * content of a record, and nothing about where records go.
 */

import { stageTexts } from '../engine/amount-texts.ts';
import { type ReturnFileParts, returnFilePieces } from './ach-returns.ts';
import type { AcknowledgedFinding } from './acknowledged-finding.ts';
import { passedOnOf, type UnknownRecords } from './passed-on.ts';
import { statusReportPieces } from './payment-status.ts';
import type { Receipt } from './receipt.ts';

export const acknowledgementLevels = ['file', 'record'] as const;
export const acknowledgementFormats = ['json', 'csv', 'pain.002', 'nacha'] as const;

export interface AcknowledgementForm {
  /** The file alone, or every rejected record too. */
  readonly level: (typeof acknowledgementLevels)[number];
  readonly format: (typeof acknowledgementFormats)[number];
}

/** What stands behind an acknowledgement; asked for while its pieces are taken. */
export interface AcknowledgementSource {
  /** In record order. */
  readonly findings: () => Iterable<AcknowledgedFinding>;
  /** Of the file, in order, without their line ends. */
  readonly lines: () => Iterable<string>;
  /** The file as it was received. */
  readonly original: () => Iterable<Uint8Array>;
  /** Of the pack that the flow's format is; none where it is none. */
  readonly settings: ReturnFileParts['settings'];
  /** What a pain.002 says of accepted transactions. */
  readonly acceptedAs: 'ACSP' | 'ACCP';
  /** Empty where nobody is told. */
  readonly unknown: UnknownRecords;
  /** Of a file of returns. */
  readonly numbers: ReturnFileParts['numbers'];
}

const pieceBytes = 64 * 1024;

export function acknowledgementPieces(
  receipt: Receipt,
  source: AcknowledgementSource,
  { level, format }: AcknowledgementForm,
): Generator<Uint8Array> {
  const { findings, lines, acceptedAs, unknown } = source;
  const ofRecords = level === 'record' ? findings : () => [];
  switch (format) {
    case 'json':
      return joined(jsonTexts(receipt, level, ofRecords, unknown));
    case 'csv':
      return joined(csvTexts(receipt, level, ofRecords, unknown));
    case 'pain.002':
      return statusReportPieces({ receipt, findings, lines, level, acceptedAs, unknown });
    case 'nacha':
      return returnFilePieces({ receipt, ...source });
  }
}

function* jsonTexts(
  receipt: Receipt,
  level: AcknowledgementForm['level'],
  findings: () => Iterable<AcknowledgedFinding>,
  unknown: UnknownRecords,
): Generator<string> {
  const { file, flow, job, records, reasons, errors, times } = receipt;
  const { read, valid, rejected } = stageTexts(receipt.amounts);
  const document = {
    acknowledgementVersion: 1,
    level,
    file: identityOf(file.container),
    member: file.via.length === 0 ? null : identityOf(file.member),
    flow: flow.name,
    jobId: job.id,
    verdict: job.verdict,
    acceptedAt: times.acceptedAt,
    closedAt: times.closedAt,
    records,
    passedOn: cancelledAfter(receipt, unknown),
    amounts: { read, valid, rejected },
    reasons: reasons.map(({ code, message }) => ({ code, message })),
    errors: errors.map(({ code, field, count, message }) => ({ code, field, count, message })),
  };
  if (level === 'file') {
    yield `${JSON.stringify(document)}\n`;
    return;
  }
  yield `${JSON.stringify(document).slice(0, -1)},"rejected":[`;
  let separator = '\n';
  for (const { record, code, field, message } of findings()) {
    yield `${separator}${JSON.stringify({ record, code, field, message })}`;
    separator = ',\n';
  }
  yield '\n]}\n';
}

function* csvTexts(
  receipt: Receipt,
  level: AcknowledgementForm['level'],
  findings: () => Iterable<AcknowledgedFinding>,
  unknown: UnknownRecords,
): Generator<string> {
  if (level === 'record') {
    yield csvLine(['record', 'code', 'field', 'message']);
    for (const { record, code, field, message } of findings()) yield csvLine([String(record), code, field ?? '', message]);
    return;
  }
  const { file, flow, job, records, reasons, times } = receipt;
  yield csvLine([
    'file',
    'sha256',
    'bytes',
    'flow',
    'jobId',
    'verdict',
    'acceptedAt',
    'closedAt',
    'read',
    'valid',
    'rejected',
    'filtered',
    'reasons',
    'passedOn',
    'unknown',
    'member',
    'memberSha256',
  ]);
  const counts = [records.read, records.valid, records.rejected, records.filtered].map(String);
  const { name, sha256, bytes } = file.container;
  const codes = reasons.map(({ code }) => code).join(' ');
  const passedOn = cancelledAfter(receipt, unknown);
  const sent = passedOn === null ? ['', ''] : [String(passedOn.records), String(passedOn.unknown)];
  const member = file.via.length === 0 ? ['', ''] : [file.member.name, file.member.sha256];
  const { acceptedAt, closedAt } = times;
  yield csvLine([name, sha256, String(bytes), flow.name, job.id, job.verdict, acceptedAt, closedAt, ...counts, codes, ...sent, ...member]);
}

/** Of a file that was cancelled, which may have been too late for some of it; null: it was not. */
function cancelledAfter(receipt: Receipt, unknown: UnknownRecords): { readonly records: number; readonly unknown: number } | null {
  if (receipt.job.verdict !== 'cancelled') return null;
  const passedOn = passedOnOf(receipt, unknown);
  return { records: passedOn.records, unknown: passedOn.unknown };
}

function identityOf({ name, sha256, bytes }: Receipt['file']['member']) {
  return { name, sha256, bytes };
}

/** RFC 4180. */
function csvLine(values: readonly string[]): string {
  return `${values.map((value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',')}\r\n`;
}

/** A piece for many texts: one for each record would be too many. */
function* joined(texts: Iterable<string>): Generator<Buffer> {
  let piece = '';
  for (const text of texts) {
    piece += text;
    if (piece.length < pieceBytes) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  if (piece !== '') yield Buffer.from(piece);
}
