/** What an addenda record has to hold by itself and against its entry. */
import { countries } from '../../engine/reference-data/countries.ts';
import type { AddendaName } from './addenda-layouts.ts';
import {
  changeCodes,
  contestedReturnCodes,
  deathReturnCodes,
  dishonoredReturnCodes,
  iatChangeCodes,
  refusalCodes,
  returnCodes,
  states,
  transactionTypeCodes,
} from './code-tables.ts';
import type { Findings } from './findings.ts';
import type { NachaRuleId } from './nacha-rules.ts';
import type { BatchKind, OpenBatch } from './open-batch.ts';
import type { OpenEntry } from './open-entry.ts';
import { isMonthAndDay } from './record-forms.ts';
import type { RecordView } from './record-view.ts';

/** Which addenda a record of type 7 is; null: its kind of batch has no such type. */
export function addendaNameOf(view: RecordView, kind: BatchKind): AddendaName | null {
  // By far the most frequent.
  if (kind === 'standard' && view.byte(1) === 0x30 && view.byte(2) === 0x35) return 'addenda05';
  const type = view.text(1, 2);
  if (type === '99') {
    const code = view.text(3, 3);
    if (kind === 'adv') return 'addenda99';
    if (dishonoredReturnCodes.has(code)) return 'addenda99Dishonored';
    return contestedReturnCodes.has(code) ? 'addenda99Contested' : 'addenda99';
  }
  if (kind === 'adv') return null;
  if (type === '98') return refusalCodes.has(view.text(3, 3)) ? 'addenda98Refused' : 'addenda98';
  if (kind === 'iat') return /^1[0-8]$/.test(type) ? (`addenda${type}` as AddendaName) : null;
  return type === '02' || type === '05' ? `addenda${type}` : null;
}

export function checkAddenda(view: RecordView, name: AddendaName, entry: OpenEntry, batch: OpenBatch, findings: Findings): void {
  setCategory(name, entry);
  switch (name) {
    case 'addenda02':
      checkTerminal(view, findings);
      checkAddendaTrace(view, entry, findings);
      break;
    case 'addenda10':
      if (!transactionTypeCodes.has(view.fieldText('transactionTypeCode').toUpperCase()))
        findings.field('transaction-type-code', view, 'transactionTypeCode', 'it is no transaction type code');
      break;
    case 'addenda13':
      checkQualifier(view, 'ODFIIDNumberQualifier', 'id-number-qualifier', findings);
      checkCountry(view, 'ODFIBranchCountryCode', findings);
      break;
    case 'addenda14':
      checkQualifier(view, 'RDFIIDNumberQualifier', 'id-number-qualifier', findings);
      checkCountry(view, 'RDFIBranchCountryCode', findings);
      break;
    case 'addenda98':
    case 'addenda98Refused':
      checkCode(view, 'changeCode', batch.header.kind === 'iat' ? iatChangeCodes : changeCodes, findings);
      checkAddendaTrace(view, entry, findings);
      break;
    case 'addenda99':
      checkReturn(view, findings);
      if (batch.header.kind !== 'adv') checkAddendaTrace(view, entry, findings);
      break;
    case 'addenda99Dishonored':
      checkReason(view, 'returnReasonCode', findings);
      checkAddendaTrace(view, entry, findings);
      break;
    case 'addenda99Contested':
      checkReason(view, 'returnReasonCode', findings);
      checkReason(view, 'dishonoredReturnReasonCode', findings);
      checkAddendaTrace(view, entry, findings);
      break;
    case 'addenda18':
      checkQualifier(view, 'foreignCorrespondentBankIDNumberQualifier', 'correspondent-qualifier', findings);
      checkCountry(view, 'foreignCorrespondentBankBranchCountryCode', findings);
      break;
    case 'addenda05':
    case 'addenda11':
    case 'addenda12':
    case 'addenda15':
    case 'addenda16':
    case 'addenda17':
      break;
  }
  if (name === 'addenda05' || name === 'addenda17' || name === 'addenda18') checkSequence(view, name, entry, findings);
  if (name === 'addenda05' || batch.header.kind === 'iat') checkEntrySequence(view, name, entry, findings);
  if (batch.header.kind === 'iat') checkOrder(view, entry, findings);
}

function setCategory(name: AddendaName, entry: OpenEntry): void {
  if (name === 'addenda98' || name === 'addenda98Refused') entry.category = 'NOC';
  else if (name === 'addenda99') entry.category = 'Return';
  else if (name === 'addenda99Dishonored') entry.category = 'DishonoredReturn';
  else if (name === 'addenda99Contested') entry.category = 'DishonoredReturnContested';
}

function checkTerminal(view: RecordView, findings: Findings): void {
  if (!isMonthAndDay(view.fieldText('transactionDate')))
    findings.field('transaction-date', view, 'transactionDate', 'it is no month and day');
  const state = view.fieldText('terminalState').trim();
  if (state !== '' && !states.has(state.toUpperCase()))
    findings.field('terminal-state', view, 'terminalState', 'it is no state or territory');
}

function checkQualifier(view: RecordView, name: string, rule: NachaRuleId, findings: Findings): void {
  if (!/^0[123]$/.test(view.fieldText(name))) findings.field(rule, view, name, 'it is not 01, 02 or 03');
}

function checkCountry(view: RecordView, name: string, findings: Findings): void {
  const code = view.fieldText(name).trim();
  if (code !== '' && !countries.has(code)) findings.field('branch-country', view, name, 'it is no country code of ISO 3166-1');
}

function checkReason(view: RecordView, name: string, findings: Findings): void {
  if (!returnCodes.has(`R${view.fieldText(name)}`)) findings.field('returned-reason-code', view, name, 'it is no return reason code');
}

function checkCode(view: RecordView, name: string, codes: ReadonlySet<string>, findings: Findings): void {
  if (!codes.has(view.fieldText(name))) findings.field('change-code', view, name, 'it is no change code');
}

function checkReturn(view: RecordView, findings: Findings): void {
  const code = view.fieldText('returnCode');
  if (!returnCodes.has(code)) findings.field('return-code', view, 'returnCode', 'it is no return reason code');
  if (deathReturnCodes.has(code) && view.fieldText('dateOfDeath').trim() === '')
    findings.field('date-of-death', view, 'dateOfDeath', `it is blank with return reason code ${code}`);
}

function checkAddendaTrace(view: RecordView, entry: OpenEntry, findings: Findings): void {
  if (!view.isReadable('traceNumber') || Number.isNaN(entry.trace)) return;
  if (view.number(79, 15) !== entry.trace) findings.field('addenda-trace', view, 'traceNumber', 'it is not that of the entry');
}

function checkSequence(view: RecordView, name: AddendaName, entry: OpenEntry, findings: Findings): void {
  if (!view.isReadable('sequenceNumber')) return;
  const sequence = view.fieldNumber('sequenceNumber');
  const before = entry.swapSequence(name, sequence);
  // Addenda 18 are numbered by themselves, or on from addenda 17: banks do either.
  if (name === 'addenda18' && before === 0 && sequence === entry.lastSequence('addenda17') + 1) return;
  if (sequence === 0) return;
  if (sequence < before)
    findings.field('addenda-sequence-order', view, 'sequenceNumber', `the sequence number is ${sequence} after ${before}`);
  else if (sequence !== before + 1)
    findings.field('addenda-sequence-gap', view, 'sequenceNumber', `the sequence number is ${sequence}, not ${before + 1}`);
}

function checkEntrySequence(view: RecordView, name: AddendaName, entry: OpenEntry, findings: Findings): void {
  if (name.startsWith('addenda98') || name.startsWith('addenda99')) return;
  if (!view.isReadable('entryDetailSequenceNumber') || Number.isNaN(entry.trace)) return;
  const sequence = view.number(87, 7);
  if (sequence !== entry.trace % 10_000_000)
    findings.field('addenda-entry-sequence', view, 'entryDetailSequenceNumber', 'it is not the end of the trace number of the entry');
}

function checkOrder(view: RecordView, entry: OpenEntry, findings: Findings): void {
  const type = view.number(1, 2);
  if (type < entry.lastType) findings.field('iat-addenda-order', view, 'typeCode', `addenda ${type} follows addenda ${entry.lastType}`);
  entry.lastType = type;
}
