/**
 * Makes the records of an answer from those of the entry that it answers: it goes from the bank that got the entry to the one that
 * sent it, with a return code for its transaction code and the trace number of the entry in its addenda. Source: Nacha Operating
 * Rules, Appendix Four and Five.
 */
import { type AddendaName, addenda } from '../addenda-layouts.ts';
import { isCredit, isReturn, transactionCodes } from '../code-tables.ts';
import { checkDigitOf } from '../routing-number.ts';
import { type BatchForm, batchFormOf } from '../writing/batch-forms.ts';
import { fieldOf, recordOf, withField } from '../writing/record-text.ts';
import type { AnswerRequest } from './answer-requests.ts';

export interface AnsweredEntry {
  readonly form: BatchForm;
  readonly header: string;
  readonly entry: string;
  readonly addenda: readonly { readonly name: AddendaName; readonly text: string }[];
}

export interface AnswerRecords {
  readonly form: BatchForm;
  /** With any batch number. */
  readonly header: string;
  readonly texts: readonly string[];
}

const traceLength = 15;

/** `sequence`: the end of the trace number of the answer. */
export function answerRecords(original: AnsweredEntry, request: AnswerRequest, sequence: number): AnswerRecords {
  const { form: before, header: headerBefore, entry: entryBefore } = original;
  const { isNotification } = request.form;
  const odfi = entryBefore.slice(3, 11);
  const rdfi = fieldOf(before.header, headerBefore, 'ODFIIdentification');
  const trace = odfi + String(sequence).padStart(traceLength - odfi.length, '0');
  const code = answerCode(Number(entryBefore.slice(1, 3)));
  const header = answerHeader(original, { odfi, isNotification, code });
  const form = batchFormOf(before.header.name, fieldOf(before.header, header, 'standardEntryClassCode'));
  const kept = before.kind === 'iat' && !isNotification ? original.addenda.filter(({ name }) => /^addenda1[0-6]$/.test(name)) : [];
  const follow = [
    ...kept.map(({ name, text }) => withField(addenda[name], text, { name: 'entryDetailSequenceNumber', value: sequence })),
    recordOf(addenda[request.form.addenda], addendaValues(original, request, trace)),
  ];
  const changes = [
    { name: 'transactionCode', value: code },
    { name: 'RDFIIdentification', value: rdfi },
    { name: 'checkDigit', value: checkDigitOf(Buffer.from(rdfi), 0) },
    { name: 'addendaRecordIndicator', value: 1 },
    { name: 'traceNumber', value: trace },
    ...(isNotification ? [{ name: 'amount', value: 0 }] : []),
    ...(form.kind === 'iat' ? [{ name: 'addendaRecords', value: follow.length }] : []),
  ];
  const start = inForm(entryBefore, before, form);
  return { form, header, texts: [changes.reduce((text, change) => withField(form.entry, text, change), start), ...follow] };
}

function answerHeader(
  { form, header }: AnsweredEntry,
  { odfi, isNotification, code }: { readonly odfi: string; readonly isNotification: boolean; readonly code: number },
): string {
  const changes = [
    { name: 'serviceClassCode', value: serviceClassFor(code, fieldOf(form.header, header, 'serviceClassCode')) },
    { name: 'ODFIIdentification', value: odfi },
    { name: 'settlementDate', value: '' },
    { name: 'batchNumber', value: 0 },
    ...(isNotification ? [{ name: 'standardEntryClassCode', value: 'COR' }] : []),
    ...(isNotification && form.kind === 'iat' ? [{ name: 'IATIndicator', value: 'IATCOR' }] : []),
  ];
  return changes.reduce((text, change) => withField(form.header, text, change), header);
}

/** That of the batch where the answer may stand in it, else mixed: an operator refuses a batch with an entry of the other side. */
function serviceClassFor(code: number, given: string): string {
  const own = (transactionCodes[code]! & isCredit) !== 0 ? '220' : '225';
  return given === own ? given : '200';
}

/** Notifications have the identification first, whatever class they are about; what does not fit is cut. */
function inForm(entry: string, before: BatchForm, form: BatchForm): string {
  if (before.entry === form.entry) return entry;
  const value = (name: string) => fieldOf(before.entry, entry, name).trimEnd();
  const { length } = form.entry.fields.find(({ name }) => name === 'identificationNumber')!;
  const named = withField(form.entry, entry, { name: 'individualName', value: value('individualName') });
  return withField(form.entry, named, { name: 'identificationNumber', value: value('identificationNumber').slice(0, length) });
}

/** Of the same account and side: 21, 31, 41, 51 for credits, 26, 36, 46, 56 for debits. */
function answerCode(code: number): number {
  const bits = transactionCodes[code]!;
  if ((bits & isReturn) !== 0) return code;
  return Math.floor(code / 10) * 10 + ((bits & isCredit) !== 0 ? 1 : 6);
}

function addendaValues(original: AnsweredEntry, { form, code, values }: AnswerRequest, trace: string): Record<string, string> {
  const { entry, header } = original;
  const own = (name: string) => fieldOf(original.form.header, header, name);
  const end = { ...values, traceNumber: trace };
  switch (form.addenda) {
    case 'addenda99':
      return {
        ...end,
        returnCode: code,
        originalTrace: entry.slice(79),
        originalDFI: entry.slice(3, 11),
        ...(original.form.kind === 'iat' && { addendaInformation: amountAndInformation(original, values['addendaInformation'] ?? '') }),
      };
    case 'addenda98':
      return { ...end, changeCode: code, originalTrace: entry.slice(79), originalDFI: entry.slice(3, 11) };
    case 'addenda98Refused': {
      const of = valuesOf(original, 'addenda98');
      return {
        ...end,
        refusedChangeCode: code,
        originalTrace: of('originalTrace'),
        originalDFI: of('originalDFI'),
        correctedData: of('correctedData'),
        changeCode: of('changeCode'),
        traceSequenceNumber: entry.slice(87),
      };
    }
    case 'addenda99Dishonored': {
      const of = valuesOf(original, 'addenda99');
      return {
        ...end,
        dishonoredReturnReasonCode: code,
        originalEntryTraceNumber: of('originalTrace'),
        originalReceivingDFIIdentification: of('originalDFI'),
        returnTraceNumber: entry.slice(79),
        returnSettlementDate: own('settlementDate'),
        returnReasonCode: of('returnCode').slice(1),
      };
    }
    case 'addenda99Contested': {
      const of = valuesOf(original, 'addenda99Dishonored');
      return {
        ...end,
        contestedReturnCode: code,
        originalEntryTraceNumber: of('originalEntryTraceNumber'),
        originalReceivingDFIIdentification: of('originalReceivingDFIIdentification'),
        returnTraceNumber: of('returnTraceNumber'),
        returnSettlementDate: of('returnSettlementDate'),
        returnReasonCode: of('returnReasonCode'),
        dishonoredReturnTraceNumber: entry.slice(79),
        dishonoredReturnSettlementDate: own('settlementDate'),
        dishonoredReturnReasonCode: of('dishonoredReturnReasonCode').slice(1),
      };
    }
  }
}

/** Returns of IAT entries tell the amount of the entry first, in ten digits (Appendix Four, IAT returns). */
function amountAndInformation({ form, entry }: AnsweredEntry, information: string): string {
  return fieldOf(form.entry, entry, 'amount').replaceAll(' ', '0') + information;
}

/** Fields of the addenda that made the entry of its category. */
function valuesOf({ addenda: all }: AnsweredEntry, name: AddendaName): (field: string) => string {
  const { text } = all.findLast((each) => each.name === name)!;
  return (field) => fieldOf(addenda[name], text, field);
}
