/** The nacha pack in flows: what an ACH file has without a schema. Totals of the file control are compared with the entries. */
import type { PackField, PackFlow, PackSchema, PackSettings } from '../pack.ts';
import {
  addendaNames,
  batchNames,
  controlNames,
  correspondentMax,
  correspondentNames,
  entryNames,
  type FieldForm,
  headerNames,
} from './flow-fields.ts';
import { nachaSettingList } from './nacha-settings.ts';

const types = {
  text: { type: 'string' },
  number: { type: 'int' },
  amount: { type: 'decimal', scale: 2 },
  date: { type: 'date' },
  time: { type: 'time' },
} as const satisfies Readonly<Record<FieldForm, PackField>>;

/** Personal data (Nacha Operating Rules, data security): who is paid, from which account. */
const personal: Readonly<Record<string, Pick<PackField, 'class' | 'mask'>>> = {
  DFIAccountNumber: { class: 'account', mask: 'last4' },
  individualName: { class: 'name', mask: 'all' },
  receiverName: { class: 'name', mask: 'all' },
  identificationNumber: { class: 'person', mask: 'last4' },
  receiverStreetAddress: { class: 'address', mask: 'all' },
  receiverCityStateProvince: { class: 'address', mask: 'all' },
  correctedData: { class: 'account', mask: 'last4' },
};

type Names = readonly (readonly [name: string, form: FieldForm, ...sources: string[]])[];

function fieldsOf(names: Names): Record<string, PackField> {
  return Object.fromEntries(names.map(([name, form]) => [name, { ...types[form], ...personal[name] }]));
}

const money = { type: 'decimal', scale: 2, sum: true, currency: 'currency' } as const;

const fields: Omit<PackSchema, 'totals'> = {
  header: fieldsOf(headerNames),
  record: {
    ...fieldsOf(batchNames),
    ...fieldsOf(entryNames),
    batchNumber: { type: 'int', required: true },
    amount: { ...money, required: true },
    currency: { type: 'currency', required: true },
    debit: money,
    credit: money,
    traceNumber: { type: 'string', required: true },
    paymentRelatedInformation: { type: 'string' },
    ...fieldsOf(Object.values(addendaNames).flatMap((names) => names ?? [])),
    ...fieldsOf(
      Array.from({ length: correspondentMax }, (_, index) =>
        correspondentNames.map((name) => [`${name}${index + 1}`, 'text'] as const),
      ).flat(),
    ),
    category: { type: 'string', required: true },
    addendaRecords: { type: 'int', required: true, sum: true },
  },
  trailer: fieldsOf(controlNames),
  key: ['batchNumber', 'traceNumber'],
  tied: ['transactionCode', 'currency', 'amount', 'debit', 'credit', 'category', 'addendaRecords'],
};

interface ComparedTotals {
  readonly isControlRequired: boolean;
  readonly isCounted: boolean;
}

/** Of a file that may lack its file control, what that declares is compared where it is there. */
function totalsOf({ isControlRequired, isCounted }: ComparedTotals): PackSchema['totals'] {
  const same = (declared: string, computed: string): string =>
    `${isControlRequired ? '' : `!has(trailer.${declared}) || `}trailer.${declared} == ${computed}`;
  // An entry of an unknown transaction code is on neither side: what the two sides leave is that of all such entries together.
  const rest =
    'stats.sum.amount != stats.sum.debit + stats.sum.credit && trailer.totalDebit >= stats.sum.debit && trailer.totalCredit >= stats.sum.credit && trailer.totalDebit + trailer.totalCredit == stats.sum.amount';
  const sameAmount = (declared: string, computed: string): string => `${same(declared, computed)} || (${rest})`;
  const amounts = [
    {
      id: 'nacha-total-debit',
      assert: sameAmount('totalDebit', 'stats.sum.debit'),
      code: 'NACHA-DEBIT',
      message: 'The total debit of the file control is not that of the entries',
    },
    {
      id: 'nacha-total-credit',
      assert: sameAmount('totalCredit', 'stats.sum.credit'),
      code: 'NACHA-CREDIT',
      message: 'The total credit of the file control is not that of the entries',
    },
  ];
  const count = {
    id: 'nacha-entry-count',
    assert: same('entryAddendaCount', 'stats.records + stats.sum.addendaRecords'),
    code: 'NACHA-COUNT',
    message: 'The entry/addenda count of the file control is not that of the records',
  };
  return isCounted ? [...amounts, count] : amounts;
}

function schema(settings: PackSettings): PackSchema {
  const isRefused = (name: string): boolean => (settings.get(name) ?? 'refuse') === 'refuse';
  return {
    ...fields,
    totals: totalsOf({
      isControlRequired: isRefused('missingFileControl'),
      isCounted: isRefused('addendaCounts'),
    }),
  };
}

export const nachaFlow: PackFlow = { settings: nachaSettingList, schema };
