/** Which fields of a payment become which fields of its line, and how they are taken apart, in the order of the line. */
import { type LineKey, lineKey } from '../record-lines.ts';
import type { paymentFields } from './flow-fields.ts';
import type { PaymentType } from './payment-rules.ts';

/** `payment`: a date (not in MT 101), a currency and an amount. `money`: without a date. `party`: an account and who it is of. */
export type PartForm = 'text' | 'date' | 'number' | 'payment' | 'money' | 'account' | 'party';

export interface PaymentPart {
  readonly keys: readonly LineKey[];
  readonly form: PartForm;
}

interface Part extends PaymentPart {
  readonly tags: readonly string[];
  /** Type of the messages that have it; `cover`: the second sequence of MT 202 COV, of tags that are in both. Absent: any. */
  readonly of?: PaymentType | 'cover';
}

type Name = keyof typeof paymentFields;

const part = (tags: string, form: PartForm, ...names: readonly Name[]): Part => ({ tags: tags.split(' '), form, keys: names.map(lineKey) });
const partOf = (of: NonNullable<Part['of']>, tags: string, name: Name): Part => ({ ...part(tags, 'text', name), of });

const parts: readonly Part[] = [
  part('20', 'text', 'senderReference'),
  partOf('101', '21', 'transactionReference'),
  partOf('202', '21', 'relatedReference'),
  part('21R', 'text', 'customerReference'),
  part('28D', 'text', 'messageIndex'),
  part('25', 'text', 'authorisation'),
  part('30', 'date', 'requestedDate'),
  part('32A 32B', 'payment', 'valueDate', 'currency', 'amount'),
  part('33B', 'money', 'instructedCurrency', 'instructedAmount'),
  part('36', 'number', 'exchangeRate'),
  part('21F', 'text', 'dealReference'),
  part('23B', 'text', 'operationCode'),
  part('23E', 'text', 'instructionCodes'),
  part('26T', 'text', 'transactionTypeCode'),
  part('13C', 'text', 'timeIndications'),
  part('50C 50L', 'text', 'instructingParty'),
  part('50A 50F 50G 50H 50K', 'party', 'orderingAccount', 'orderingCustomer'),
  part('51A', 'text', 'sendingInstitution'),
  part('52A 52C 52D', 'text', 'orderingInstitution'),
  part('53A 53B 53D', 'text', 'sendersCorrespondent'),
  part('54A 54B 54D', 'text', 'receiversCorrespondent'),
  part('55A 55B 55D', 'text', 'thirdReimbursementInstitution'),
  part('56A 56C 56D', 'text', 'intermediary'),
  part('57A 57B 57C 57D', 'text', 'accountWithInstitution'),
  part('58A 58D', 'text', 'beneficiaryInstitution'),
  part('59 59A 59F', 'party', 'beneficiaryAccount', 'beneficiary'),
  part('70', 'text', 'remittanceInformation'),
  part('71A', 'text', 'chargesCode'),
  part('71F', 'text', 'sendersCharges'),
  part('71G', 'text', 'receiversCharges'),
  part('25A', 'account', 'chargesAccount'),
  part('72', 'text', 'senderToReceiver'),
  part('77B', 'text', 'regulatoryReporting'),
  part('77T', 'text', 'envelopeContents'),
  partOf('cover', '52A 52D', 'coverOrderingInstitution'),
  partOf('cover', '56A 56C 56D', 'coverIntermediary'),
  partOf('cover', '57A 57B 57C 57D', 'coverAccountWithInstitution'),
  partOf('cover', '72', 'coverSenderToReceiver'),
];

export const paymentParts: readonly PaymentPart[] = parts;

/** Indexes in `paymentParts` by tag. */
export type PartTable = ReadonlyMap<string, number>;

function tableOf(isOf: (part: Part) => boolean): PartTable {
  return new Map(parts.flatMap((each, index) => (isOf(each) ? each.tags.map((tag): [string, number] => [tag, index]) : [])));
}

const tables: ReadonlyMap<string, PartTable> = new Map(
  (['101', '103', '202'] as const).map((type) => [type, tableOf(({ of }) => of === undefined || of === type)]),
);

export function partsOf(type: string): PartTable {
  return tables.get(type)!;
}

export const coverParts: PartTable = tableOf(({ of }) => of === 'cover');
export const orderingPart = partsOf('202').get('50K')!;
