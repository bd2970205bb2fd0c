/** A good batch of every class of entries, and of what answers them: returns, notifications of change, refusals. */

import type { BatchSpec } from './ach-files.fixture.ts';
import type { AddendaName } from './addenda-layouts.ts';

type Entry = BatchSpec['entries'][number];
type Addenda = NonNullable<Entry['addenda']>[number];

const payment: Addenda = ['addenda05', { paymentRelatedInformation: 'Invoice 1' }];
const terminal: Addenda = [
  'addenda02',
  {
    terminalIdentificationCode: 'TERM02',
    transactionSerialNumber: '100049',
    transactionDate: '0614',
    terminalLocation: 'Target Store 0049',
    terminalCity: 'PHILADELPHIA',
    terminalState: 'PA',
  },
];
const original = { originalTrace: '231380100000001', originalDFI: '12104288' };
const originalEntry = { originalEntryTraceNumber: '231380100000001', originalReceivingDFIIdentification: '12104288' };
const returned = { returnTraceNumber: '121042880000001', returnSettlementDate: '179', returnReasonCode: '01' };

export const international: readonly Addenda[] = [
  ['addenda10', { transactionTypeCode: 'ANN', foreignPaymentAmount: 1_000, name: 'Receiver' }],
  ['addenda11', { originatorName: 'Originator', originatorStreetAddress: 'Street 1' }],
  ['addenda12', { originatorCityStateProvince: 'City*PA\\', originatorCountryPostalCode: 'US*19305\\' }],
  ['addenda13', { ODFIName: 'Bank', ODFIIDNumberQualifier: '01', ODFIIdentification: '231380104', ODFIBranchCountryCode: 'US' }],
  ['addenda14', { RDFIName: 'Bank', RDFIIDNumberQualifier: '01', RDFIIdentification: '121042882', RDFIBranchCountryCode: 'CA' }],
  ['addenda15', { receiverIDNumber: '987', receiverStreetAddress: 'Street 2' }],
  ['addenda16', { receiverCityStateProvince: 'Town*AB\\', receiverCountryPostalCode: 'CA*80014\\' }],
];
const internationalMore: readonly Addenda[] = [
  ['addenda17', { paymentRelatedInformation: 'Payment' }],
  [
    'addenda18',
    {
      foreignCorrespondentBankName: 'Bank of France',
      foreignCorrespondentBankIDNumberQualifier: '01',
      foreignCorrespondentBankIDNumber: '456',
      foreignCorrespondentBankBranchCountryCode: 'FR',
    },
  ],
];

const entry = (values: Entry['values'] = {}, ...addenda: readonly Addenda[]): Entry => ({ values, addenda });
const debits = { serviceClassCode: 225 };
const credits = { serviceClassCode: 220 };
const change: Addenda = ['addenda98', { changeCode: 'C01', ...original, correctedData: '1918171614' }];
const refusal: Addenda = [
  'addenda98Refused',
  { refusedChangeCode: 'C62', ...original, correctedData: '1918171614', changeCode: 'C01', traceSequenceNumber: '0000001' },
];
const back: Addenda = ['addenda99', { returnCode: 'R01', ...original }];

/** By a name that tells what is in it; the first word is the class. */
export const sampleBatches = {
  ACK: { sec: 'ACK', entries: [entry({ transactionCode: 24, amount: 0, identificationNumber: '031300010000001' }, payment)] },
  ADV: { sec: 'ADV', entries: [entry({ transactionCode: 81 }), entry({ transactionCode: 82, amount: 500 })] },
  'ADV returned': { sec: 'ADV', entries: [entry({ transactionCode: 83 }, back)] },
  ARC: { sec: 'ARC', header: debits, entries: [entry()] },
  ATX: {
    sec: 'ATX',
    header: credits,
    entries: [entry({ transactionCode: 24, amount: 0, individualName: '0002Company' }, payment, payment)],
  },
  BOC: { sec: 'BOC', header: debits, entries: [entry()] },
  CCD: { sec: 'CCD', entries: [entry({}, payment), entry({ transactionCode: 24, amount: 0 }, payment)] },
  CIE: { sec: 'CIE', header: credits, entries: [entry({ transactionCode: 22 }, payment)] },
  COR: { sec: 'COR', entries: [entry({ transactionCode: 21, amount: 0 }, change)] },
  'COR refused': { sec: 'COR', entries: [entry({ transactionCode: 26, amount: 0 }, refusal)] },
  CTX: { sec: 'CTX', header: debits, entries: [entry({ individualName: '0002Company' }, payment, payment)] },
  DNE: { sec: 'DNE', header: { originatorStatusCode: 2 }, entries: [entry({ transactionCode: 23, amount: 0 }, payment)] },
  ENR: { sec: 'ENR', header: { companyEntryDescription: 'AUTOENROLL' }, entries: [entry({ transactionCode: 23, amount: 0 }, payment)] },
  IAT: { sec: 'IAT', header: debits, entries: [entry({}, ...international, ...internationalMore), entry({}, ...international)] },
  'IAT returned': { sec: 'IAT', entries: [entry({ transactionCode: 26 }, ...international, back)] },
  'IAT changed': { sec: 'COR', header: { IATIndicator: 'IATCOR' }, entries: [entry({ transactionCode: 21, amount: 0 }, change)] },
  'IAT refused': {
    sec: 'COR',
    header: { IATIndicator: 'IATCOR' },
    entries: [entry({ transactionCode: 26, amount: 0 }, refusal)],
  },
  MTE: { sec: 'MTE', entries: [entry({}, terminal)] },
  POP: { sec: 'POP', header: debits, entries: [entry({ identificationNumber: '123456   PHILPA' })] },
  POS: { sec: 'POS', header: debits, entries: [entry({ discretionaryData: '01' }, terminal)] },
  PPD: { sec: 'PPD', entries: [entry(), entry({ transactionCode: 22 }, payment), entry({ transactionCode: 38, amount: 0 })] },
  'PPD returned': { sec: 'PPD', entries: [entry({ transactionCode: 26 }, back)] },
  'PPD dishonored': {
    sec: 'PPD',
    entries: [
      entry({ transactionCode: 26 }, ['addenda99Dishonored', { dishonoredReturnReasonCode: 'R68', ...originalEntry, ...returned }]),
    ],
  },
  'PPD contested': {
    sec: 'PPD',
    entries: [
      entry({ transactionCode: 26 }, [
        'addenda99Contested',
        {
          contestedReturnCode: 'R71',
          ...originalEntry,
          ...returned,
          dateOriginalEntryReturned: '260801',
          originalSettlementDate: '164',
          dishonoredReturnTraceNumber: '889999990000301',
          dishonoredReturnSettlementDate: '166',
          dishonoredReturnReasonCode: '67',
        },
      ]),
    ],
  },
  RCK: { sec: 'RCK', header: { ...debits, companyEntryDescription: 'REDEPCHECK' }, entries: [entry()] },
  SHR: { sec: 'SHR', header: debits, entries: [entry({ discretionaryData: '01', identificationNumber: '072212345678910' }, terminal)] },
  TEL: { sec: 'TEL', header: debits, entries: [entry({ discretionaryData: 'S' })] },
  TRC: { sec: 'TRC', header: debits, entries: [entry({ individualName: 'CHECK11182726' })] },
  TRX: { sec: 'TRX', header: debits, entries: [entry({ individualName: '0002Company' }, payment, payment)] },
  WEB: { sec: 'WEB', entries: [entry({ transactionCode: 22, discretionaryData: 'S' }, payment)] },
  XCK: { sec: 'XCK', header: debits, entries: [entry({ individualName: 'CHECK11182726' })] },
} as const satisfies Readonly<Record<string, BatchSpec>>;

export type SampleName = keyof typeof sampleBatches;

/** Each type of addenda is in one of the samples. */
export const addendaOfSamples: ReadonlySet<AddendaName> = new Set(
  Object.values(sampleBatches as Readonly<Record<string, BatchSpec>>).flatMap(({ entries }) =>
    entries.flatMap(({ addenda = [] }) => addenda.map(([name]) => name)),
  ),
);
