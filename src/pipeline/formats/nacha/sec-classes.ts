/**
 * The standard entry classes as data: which addenda, transaction codes, sides, amounts and fields each of them asks for.
 * Source: Nacha Operating Rules, Article Two and Appendix Three.
 */

export interface SecClass {
  readonly code: string;
  /** Types of addenda of forward entries. */
  readonly addenda: 'none' | '02' | '05' | '98' | 'iat' | 'adv';
  /** Most addenda 05 of an entry. */
  readonly addendaMax: number;
  /** A forward entry without its addenda is refused. */
  readonly needsAddenda: boolean;
  /** Columns 55 to 58 of an entry say how many addenda it has. */
  readonly countsAddenda: boolean;
  /** Only this side; null: both. */
  readonly side: 'credit' | 'debit' | null;
  readonly refusedServiceClasses: readonly number[];
  /** Of forward entries; null: all but those of ADV. */
  readonly transactionCodes: readonly number[] | null;
  /** Entries of zero with remittance data: 24, 29 and those of other accounts. */
  readonly hasZeroDollar: boolean;
  /** `coded`: what the transaction code says. `iat`: the same, as a warning. `free`: nothing is asked. */
  readonly amount: 'coded' | 'zero' | 'iat' | 'free';
  readonly amountMaxCents: number;
  /** What the company entry description has to be. */
  readonly description: string | null;
  /** Of the receiver; blank it is `refused`, or `warned` of. */
  readonly blankName: 'refused' | 'warned' | 'allowed';
  /** `checked`: the check serial number. */
  readonly identification: 'free' | 'check' | 'nonzero';
  readonly hasCardType: boolean;
  readonly hasCardExpiration: boolean;
  readonly hasProcessControl: boolean;
  readonly hasPaymentType: boolean;
  /** The name comes before the identification. */
  readonly isNameFirst: boolean;
}

const plain: Omit<SecClass, 'code'> = {
  addenda: '05',
  addendaMax: 9_999,
  needsAddenda: false,
  countsAddenda: false,
  side: null,
  refusedServiceClasses: [280],
  transactionCodes: null,
  hasZeroDollar: false,
  amount: 'coded',
  amountMaxCents: Number.MAX_SAFE_INTEGER,
  description: null,
  blankName: 'allowed',
  identification: 'free',
  hasCardType: false,
  hasCardExpiration: false,
  hasProcessControl: false,
  hasPaymentType: false,
  isNameFirst: false,
};

const named = { blankName: 'refused' } as const;
const receiver = { blankName: 'warned' } as const;
const oneAddenda = { addendaMax: 1 } as const;
const noAddenda = { addenda: 'none' } as const;
const debits = { side: 'debit', refusedServiceClasses: [220, 280] } as const;
const check = { ...named, ...noAddenda, ...debits, identification: 'check' } as const;
const card = { ...named, addenda: '02', needsAddenda: true } as const;
const zeroDollar = { hasZeroDollar: true } as const;
const acknowledgment = { ...zeroDollar, ...receiver, transactionCodes: [24, 34], amount: 'zero' } as const;
const returnsOnly: readonly number[] = [21, 26, 31, 36, 41, 46, 51, 56];

const given: Readonly<Record<string, Partial<Omit<SecClass, 'code'>>>> = {
  ACK: { ...acknowledgment, ...oneAddenda },
  ADV: { addenda: 'adv', amount: 'free', refusedServiceClasses: [200, 220, 225], transactionCodes: [81, 82, 83, 84, 85, 86, 87, 88] },
  ARC: { ...check, amountMaxCents: 2_500_000 },
  ATX: { ...acknowledgment, countsAddenda: true },
  BOC: { ...check, amountMaxCents: 2_500_000 },
  CCD: { ...receiver, ...zeroDollar, ...oneAddenda },
  CIE: { ...named, ...oneAddenda, side: 'credit', refusedServiceClasses: [225, 280], isNameFirst: true },
  COR: { ...receiver, addenda: '98', needsAddenda: true, amount: 'zero', transactionCodes: returnsOnly },
  CTX: { ...receiver, ...zeroDollar, countsAddenda: true },
  DNE: { ...named, ...oneAddenda, needsAddenda: true, amount: 'zero', transactionCodes: [23, 33] },
  ENR: { ...named, needsAddenda: true, amount: 'zero', description: 'AUTOENROLL', transactionCodes: [23, 33] },
  IAT: { ...zeroDollar, addenda: 'iat', amount: 'iat' },
  MTE: { ...card, identification: 'nonzero', isNameFirst: true },
  POP: { ...check, amountMaxCents: 2_500_000 },
  POS: { ...card, hasCardType: true },
  PPD: { ...named, ...oneAddenda },
  RCK: { ...check, amountMaxCents: 250_000, description: 'REDEPCHECK' },
  SHR: { ...card, hasCardType: true, hasCardExpiration: true },
  TEL: { ...named, ...noAddenda, side: 'debit', hasPaymentType: true },
  TRC: { ...noAddenda, ...debits, hasProcessControl: true },
  TRX: { ...receiver, ...debits, needsAddenda: true, countsAddenda: true },
  WEB: { ...named, ...oneAddenda, hasPaymentType: true },
  XCK: { ...noAddenda, ...debits, amountMaxCents: 250_000, hasProcessControl: true },
};

export const secClasses: ReadonlyMap<string, SecClass> = new Map(
  Object.entries(given).map(([code, special]) => [code, { ...plain, ...special, code }]),
);

/** An entry of a batch whose class cannot be read is checked as little as may be. */
export const unknownSecClass: SecClass = {
  ...plain,
  code: '',
  amount: 'free',
  addenda: '05',
  hasZeroDollar: true,
  refusedServiceClasses: [],
};

/** Notifications of change of IAT entries: class COR, records of IAT. */
export const iatNotificationClass: SecClass = {
  ...plain,
  code: 'COR',
  addenda: 'iat',
  amount: 'iat',
  transactionCodes: returnsOnly,
};
