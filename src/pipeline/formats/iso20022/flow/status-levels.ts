/**
 * Status reports whose every status is a record: which fields of what was read say it at each level, the first that is there. A
 * transaction without a status of its own has that of what it is in.
 */
import { type LineKey, lineKey } from '../../record-lines.ts';

export type StatusLevel = 'group' | 'payment' | 'transaction';

export interface StatusField {
  readonly name: string;
  readonly key: LineKey;
  readonly from: Readonly<Record<StatusLevel, readonly string[]>>;
}

const field = (name: string, from: Partial<StatusField['from']>): StatusField => ({
  name,
  key: lineKey(name),
  from: { group: [], payment: [], transaction: [], ...from },
});
const ofTransaction = (name: string) => field(name, { transaction: [name] });

/** In the order of a line, behind its level. */
export const statusFields: readonly StatusField[] = [
  field('originalMessageId', { group: ['originalMessageId'], payment: ['originalMessageId'], transaction: ['originalMessageId'] }),
  field('originalPaymentInformationId', { payment: ['originalPaymentInformationId'], transaction: ['originalPaymentInformationId'] }),
  ofTransaction('originalInstructionId'),
  ofTransaction('originalEndToEndId'),
  ofTransaction('originalTransactionId'),
  ofTransaction('statusId'),
  field('status', {
    group: ['groupStatus'],
    payment: ['paymentInformationStatus'],
    transaction: ['transactionStatus', 'paymentInformationStatus', 'groupStatus'],
  }),
  field('reasonCode', { group: ['groupReasonCode'], payment: ['paymentInformationReasonCode'], transaction: ['reasonCode'] }),
  field('proprietaryReason', {
    group: ['groupProprietaryReason'],
    payment: ['paymentInformationProprietaryReason'],
    transaction: ['proprietaryReason'],
  }),
  field('reasonInformation', {
    group: ['groupReasonInformation'],
    payment: ['paymentInformationReasonInformation'],
    transaction: ['reasonInformation'],
  }),
];

/** The status itself: a level that says none has no record. */
export const statusField = statusFields.findIndex(({ name }) => name === 'status');

const levelKey = lineKey('level');
export const levelBytes: Readonly<Record<StatusLevel, Buffer>> = {
  group: Buffer.concat([levelKey, Buffer.from('"group"')]),
  payment: Buffer.concat([levelKey, Buffer.from('"payment"')]),
  transaction: Buffer.concat([levelKey, Buffer.from('"transaction"')]),
};
