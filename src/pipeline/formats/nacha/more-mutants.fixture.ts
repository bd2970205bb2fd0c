/** More changes that break a rule of the nacha pack: other ways to do it than those of `mutants`. */
import { addenda } from './addenda-layouts.ts';
import { type Mutant, one, ppd, setting, withAddenda05, withLine } from './mutant-making.fixture.ts';
import type { NachaRuleId } from './nacha-rules.ts';
import { international } from './sample-batches.fixture.ts';

/** The first entry, of zero and with that transaction code. */
const zeroDollar =
  (code: number): Mutant['change'] =>
  (file) =>
    file.set('entryDetail', 'transactionCode', code).set('entryDetail', 'amount', 0).total();

export const moreMutants: readonly (Mutant & { readonly name: string; readonly rule: NachaRuleId })[] = [
  {
    name: 'a name with a byte of Latin-1',
    rule: 'character',
    ...ppd((file) => Buffer.from(file.put('entryDetail', 55, '\xe9').text(), 'latin1')),
  },
  { name: 'a NUL in a reserved field', rule: 'character', ...one('COR', (file) => file.put('addenda98', 21, '\0')), also: ['reserved'] },
  { name: 'a blank name', rule: 'individual-name', ...ppd(setting('entryDetail', 'individualName', '')) },
  ...(['ACK', 'CCD', 'COR'] as const).map(
    (sample) =>
      ({
        name: `a blank name in ${sample}`,
        rule: 'field-blank-expected',
        ...one(sample, setting('entryDetail', 'individualName', '')),
      }) as const,
  ),
  ...(['ATX', 'CTX', 'TRX'] as const).map(
    (sample) =>
      ({
        name: `a blank name behind the number of addenda in ${sample}`,
        rule: 'field-blank-expected',
        ...one(sample, setting('entryDetail', 'individualName', '0002')),
      }) as const,
  ),
  ...(
    [
      ['PPD', 'entryDetail'],
      ['IAT', 'IATEntryDetail'],
      ['ADV', 'advEntryDetail'],
    ] as const
  ).map(
    ([sample, record]) =>
      ({
        name: `an RDFI of zeros in ${sample}, with their check digit`,
        rule: 'field-blank',
        ...one(sample, (file) => file.put(record, 3, '000000000').total()),
      }) as const,
  ),
  {
    name: 'a blank RDFI',
    rule: 'field-blank',
    ...ppd((file) => file.put('entryDetail', 3, '000000000').total().put('entryDetail', 3, '        ')),
    also: ['number-fill'],
  },
  {
    name: 'ENR without addenda',
    rule: 'addenda-required',
    ...one('ENR', (file) => file.remove('addenda05').set('entryDetail', 'addendaRecordIndicator', 0).total()),
  },
  {
    name: 'TRX without addenda, which says so',
    rule: 'addenda-required',
    ...one('TRX', (file) => {
      while (file.text().includes('\n705')) file.remove('addenda05');
      return file.put('entryDetail', 54, '0000').set('entryDetail', 'addendaRecordIndicator', 0).total();
    }),
  },
  ...['ACK', 'ATX', 'DNE', 'ENR'].map(
    (sec) =>
      ({
        name: `the return of a debit in ${sec}`,
        rule: 'transaction-code-sec',
        ...one('PPD returned', (file) => {
          if (sec === 'ENR') file.set('batchHeader', 'companyEntryDescription', 'AUTOENROLL');
          if (sec === 'ATX') file.put('entryDetail', 54, '0001');
          return file.set('batchHeader', 'standardEntryClassCode', sec).set('entryDetail', 'amount', 0).total();
        }),
      }) as const,
  ),
  {
    name: 'an advice routing number of zeros',
    rule: 'advice-routing-number',
    ...one('ADV', setting('advEntryDetail', 'adviceRoutingNumber', '000000000')),
  },
  { name: 'a blank account', rule: 'field-blank', ...ppd(setting('entryDetail', 'DFIAccountNumber', '')) },
  {
    name: 'an origin that is no routing number',
    rule: 'immediate-origin',
    ...ppd(setting('fileHeader', 'immediateOrigin', '1231380104')),
    settings: { originIsRoutingNumber: true },
  },
  {
    name: 'credits in ARC',
    rule: 'transaction-code-sec',
    ...one('ARC', (file) =>
      file
        .set('batchHeader', 'serviceClassCode', 200)
        .set('batchControl', 'serviceClassCode', 200)
        .set('entryDetail', 'transactionCode', 22)
        .total(),
    ),
  },
  {
    name: 'a debit in CIE',
    rule: 'transaction-code-sec',
    ...one('CIE', (file) =>
      file
        .set('batchHeader', 'serviceClassCode', 200)
        .set('batchControl', 'serviceClassCode', 200)
        .set('entryDetail', 'transactionCode', 27)
        .total(),
    ),
  },
  {
    name: 'a forward code in ADV',
    rule: 'transaction-code-sec',
    ...one('ADV', (file) => file.set('advEntryDetail', 'transactionCode', 22)),
  },
  { name: 'an advice in PPD', rule: 'transaction-code-sec', ...ppd((file) => file.set('entryDetail', 'transactionCode', 82)) },
  { name: 'a forward code in COR', rule: 'transaction-code-sec', ...one('COR', setting('entryDetail', 'transactionCode', 22)) },
  {
    name: 'COR without addenda',
    rule: 'addenda-required',
    ...one('COR', (file) => file.remove('addenda98').set('entryDetail', 'addendaRecordIndicator', 0).total()),
  },
  { name: 'an amount in COR', rule: 'amount-nonzero', ...one('COR', (file) => file.set('entryDetail', 'amount', 1).total()) },
  { name: 'an amount in ACK', rule: 'amount-nonzero', ...one('ACK', (file) => file.set('entryDetail', 'amount', 1).total()) },
  {
    name: 'an amount of a zero-dollar entry',
    rule: 'amount-nonzero',
    ...one('CCD', (file) => file.set('entryDetail', 'amount', 1, 1).total()),
  },
  ...(['ARC', 'BOC', 'POP', 'POS', 'RCK', 'SHR', 'TEL', 'TRC', 'TRX', 'XCK'] as const).map(
    (sample) => ({ name: `a zero-dollar debit in ${sample}`, rule: 'transaction-code-sec', ...one(sample, zeroDollar(29)) }) as const,
  ),
  ...(['CIE', 'MTE', 'PPD', 'WEB'] as const).map(
    (sample) => ({ name: `a zero-dollar credit in ${sample}`, rule: 'transaction-code-sec', ...one(sample, zeroDollar(24)) }) as const,
  ),
  {
    name: 'a code of returns without addenda 99',
    rule: 'return-transaction-code',
    ...ppd(setting('entryDetail', 'transactionCode', 26)),
  },
  {
    name: 'a code of returns in IAT without addenda 99',
    rule: 'return-transaction-code',
    ...one('IAT', setting('IATEntryDetail', 'transactionCode', 26)),
  },
  {
    name: 'an amount of a prenote in IAT',
    rule: 'iat-amount',
    ...one('IAT', setting('IATEntryDetail', 'transactionCode', 28)),
  },
  {
    name: 'an amount in a notification of IAT',
    rule: 'iat-amount',
    ...one('IAT changed', (file) => file.set('IATEntryDetail', 'amount', 1).total()),
  },
  {
    name: 'a loan that is debited in IAT',
    rule: 'loan-debit',
    ...one('IAT', (file) => file.set('IATEntryDetail', 'transactionCode', 55).total()),
  },
  { name: 'an indicator of IAT that is none', rule: 'reserved', ...one('IAT', setting('IATBatchHeader', 'IATIndicator', 'IATCORR')) },
  { name: 'a high RCK entry', rule: 'amount-limit', ...one('RCK', (file) => file.set('entryDetail', 'amount', 250_001).total()) },
  { name: 'a blank item research number', rule: 'process-control', ...one('XCK', (file) => file.put('entryDetail', 60, ' '.repeat(16))) },
  {
    name: 'an ADV batch control with another total',
    rule: 'batch-debit',
    ...one('ADV', setting('advBatchControl', 'totalDebit', '12345678901234567890')),
  },
  { name: 'an ADV file control with another total', rule: 'file-credit', ...one('ADV', setting('fileADVControl', 'totalCredit', 1)) },
  {
    name: 'an IAT batch number that a domestic one has',
    rule: 'batch-number-order',
    of: ['PPD', 'IAT'],
    change: (file) => file.set('IATBatchHeader', 'batchNumber', 1).set('batchControl', 'batchNumber', 1, 1),
  },
  {
    name: 'batch number zero',
    rule: 'batch-number-order',
    ...ppd((file) => file.set('batchHeader', 'batchNumber', 0).set('batchControl', 'batchNumber', 0)),
  },
  {
    name: 'a second batch header without a control before',
    rule: 'batch-control-missing',
    of: ['PPD', 'CCD'],
    change: (file) => file.remove('batchControl'),
    also: ['filler-count'],
  },
  {
    name: 'a batch that the file ends in',
    rule: 'batch-control-missing',
    ...ppd((file) => file.lines().slice(0, 4).join('\n')),
    also: ['file-control-missing', 'addenda-missing'],
  },
  {
    name: 'three addenda 17',
    rule: 'addenda-maximum',
    ...one('IAT', (file) => {
      const index = file.index('addenda17');
      const values = { entryDetailSequenceNumber: '0001001' };
      file
        .insert(index + 1, addenda.addenda17, { ...values, sequenceNumber: 2 })
        .insert(index + 2, addenda.addenda17, { ...values, sequenceNumber: 3 });
      return file.set('IATEntryDetail', 'addendaRecords', international.length + 4).total();
    }),
  },
  {
    name: 'the payment information of an IAT entry in its return',
    rule: 'addenda-forbidden',
    ...one('IAT returned', (file) => {
      const values = { paymentRelatedInformation: 'Payment', sequenceNumber: 1, entryDetailSequenceNumber: '0001001' };
      return file.insert(file.index('addenda99'), addenda.addenda17, values).set('IATEntryDetail', 'addendaRecords', 9).total();
    }),
  },
  {
    name: 'the correspondent bank of an IAT entry in its return',
    rule: 'addenda-forbidden',
    ...one('IAT returned', (file) => {
      const values = {
        foreignCorrespondentBankName: 'Bank',
        foreignCorrespondentBankIDNumberQualifier: '01',
        foreignCorrespondentBankIDNumber: '1',
      };
      const more = { foreignCorrespondentBankBranchCountryCode: 'FR', sequenceNumber: 1, entryDetailSequenceNumber: '0001001' };
      file.insert(file.index('addenda99'), addenda.addenda18, { ...values, ...more });
      return file.set('IATEntryDetail', 'addendaRecords', 9).total();
    }),
  },
  {
    name: 'a return in a batch of notifications',
    rule: 'addenda-forbidden',
    ...one('PPD returned', (file) => file.put('addenda99', 1, '98C01').put('addenda99', 35, 'X')),
    also: ['amount-nonzero'],
  },
  {
    name: 'a return in class COR',
    rule: 'addenda-forbidden',
    ...one('COR', (file) => {
      const values = { returnCode: 'R01', originalTrace: '1', originalDFI: '1', traceNumber: '121042880001001' };
      return file.insert(file.index('addenda98'), addenda.addenda99, values).remove('addenda98');
    }),
  },
  {
    name: 'a notification and its refusal in one entry',
    rule: 'answers-together',
    ...one('IAT refused', (file) => {
      const values = { changeCode: 'C01', originalTrace: '1', originalDFI: '1', correctedData: '1', traceNumber: '121042880001001' };
      return file.insert(file.index('addenda98Refused'), addenda.addenda98, values).set('IATEntryDetail', 'addendaRecords', 2).total();
    }),
  },
  {
    name: 'addenda 18 with a number after that which follows addenda 17',
    rule: 'addenda-sequence-gap',
    ...one('IAT', setting('addenda18', 'sequenceNumber', 3)),
  },
  {
    name: 'a second addenda 02',
    rule: 'addenda-repeated',
    ...one('MTE', (file) => {
      file.records.splice(3, 0, { ...file.records[3]! });
      return file.total();
    }),
  },
  {
    name: 'a refusal without the code it refuses',
    rule: 'change-code',
    ...one('COR refused', setting('addenda98Refused', 'changeCode', 'XXX')),
  },
  { name: 'an RDFI with a space', rule: 'number', ...ppd((file) => file.put('entryDetail', 3, ' 2310438').total()) },
  { name: 'an ODFI with a space', rule: 'number', ...ppd((file) => file.put('batchHeader', 79, ' ')) },
  { name: 'an ODFI with a space in the control', rule: 'number', ...ppd((file) => file.put('batchControl', 79, ' ')) },
  {
    name: 'a trace number that its line was cut in',
    rule: 'trace-number-odfi',
    ...ppd((file) => withLine(file, 2, (line) => line.slice(0, -1))),
    also: ['line-short', 'number-fill'],
  },
  {
    name: 'a batch of credits in ARC',
    rule: 'service-class-sec',
    ...one('ARC', (file) => file.set('batchHeader', 'serviceClassCode', 220).set('batchControl', 'serviceClassCode', 220)),
    also: ['transaction-code-service-class'],
  },
  {
    name: 'a reversal with the service class of ADV',
    rule: 'service-class-sec',
    ...one('ARC', (file) =>
      file
        .set('batchHeader', 'companyEntryDescription', 'REVERSAL')
        .set('batchHeader', 'serviceClassCode', 280)
        .set('batchControl', 'serviceClassCode', 280),
    ),
  },
  { name: 'REVERSAL in ENR', rule: 'company-description', ...one('ENR', setting('batchHeader', 'companyEntryDescription', 'REVERSAL')) },
  { name: 'C10, which the Rules do not have any more', rule: 'change-code', ...one('COR', setting('addenda98', 'changeCode', 'C10')) },
  { name: 'C12 in IAT', rule: 'change-code', ...one('IAT changed', setting('addenda98', 'changeCode', 'C12')) },
  { name: 'a refusal of C08 in COR', rule: 'change-code', ...one('COR refused', setting('addenda98Refused', 'changeCode', 'C08')) },
  {
    name: 'a company identification of zeros',
    rule: 'field-zeros',
    ...ppd((file) => file.put('batchHeader', 40, '0000000000').put('batchControl', 44, '0000000000')),
  },
  { name: 'a destination of zeros', rule: 'immediate-destination', ...ppd(setting('fileHeader', 'immediateDestination', '0000000000')) },
  { name: 'originator status 1 in ADV', rule: 'originator-status', ...one('ADV', setting('batchHeader', 'originatorStatusCode', 1)) },
  { name: 'originator status 3 in IAT', rule: 'originator-status', ...one('IAT', setting('IATBatchHeader', 'originatorStatusCode', 3)) },
  {
    name: 'a code of returns in ENR',
    rule: 'transaction-code-sec',
    ...one('ENR', setting('entryDetail', 'transactionCode', 21)),
  },
  {
    name: 'addenda 05 in a return',
    rule: 'addenda-forbidden',
    ...one('PPD returned', withAddenda05),
  },
  {
    name: 'addenda 05 in a dishonored return of POS',
    rule: 'addenda-forbidden',
    ...one('PPD dishonored', (file) =>
      withAddenda05(file.set('batchHeader', 'standardEntryClassCode', 'POS').set('entryDetail', 'discretionaryData', '01')),
    ),
  },
  {
    name: 'a blank check digit where it would be zero',
    rule: 'check-digit',
    ...ppd((file) => file.put('entryDetail', 3, '12104284 ').total()),
    also: ['number-fill'],
  },
  { name: 'a block count of zero', rule: 'field-blank', ...ppd(setting('fileControl', 'blockCount', 0)) },
  {
    name: 'filler of the wrong length',
    rule: 'line-short',
    ...ppd((file) => withLine(file, file.records.length, () => '9999')),
    also: ['filler-text'],
  },
  {
    name: 'a tail that begins as an entry does',
    rule: 'line-tail',
    ...ppd((file) => withLine(file, 2, (line) => `${line}62200001`)),
  },
  {
    name: 'a tail of the last line, which no line break ends',
    rule: 'line-tail',
    ...ppd((file) => `${file.text().trimEnd()}99`),
  },
  {
    name: 'a first line with a tail, which may be a record of a file without line breaks',
    rule: 'record-type',
    ...ppd((file) => withLine(file, 0, (line) => `${line}X`)),
    also: ['line-short', 'filler-count'],
  },
  { name: 'an end-of-file mark', rule: 'line-blank', ...ppd((file) => `${file.text()}\x1a`) },
];
