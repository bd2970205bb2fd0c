/**
 * The network validated rules between the fields of one payment, as data. Source: Standards MT, network validated rules of
 * MT 101, 103 and 202.
 */
import type { SwiftRule } from './swift-rules.ts';

export type PaymentType = '101' | '103' | '202';

/** What the rules look at, of one payment. */
export interface PaymentFacts {
  /** Tags of the payment, of the second sequence of an MT 202 COV, and of the sequence before all payments of an MT 101. */
  readonly tags: ReadonlySet<string>;
  readonly coverTags: ReadonlySet<string>;
  readonly sharedTags: ReadonlySet<string>;
  /** Tags of the fields that begin with a slash: a party identifier or an account. */
  readonly accounts: ReadonlySet<string>;
  /** Of 56C, after a second slash. */
  readonly hasClearingCode: boolean;
  /** The message is an MT 103 STP. */
  readonly isThrough: boolean;
  /** Sender and receiver are both in countries of C2 of MT 103. */
  readonly isRegional: boolean;
  /** Of 32A or 32B; null where it cannot be read. */
  readonly currency: string | null;
  readonly isZero: boolean;
  /** Of 33B. */
  readonly instructedCurrency: string | null;
  /** Of the first payment of an MT 101. */
  readonly firstCurrency: string | null;
  /** Of 71A and 71G. */
  readonly charges: string | null;
  readonly receiverChargesCurrency: string | null;
  /** Of 23B and 23E. */
  readonly operation: string | null;
  readonly instructions: ReadonlySet<string>;
}

interface PaymentRule {
  readonly rule: SwiftRule;
  readonly types: readonly PaymentType[];
  /** What the finding names. */
  readonly field: string;
  /** Where it is told: at the first of these fields that is there, `+` before those of the second sequence of an MT 202 COV. */
  readonly at: readonly string[];
  readonly message: string;
  readonly isBroken: (facts: PaymentFacts) => boolean;
}

const has = (tags: ReadonlySet<string>, digits: string, options: string): boolean =>
  [...options].some((option) => tags.has(digits + option.trim()));

const instructing = (tags: ReadonlySet<string>) => has(tags, '50', 'CL');
const ordering = (tags: ReadonlySet<string>) => has(tags, '50', 'FGH');
const servicing = (tags: ReadonlySet<string>) => has(tags, '52', 'AC');

/** Of the service levels that banks agreed on. */
const leveled: ReadonlySet<string | null> = new Set(['SPAY', 'SPRI', 'SSTD']);
const beneficiary = ['59', '59A', '59F'];

const prioritized: ReadonlySet<string> = new Set(['SDVA', 'TELB', 'PHOB', 'INTC']);

export const paymentRules: readonly PaymentRule[] = [
  {
    rule: 'exchange-rate',
    types: ['103'],
    field: '36',
    at: ['36', '33B'],
    message: 'a rate is there without a second currency, or a second currency without a rate',
    isBroken: ({ tags, currency, instructedCurrency }) =>
      currency !== null && tags.has('36') !== (instructedCurrency !== null && instructedCurrency !== currency),
  },
  {
    rule: 'exchange-rate',
    types: ['101'],
    field: '36',
    at: ['36', '33B'],
    message: 'a rate is there without an instructed amount, or an instructed amount without a rate',
    isBroken: ({ tags, isZero }) => tags.has('36') !== (tags.has('33B') && !isZero),
  },
  {
    rule: 'forex-deal',
    types: ['101'],
    field: '21F',
    at: ['36'],
    message: 'there is a rate but no reference of its deal',
    isBroken: ({ tags }) => tags.has('36') && !tags.has('21F'),
  },
  {
    rule: 'instructed-currency',
    types: ['101'],
    field: '33B',
    at: ['33B'],
    message: 'the instructed amount is in the currency of the payment',
    isBroken: ({ currency, instructedCurrency }) => currency !== null && instructedCurrency === currency,
  },
  {
    rule: 'ordering-customer',
    types: ['101'],
    field: '50a',
    at: ['50'],
    message: 'the ordering customer is both of all payments and of one, or of neither',
    isBroken: ({ tags, sharedTags }) => ordering(tags) === ordering(sharedTags),
  },
  {
    rule: 'instructing-party',
    types: ['101'],
    field: '50a',
    at: ['50C', '50L'],
    message: 'the instructing party is both of all payments and of one',
    isBroken: ({ tags, sharedTags }) => instructing(tags) && instructing(sharedTags),
  },
  {
    rule: 'servicing-institution',
    types: ['101'],
    field: '52a',
    at: ['52'],
    message: 'the account servicing institution is both of all payments and of one',
    isBroken: ({ tags, sharedTags }) => servicing(tags) && servicing(sharedTags),
  },
  {
    rule: 'one-currency',
    types: ['101'],
    field: '32B',
    at: ['32B'],
    message: 'the payments of one customer reference are in several currencies',
    isBroken: ({ sharedTags, currency, firstCurrency }) => sharedTags.has('21R') && currency !== null && currency !== firstCurrency,
  },
  {
    rule: 'charges-fields',
    types: ['103'],
    field: '71A',
    at: ['71A'],
    message: 'the fields 71F and 71G are not those of the charges code',
    isBroken: ({ tags, charges }) =>
      (charges === 'OUR' && tags.has('71F')) ||
      (charges === 'SHA' && tags.has('71G')) ||
      (charges === 'BEN' && (!tags.has('71F') || tags.has('71G'))),
  },
  {
    rule: 'instructed-amount',
    types: ['103'],
    field: '33B',
    at: ['71F', '71G'],
    message: 'there are charges but no instructed amount',
    isBroken: ({ tags }) => (tags.has('71F') || tags.has('71G')) && !tags.has('33B'),
  },
  {
    rule: 'transaction-currency',
    types: ['103'],
    field: '71G',
    at: ['71G'],
    message: "the receiver's charges are not in the currency of the payment",
    isBroken: ({ currency, receiverChargesCurrency }) =>
      currency !== null && receiverChargesCurrency !== null && receiverChargesCurrency !== currency,
  },
  {
    rule: 'reimbursement',
    types: ['103'],
    field: '55a',
    at: ['55'],
    message: 'a third institution is there without both correspondents',
    isBroken: ({ tags }) => has(tags, '55', 'ABD') && !(has(tags, '53', 'ABD') && has(tags, '54', 'ABD')),
  },
  {
    rule: 'instruction-codes',
    types: ['103'],
    field: '23E',
    at: ['23E'],
    message: 'an instruction does not go with the operation code',
    isBroken: ({ operation, instructions }) =>
      ((operation === 'SSTD' || operation === 'SPAY') && instructions.size > 0) ||
      (operation === 'SPRI' && [...instructions].some((code) => !prioritized.has(code))),
  },
  {
    rule: 'account-with-institution',
    types: ['101', '103', '202'],
    field: '57a',
    at: ['56'],
    message: 'there is an intermediary but no account with institution',
    isBroken: ({ tags }) => has(tags, '56', 'ACD') && !has(tags, '57', 'ABCD'),
  },
  {
    rule: 'account-with-institution',
    types: ['202'],
    field: '57a',
    at: ['+56'],
    message: 'there is an intermediary of the covered payment but no account with institution',
    isBroken: ({ coverTags }) => has(coverTags, '56', 'ACD') && !has(coverTags, '57', 'ABCD'),
  },
  {
    rule: 'regional-amount',
    types: ['103'],
    field: '33B',
    at: ['32A'],
    message: 'the sender and the receiver are of countries between which the instructed amount is there',
    isBroken: ({ isRegional, tags }) => isRegional && !tags.has('33B'),
  },
  {
    rule: 'correspondent-options',
    types: ['103'],
    field: '53a',
    at: ['53D', '54B', '54D', '55B', '55D', '53B'],
    message: 'the option of a correspondent does not go with the operation code, or with straight-through processing',
    isBroken: ({ operation, isThrough, tags, accounts }) =>
      ((leveled.has(operation) || isThrough) && tags.has('53B') && !accounts.has('53B')) ||
      (leveled.has(operation) && (tags.has('53D') || has(tags, '54', 'BD') || has(tags, '55', 'BD'))),
  },
  {
    rule: 'intermediary',
    types: ['103'],
    field: '56a',
    at: ['56'],
    message: 'the intermediary does not go with the operation code',
    isBroken: ({ operation, tags, hasClearingCode }) =>
      (operation === 'SPRI' && has(tags, '56', 'ACD')) ||
      ((operation === 'SSTD' || operation === 'SPAY') && (tags.has('56D') || (tags.has('56C') && !hasClearingCode))),
  },
  {
    rule: 'account-with-options',
    types: ['103'],
    field: '57a',
    at: ['57'],
    message: 'the account with institution does not go with the operation code',
    isBroken: ({ operation, tags, accounts }) => leveled.has(operation) && (tags.has('57B') || (tags.has('57D') && !accounts.has('57D'))),
  },
  {
    rule: 'beneficiary-account',
    types: ['103'],
    field: '59a',
    at: ['59', '59A', '59F'],
    message: 'the account of the beneficiary is missing with this operation code or in straight-through processing, or is there with CHQB',
    isBroken: ({ operation, isThrough, instructions, tags, accounts }) => {
      const hasAccount = beneficiary.some((tag) => accounts.has(tag));
      const isNamed = beneficiary.some((tag) => tags.has(tag));
      return ((leveled.has(operation) || isThrough) && isNamed && !hasAccount) || (instructions.has('CHQB') && hasAccount);
    },
  },
  {
    rule: 'instruction-receivers',
    types: ['103'],
    field: '23E',
    at: ['23E'],
    message: 'an instruction is for an institution that is not there',
    isBroken: ({ instructions, tags }) =>
      ((instructions.has('PHOI') || instructions.has('TELI')) && !has(tags, '56', 'ACD')) ||
      ((instructions.has('PHON') || instructions.has('TELE')) && !has(tags, '57', 'ABCD')),
  },
  {
    rule: 'zero-amount',
    types: ['101'],
    field: '33B',
    at: ['33B', '21F', '32B'],
    message: 'the amount is zero, and the instructed amount or the deal does not go with the instructions',
    isBroken: ({ isZero, instructions, tags }) =>
      isZero && (instructions.has('EQUI') ? !tags.has('33B') : tags.has('33B') || tags.has('21F')),
  },
];
