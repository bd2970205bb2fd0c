/** The swift-mt pack in flows: entries of statements, or payments, as the setting `messages` says; without a schema. */
import type { PackFlow, PackSchema, PackSettings } from '../pack.ts';
import { entryFields, entryTrailerFields, markFields, paymentFields, paymentTrailerFields } from './flow-fields.ts';
import { swiftSettingList } from './swift-settings.ts';

const entryTotals: PackSchema['totals'] = [
  {
    id: 'swift-entry-count',
    assert: 'trailer.entries == stats.records',
    code: 'SWIFT-COUNT',
    message: 'The entries of the messages are not those that were read',
  },
  {
    id: 'swift-balances',
    assert: 'trailer.balanceChange == stats.sum.bookedAmount',
    code: 'SWIFT-BALANCE',
    message: 'The entries do not come to what lies between the opening and the closing balances',
  },
];
const paymentTotals: PackSchema['totals'] = [
  {
    id: 'swift-payment-count',
    assert: 'trailer.payments == stats.records',
    code: 'SWIFT-COUNT',
    message: 'The payments of the messages are not those that were read',
  },
];

/** Parts of messages have no account, currency or amount. */
function schema(settings: PackSettings): ReturnType<PackFlow['schema']> {
  if (settings.get('messages') === 'any')
    return { key: 'messages', problem: 'a record is an entry of statements, or one of payments: say which of the two the file has' };
  const required = settings.get('strictness') !== 'lenient';
  if (settings.get('messages') === 'payments')
    return {
      header: null,
      record: {
        ...paymentFields,
        currency: { ...paymentFields.currency, required },
        amount: { ...paymentFields.amount, required },
      },
      trailer: paymentTrailerFields,
      key: ['messageNumber', 'paymentNumber'],
      tied: ['currency', 'amount', 'instructedCurrency', 'instructedAmount'],
      totals: paymentTotals,
    };
  return {
    header: null,
    record: { ...entryFields, currency: { ...entryFields.currency, required } },
    trailer: entryTrailerFields,
    key: ['messageNumber', 'entryNumber'],
    tied: ['mark', 'currency', 'amount', 'bookedAmount', ...Object.values(markFields)],
    totals: settings.get('balances') === 'warn' ? entryTotals.slice(0, 1) : entryTotals,
  };
}

export const swiftFlow: PackFlow = {
  settings: swiftSettingList,
  schema,
};
