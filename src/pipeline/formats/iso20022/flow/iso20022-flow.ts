/** The iso20022 pack in flows: what a message has without a schema, by the family that the flow names. */
import type { PackField, PackFlow, PackSchema } from '../../pack.ts';
import { iso20022Settings, messageSetting, statusesSetting } from '../iso20022-settings.ts';
import { eachStatusFamily, type FieldForm, type FieldRow, type FlowFamily, flowFamilies } from './flow-families.ts';
import { statusFields } from './status-levels.ts';

/** Decimals of an amount (ActiveOrHistoricCurrencyAndAmount), and so of their sums. */
const amountScale = 5;

const types = {
  text: { type: 'string' },
  integer: { type: 'int' },
  decimal: { type: 'decimal', scale: amountScale },
  date: { type: 'date' },
  amount: { type: 'decimal', scale: amountScale, required: true, sum: true, currency: 'currency' },
} as const satisfies Readonly<Record<FieldForm, PackField>>;

/** Personal data: accounts, names and what people write to each other. */
function personal(name: string): Pick<PackField, 'class' | 'mask'> {
  if (/Iban$|Account$|^accountNumber$/.test(name)) return { class: 'account', mask: 'last4' };
  if (/^(debtor|creditor|initiatingParty)Name$/.test(name)) return { class: 'name', mask: 'all' };
  return /^(remittanceInformation|additionalInformation)$/.test(name) ? { class: 'text', mask: 'all' } : {};
}

function fieldsOf(rows: readonly FieldRow[], required: readonly string[]): Record<string, PackField> {
  return Object.fromEntries(
    rows.map(([name, form]) => [name, { ...types[form], ...personal(name), ...(required.includes(name) ? { required: true } : {}) }]),
  );
}

const controlAmount = { type: 'decimal', scale: amountScale, sum: true } as const;
const side = { type: 'decimal', scale: amountScale, sum: true, currency: 'currency' } as const;
const currency = { type: 'string', required: true } as const;

function recordFields(family: FlowFamily): Record<string, PackField> {
  const own = fieldsOf(family.record, []);
  if (!family.record.some(([, form]) => form === 'amount')) return own;
  return { ...own, currency, ...(family.hasSides ? { credit: side, debit: side } : { controlAmount }) };
}

function schemaOf(family: FlowFamily): PackSchema {
  const position = family.position === undefined ? {} : { [family.position]: { type: 'int' } as const };
  const record = { ...position, ...fieldsOf(family.grouped, []), ...recordFields(family) };
  return {
    header: { messageName: { type: 'string', required: true }, ...fieldsOf(family.header, ['messageId']) },
    record,
    trailer: null,
    key: family.key,
    tied: ['currency', 'amount', 'creditDebit', 'controlAmount', 'credit', 'debit'].filter((name) => Object.hasOwn(record, name)),
    totals: family.hasTotals ? totals : [],
  };
}

const reportName = 'pain.002';

/** Each status is a record: of the message, of a payment information, of a transaction. */
function statusSchema(): PackSchema {
  const text = { type: 'string' } as const;
  return {
    ...schemaOf(eachStatusFamily),
    record: { level: { ...text, required: true }, ...Object.fromEntries(statusFields.map(({ name }) => [name, text])) },
    key: ['level', 'originalPaymentInformationId', 'originalEndToEndId', 'originalInstructionId'],
  };
}

const totals: PackSchema['totals'] = [
  {
    id: 'iso20022-number-of-transactions',
    assert: 'header.numberOfTransactions == stats.records',
    code: 'ISO-COUNT',
    message: 'The number of transactions of the group header is not that of the transactions',
  },
  {
    id: 'iso20022-control-sum',
    assert: '!has(header.controlSum) || header.controlSum == stats.sum.controlAmount',
    code: 'ISO-SUM',
    message: 'The control sum of the group header is not the sum of the amounts',
  },
];

export const iso20022Flow: PackFlow = {
  settings: iso20022Settings,
  schema(settings) {
    const family = flowFamilies[String(settings.get(messageSetting))];
    if (family === undefined)
      return { key: messageSetting, problem: `a flow reads one kind of messages: ${Object.keys(flowFamilies).join(', ')}` };
    if (settings.get(statusesSetting) === 'all')
      return family === flowFamilies[reportName]
        ? statusSchema()
        : { key: statusesSetting, problem: `every status is a record of ${reportName} only` };
    const schema = schemaOf(family);
    return settings.get('totals') === 'warn' ? { ...schema, totals: [] } : schema;
  },
};
