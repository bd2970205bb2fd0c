/** For each rule of the nacha pack a change to a good file that breaks it, and it alone. */
import { addenda } from './addenda-layouts.ts';
import { type Mutant, one, ppd, setting, withCopy, withLine } from './mutant-making.fixture.ts';
import type { NachaRuleId } from './nacha-rules.ts';
import * as records from './record-layouts.ts';

export const mutants: Readonly<Record<NachaRuleId, Mutant>> = {
  'file-empty': ppd(() => ''),
  'byte-order-mark': ppd((file) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(file.text())])),
  'line-breaks-missing': ppd((file) => file.text(''), { settings: { noLineBreaks: 'refuse' } }),
  'line-end': ppd((file) => file.text('\r')),
  'line-short': ppd((file) => withLine(file, 0, (line) => line.trimEnd())),
  'line-long': ppd((file) => withLine(file, 1, (line) => `${line}  `)),
  'line-tail': ppd((file) => withLine(file, 1, (line) => `${line}X`)),
  'line-blank': ppd((file) => withLine(file, 1, (line) => `${line}\n`)),
  'record-type': ppd((file) => file.put('fileControl', 0, '2'), { also: ['file-control-missing', 'filler-place'] }),
  'file-header-missing': ppd((file) => file.remove('fileHeader').total()),
  'file-header-misplaced': ppd((file) => withCopy(file, 'fileHeader', 2)),
  'file-control-missing': ppd(
    (file) => {
      file.filler += 1;
      return file.remove('fileControl');
    },
    { also: ['filler-place'] },
  ),
  'record-after-file-control': ppd((file) => withCopy(file, 'fileHeader', file.records.length)),
  'batch-control-missing': ppd((file) => file.remove('batchControl'), { also: ['filler-count'] }),
  'batch-control-outside': ppd((file) => withCopy(file, 'batchControl', file.index('batchControl') + 1)),
  'batch-empty': one('POP', (file) => file.remove('entryDetail').total(), {}),
  'entry-outside-batch': ppd((file) => withCopy(file, 'entryDetail', 1)),
  'addenda-outside-entry': ppd((file) => withCopy(file, 'addenda05', 2)),
  'addenda-type': ppd((file) => file.put('addenda05', 1, '10')),
  'addenda-limit': one(
    'CTX',
    (file) => {
      file.set('entryDetail', 'individualName', 'X000Company');
      const index = file.index('addenda05', 1);
      const more = file.records[index]!;
      for (let sequence = 3; sequence <= 10_000; sequence++)
        file.records.splice(index + sequence - 2, 0, {
          ...more,
          text: more.text.slice(0, 83) + String(sequence % 10_000).padStart(4, '0') + more.text.slice(87),
        });
      return file.set('entryDetail', 'individualName', '9999Company').total();
    },
    { also: ['addenda-count-field', 'addenda-maximum', 'field-blank'] },
  ),
  'file-without-batches': { of: [], change: (file) => file },
  'filler-place': ppd((file) => {
    const lines = file.lines();
    lines.splice(1, 0, lines.pop()!);
    return `${lines.join('\n')}\n`;
  }),
  'filler-text': ppd((file) => withLine(file, file.records.length, () => '99'.padEnd(94, '0'))),
  'filler-count': ppd((file) => {
    file.filler -= 1;
    return file;
  }),
  'adv-mixed': { of: ['PPD', 'ADV'], change: (file) => file },

  character: ppd((file) => file.put('entryDetail', 54, '\x07')),
  'character-extended': ppd((file) => Buffer.from(file.put('entryDetail', 55, 'é').text(), 'utf8')),
  number: ppd((file) => file.put('entryDetail', 29, 'X')),
  'number-fill': ppd((file) => file.put('entryDetail', 29, '   ')),
  'field-blank': ppd(setting('batchHeader', 'companyIdentification', ''), { also: ['company-identification-match'] }),
  'field-blank-expected': one('COR', setting('addenda98', 'originalTrace', 0)),
  'field-zeros': ppd(setting('batchHeader', 'companyName', '000')),
  reserved: one('COR', (file) => file.put('addenda98', 21, 'X')),
  'record-constants': ppd(setting('fileHeader', 'blockingFactor', '20')),
  'priority-code': ppd(setting('fileHeader', 'priorityCode', '02')),
  'immediate-destination': ppd(setting('fileHeader', 'immediateDestination', ' 031300013')),
  'immediate-origin': ppd(setting('fileHeader', 'immediateOrigin', ' 000000000')),
  'file-creation-date': ppd(setting('fileHeader', 'fileCreationDate', '260230')),
  'file-creation-time': ppd(setting('fileHeader', 'fileCreationTime', '2460')),
  'file-id-modifier': ppd(setting('fileHeader', 'fileIDModifier', 'a')),
  'service-class': ppd((file) => file.set('batchHeader', 'serviceClassCode', 300).set('batchControl', 'serviceClassCode', 300)),
  'sec-code': ppd(setting('batchHeader', 'standardEntryClassCode', 'PPX')),
  'originator-status': ppd(setting('batchHeader', 'originatorStatusCode', 0)),
  'effective-date': ppd(setting('batchHeader', 'effectiveEntryDate', '261301')),
  'settlement-date': ppd(setting('batchHeader', 'settlementDate', '367')),
  'batch-number-order': {
    of: ['PPD', 'CCD'],
    change: (file) => file.set('batchHeader', 'batchNumber', 1, 1).set('batchControl', 'batchNumber', 1, 1),
  },
  'company-description': one('ENR', setting('batchHeader', 'companyEntryDescription', 'ENROLL')),
  'service-class-sec': ppd((file) => file.set('batchHeader', 'serviceClassCode', 280).set('batchControl', 'serviceClassCode', 280)),
  'foreign-exchange-indicator': one('IAT', setting('IATBatchHeader', 'foreignExchangeIndicator', 'FX')),
  'foreign-exchange-reference': one('IAT', setting('IATBatchHeader', 'foreignExchangeReferenceIndicator', '4')),
  country: one('IAT', setting('IATBatchHeader', 'ISODestinationCountryCode', 'ZZ')),
  currency: one('IAT', setting('IATBatchHeader', 'ISODestinationCurrencyCode', 'ZZZ')),
  'addenda-indicator-code': ppd((file) => file.put('entryDetail', 78, '2')),
  'transaction-code': ppd(setting('entryDetail', 'transactionCode', 25)),
  'check-digit': ppd((file) => file.put('entryDetail', 11, '5')),
  'transaction-date': one('POS', setting('addenda02', 'transactionDate', '0631')),
  'terminal-state': one('POS', setting('addenda02', 'terminalState', 'ZZ')),
  'transaction-type-code': one('IAT', setting('addenda10', 'transactionTypeCode', 'XXX')),
  'id-number-qualifier': one('IAT', setting('addenda13', 'ODFIIDNumberQualifier', '04')),
  'correspondent-qualifier': one('IAT', setting('addenda18', 'foreignCorrespondentBankIDNumberQualifier', '09')),
  'branch-country': one('IAT', setting('addenda14', 'RDFIBranchCountryCode', 'ZZ')),
  'payment-type': one('TEL', setting('entryDetail', 'discretionaryData', 'X')),
  'advice-routing-number': one('ADV', setting('advEntryDetail', 'adviceRoutingNumber', '121042883')),
  'advice-day': one('ADV', setting('advEntryDetail', 'julianDay', 367)),
  'advice-order': one('ADV', (file) => file.set('advEntryDetail', 'sequenceNumber', 1, 1)),
  'change-code': one('COR', setting('addenda98', 'changeCode', 'C08')),
  'return-code': one('PPD returned', setting('addenda99', 'returnCode', 'R48')),
  'returned-reason-code': one('PPD contested', setting('addenda99Contested', 'dishonoredReturnReasonCode', '99')),
  'date-of-death': one('PPD returned', setting('addenda99', 'returnCode', 'R14')),

  'originator-dne': one('DNE', setting('batchHeader', 'originatorStatusCode', 1)),
  'iat-noc': one('IAT changed', setting('IATBatchHeader', 'standardEntryClassCode', 'IAT')),
  'transaction-code-sec': one('ACK', setting('entryDetail', 'transactionCode', 23)),
  'transaction-code-service-class': one('CTX', (file) => file.set('entryDetail', 'transactionCode', 22).total()),
  'iat-service-class': one('IAT', (file) => file.set('IATEntryDetail', 'transactionCode', 22).total()),
  'loan-debit': one('PPD', (file) => file.set('entryDetail', 'transactionCode', 55).total()),
  'return-transaction-code': one('PPD returned', setting('entryDetail', 'transactionCode', 27)),
  'trace-number-order': ppd((file) => file.set('entryDetail', 'traceNumber', file.get(file.index('entryDetail', 1), 'traceNumber'))),
  'trace-number-odfi': ppd((file) => file.put('entryDetail', 79, '0')),
  'amount-zero': ppd((file) => file.set('entryDetail', 'amount', 0).total()),
  'amount-zero-return': one('PPD returned', (file) => file.set('entryDetail', 'amount', 0).total()),
  'amount-nonzero': ppd((file) => file.set('entryDetail', 'amount', 1, 2).total()),
  'iat-amount': one('IAT', (file) => file.set('IATEntryDetail', 'amount', 0).total()),
  'amount-limit': one('ARC', (file) => file.set('entryDetail', 'amount', 2_500_001).total()),
  'individual-name': ppd(setting('entryDetail', 'individualName', '000')),
  'check-serial-number': one('ARC', setting('entryDetail', 'identificationNumber', '')),
  'process-control': one('TRC', (file) => file.put('entryDetail', 54, '      ')),
  'card-transaction-type': one('POS', setting('entryDetail', 'discretionaryData', '04')),
  'card-expiration': one('SHR', (file) => file.put('entryDetail', 39, '1322')),
  'identification-number': one('MTE', setting('entryDetail', 'identificationNumber', '00')),
  'addenda-indicator': ppd((file) => file.set('entryDetail', 'addendaRecordIndicator', 0, 1)),
  'addenda-missing': ppd(setting('entryDetail', 'addendaRecordIndicator', 1)),
  'zero-dollar-addenda': one('CCD', (file) => file.remove('addenda05', 1).set('entryDetail', 'addendaRecordIndicator', 0, 1).total()),
  'addenda-required': one('POS', (file) => file.remove('addenda02').set('entryDetail', 'addendaRecordIndicator', 0).total()),
  'addenda-forbidden': one('ARC', (file) =>
    file
      .set('entryDetail', 'addendaRecordIndicator', 1)
      .insert(3, addenda.addenda05, { sequenceNumber: 1, entryDetailSequenceNumber: '0001001' })
      .total(),
  ),
  'addenda-repeated': one('PPD returned', (file) => {
    file.records.splice(3, 0, { ...file.records[3]! });
    return file.total();
  }),
  'answers-together': one('PPD dishonored', (file) => {
    const values = { returnCode: 'R01', originalTrace: '1', originalDFI: '1', traceNumber: '121042880001001' };
    return file.insert(file.index('addenda99Dishonored'), addenda.addenda99, values).total();
  }),
  'addenda-maximum': ppd((file) => {
    const index = file.index('addenda05');
    return file.insert(index + 1, addenda.addenda05, { sequenceNumber: 2, entryDetailSequenceNumber: '0001002' }).total();
  }),
  'addenda-count-field': one('CTX', (file) => file.put('entryDetail', 54, '0003')),
  'iat-addenda-required': one('IAT', (file) => file.remove('addenda16').set('IATEntryDetail', 'addendaRecords', 8).total()),
  'iat-addenda-count': one('IAT', setting('IATEntryDetail', 'addendaRecords', 3)),
  'iat-addenda-order': one('IAT', (file) => {
    const index = file.index('addenda10');
    file.records.splice(index, 2, file.records[index + 1]!, file.records[index]!);
    return file;
  }),
  'addenda-sequence-order': one('CTX', setting('addenda05', 'sequenceNumber', 3), { also: ['addenda-sequence-gap'] }),
  'addenda-sequence-gap': one('CTX', (file) => file.set('addenda05', 'sequenceNumber', 3, 1)),
  'addenda-entry-sequence': ppd(setting('addenda05', 'entryDetailSequenceNumber', 9)),
  'addenda-trace': one('COR', setting('addenda98', 'traceNumber', '091012980000088')),
  'category-mixed': one('PPD returned', (file) => {
    const values = { individualName: 'Jane Doe', traceNumber: '121042880009999', amount: 1, transactionCode: 27, DFIAccountNumber: '1' };
    return file.insert(4, records.entryDetail, { ...values, RDFIIdentification: '23138010', checkDigit: '4' }).total();
  }),

  'service-class-match': ppd(setting('batchControl', 'serviceClassCode', 220)),
  'company-identification-match': ppd(setting('batchControl', 'companyIdentification', '1234567891')),
  'odfi-match': ppd(setting('batchControl', 'ODFIIdentification', '12104289')),
  'batch-number-match': ppd(setting('batchControl', 'batchNumber', 2)),
  'batch-entry-count': ppd(setting('batchControl', 'entryAddendaCount', 5)),
  'batch-hash': ppd(setting('batchControl', 'entryHash', 1)),
  'batch-debit': ppd(setting('batchControl', 'totalDebit', 1)),
  'batch-credit': ppd(setting('batchControl', 'totalCredit', 1)),
  'batch-unbalanced': one('ARC', (file) => file, { settings: { balancedOffset: 'require' } }),
  'file-batch-count': ppd(setting('fileControl', 'batchCount', 2)),
  'file-entry-count': ppd(setting('fileControl', 'entryAddendaCount', 5)),
  'file-hash': ppd(setting('fileControl', 'entryHash', 1)),
  'file-debit': ppd(setting('fileControl', 'totalDebit', 1)),
  'file-credit': ppd(setting('fileControl', 'totalCredit', 1)),
  'block-count': ppd(setting('fileControl', 'blockCount', 2)),
};
