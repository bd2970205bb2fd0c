/**
 * Every rule of the nacha pack: what holds, where it is written, and whether breaking it refuses a file by default. A setting
 * may change that (`nacha-settings.ts`). "Rules" are the Nacha Operating Rules, "App. 3" and "App. 4" their appendices.
 */
import { nachaErrors } from './nacha-errors.ts';

export interface NachaRule {
  readonly code: keyof typeof nachaErrors;
  readonly severity: 'error' | 'warn';
  readonly says: string;
}

type Code = NachaRule['code'];
const declare =
  (code: Code, severity: NachaRule['severity']) =>
  (says: string): NachaRule => ({ code, severity, says });

const { E_NACHA_STRUCTURE, E_NACHA_FIELD, E_NACHA_ENTRY, E_NACHA_TOTAL } = nachaErrors;
const structure = declare(E_NACHA_STRUCTURE, 'error');
const structureWarning = declare(E_NACHA_STRUCTURE, 'warn');
const field = declare(E_NACHA_FIELD, 'error');
const fieldWarning = declare(E_NACHA_FIELD, 'warn');
const entry = declare(E_NACHA_ENTRY, 'error');
const entryWarning = declare(E_NACHA_ENTRY, 'warn');
const total = declare(E_NACHA_TOTAL, 'error');
const totalWarning = declare(E_NACHA_TOTAL, 'warn');

export const nachaRules = {
  'file-empty': structure('A file has records (App. 3, sequence of records).'),
  'byte-order-mark': structure('A file begins with its first record, not with a byte order mark (App. 3, character set).'),
  'line-breaks-missing': structureWarning('Each record is a line of its own (custom of files that are sent over networks).'),
  'line-end': structureWarning('A line ends with LF or CR LF, not with CR alone (custom of files that are sent over networks).'),
  'line-short': structureWarning('A record has 94 characters (App. 3, record size); one with fewer is read as if spaces followed.'),
  'line-long': structureWarning('A record has 94 characters (App. 3, record size); spaces after them are no record.'),
  'line-tail': structure('Only spaces follow the 94 characters of a record on its line (App. 3, record size).'),
  'line-blank': structureWarning('No line is blank, and no end-of-file mark follows the records (App. 3, sequence of records).'),
  'record-type': structure('A record begins with 1, 5, 6, 7, 8 or 9 (App. 3, record type code).'),
  'file-header-missing': structure('The first record is the file header (App. 3, sequence of records).'),
  'file-header-misplaced': structure('There is one file header, and it comes first (App. 3, sequence of records).'),
  'file-control-missing': structure('The last record before the filler is the file control (App. 3, sequence of records).'),
  'record-after-file-control': structure('Only filler follows the file control (App. 3, sequence of records).'),
  'batch-control-missing': structure('A batch ends with its batch control (App. 3, sequence of records).'),
  'batch-control-outside': structure('A batch control ends a batch that was begun (App. 3, sequence of records).'),
  'batch-empty': structure('A batch has at least one entry (App. 3, sequence of records).'),
  'entry-outside-batch': structure('An entry is inside a batch (App. 3, sequence of records).'),
  'addenda-outside-entry': structure('An addenda record follows an entry (App. 3, sequence of records).'),
  'addenda-type': structure(
    'An addenda record is of a type that its kind of batch has: 02, 05, 98, 99; 10 to 18 in IAT (App. 3, addenda type code).',
  ),
  'addenda-limit': structure('An entry has at most 9,999 addenda records (App. 3, addenda sequence number).'),
  'file-without-batches': structureWarning('A file has at least one batch (App. 3, sequence of records).'),
  'filler-place': structureWarning('Filler follows the file control (App. 3, blocking).'),
  'filler-text': structureWarning('Filler is a record of 94 nines (App. 3, blocking).'),
  'filler-count': structureWarning('Records and filler together are a multiple of ten (App. 3, blocking factor).'),
  'adv-mixed': structure('A file has either ADV batches or others (App. 3, ADV file control).'),

  character: field('Fields hold printable ASCII characters (App. 3, character set).'),
  'character-extended': fieldWarning('Fields hold ASCII characters, not other letters and signs in UTF-8 (App. 3, character set).'),
  number: field('A numeric field holds digits, the identification of a bank eight of them (App. 3, data specifications).'),
  'number-fill': fieldWarning('A numeric field is filled with zeros, not with spaces (App. 3, data specifications).'),
  'field-blank': field('A mandatory or required field is neither blank nor, if numeric, zero (App. 3, field inclusion requirements).'),
  'field-blank-expected': fieldWarning('A mandatory or required field is not blank (App. 3, field inclusion requirements).'),
  'field-zeros': field('Company name, company identification and company entry description are not zeros (App. 3, company/batch header).'),
  reserved: fieldWarning('A reserved field is blank (App. 3, reserved).'),
  'record-constants': field('Record size is 094, blocking factor 10, format code 1 (App. 3, file header).'),
  'priority-code': fieldWarning('The priority code is 01 (App. 3, file header).'),
  'immediate-destination': field('The immediate destination is a routing number with a valid check digit, not zero (App. 3, file header).'),
  'immediate-origin': field('The immediate origin is not zero; where the setting asks for it, a routing number (App. 3, file header).'),
  'file-creation-date': field('The file creation date is a date, yyMMdd (App. 3, file header).'),
  'file-creation-time': fieldWarning('The file creation time is blank or a time, HHmm (App. 3, file header).'),
  'file-id-modifier': field('The file ID modifier is an upper-case letter or a digit (App. 3, file header).'),
  'service-class': field('The service class code is 200, 220, 225 or 280 (App. 3, service class code).'),
  'sec-code': field('The standard entry class code is one of the Rules (App. 3, standard entry class code).'),
  'originator-status': field('The originator status code is 1 or 2, in IAT 0 too, in ADV 0 (App. 3, originator status code).'),
  'effective-date': fieldWarning('The effective entry date is blank or a date, yyMMdd (App. 3, effective entry date).'),
  'settlement-date': fieldWarning('A settlement date is blank or a day of the year, 001 to 366 (App. 3, settlement date).'),
  'batch-number-order': field(
    'Batch numbers are above zero and ascend; IAT batches have their own order, but no number twice (App. 3, batch number).',
  ),
  'company-description': field(
    'The company entry description is REDEPCHECK in RCK, but for reversals, and AUTOENROLL in ENR (App. 3, company entry description).',
  ),
  'service-class-sec': field(
    'The service class fits the class of entries: 280 is that of ADV; no credits in those of checks, no debits in CIE but for reversals (App. 3).',
  ),
  'foreign-exchange-indicator': field('The foreign exchange indicator is FF, FV or VF (App. 3, IAT company/batch header).'),
  'foreign-exchange-reference': field(
    'The foreign exchange reference indicator is 1, 2 or 3; 0 with FF (App. 3, IAT company/batch header).',
  ),
  country: field('The ISO destination country code is one of ISO 3166-1 (App. 3, IAT company/batch header).'),
  currency: field('The ISO currency codes are of ISO 4217 (App. 3, IAT company/batch header).'),
  'addenda-indicator-code': field('The addenda record indicator is 0 or 1 (App. 3, addenda record indicator).'),
  'transaction-code': field('The transaction code is one of the Rules (App. 3, transaction codes).'),
  'check-digit': field('The check digit is that of the routing number (App. 3, check digit).'),
  'transaction-date': field('The transaction date is a month and a day, MMdd (App. 3, POS, SHR and MTE addenda).'),
  'terminal-state': field('The terminal state is a state or territory of the United States (App. 3, POS, SHR and MTE addenda).'),
  'transaction-type-code': field('The transaction type code is one of the Rules (App. 3, first IAT addenda).'),
  'id-number-qualifier': field('A DFI identification number qualifier is 01, 02 or 03 (App. 3, fourth and fifth IAT addenda).'),
  'correspondent-qualifier': fieldWarning(
    'The identification number qualifier of a correspondent bank is 01, 02 or 03 (App. 3, addenda 18).',
  ),
  'branch-country': fieldWarning('The branch country codes of IAT addenda are of ISO 3166-1 (App. 3, addenda 13, 14 and 18).'),
  'payment-type': fieldWarning('The payment type code is R, S or blank in TEL and WEB (App. 3, payment type code).'),
  'advice-routing-number': fieldWarning('The advice routing number of an ADV entry has a valid check digit (App. 3, ADV entry detail).'),
  'advice-day': fieldWarning('The day of an ADV entry is a day of the year, 001 to 366 (App. 3, ADV entry detail).'),
  'advice-order': fieldWarning('The sequence numbers of ADV entries ascend within a batch, from 1 to 9,999 (App. 3, ADV entry detail).'),
  'change-code': field(
    'A change code is one of the Rules, C08 in IAT only, and a refusal names the one it refuses (App. 5, change codes).',
  ),
  'return-code': field('A return reason code is one of the Rules (App. 4, return reason codes).'),
  'returned-reason-code': fieldWarning('The reason codes that a dishonored or contested return repeats are of the Rules (App. 4).'),
  'date-of-death': fieldWarning('The date of death is a date, and is given with R14 and R15 (App. 4, addenda of returns).'),

  'originator-dne': entry('Only an agency of the Federal Government originates DNE entries: originator status code 2 (App. 3, DNE).'),
  'iat-noc': entry(
    'A notification of change of an IAT entry is in a batch of class COR with the indicator IATCOR, and no other is (App. 5, IAT).',
  ),
  'transaction-code-sec': entry(
    'The transaction code is one of those of its class of entries, in a return one that answers these; the other side is for reversals (App. 3, transaction codes).',
  ),
  'transaction-code-service-class': entry(
    'Credits are not in batches of debits (225), debits not in those of credits (220) (App. 3, service class code).',
  ),
  'iat-service-class': entryWarning(
    'Credits are not in IAT batches of debits (225), debits not in those of credits (220) (App. 3, service class code).',
  ),
  'loan-debit': entryWarning('A loan account is debited only in a batch whose description is REVERSAL (App. 3, transaction codes).'),
  'return-transaction-code': entryWarning(
    'A return has a transaction code of returns, which ends with 1 or 6, and no other entry has one (App. 4, transaction codes).',
  ),
  'trace-number-order': entry('Trace numbers ascend within a batch (App. 3, trace number).'),
  'trace-number-odfi': entry('A trace number begins with the ODFI of its batch (App. 3, trace number).'),
  'amount-zero': entry('The amount of an entry is above zero, unless its code is of prenotes or of zero-dollar entries (App. 3, amount).'),
  'amount-zero-return': entryWarning(
    'The amount of a return is that of the entry it returns, above zero but for prenotes (App. 4, amount).',
  ),
  'amount-nonzero': entry(
    'The amount of a prenote, a zero-dollar entry, a notification, an acknowledgment, a DNE or ENR entry is zero (App. 3, amount).',
  ),
  'iat-amount': entryWarning(
    'The amount of an IAT entry is above zero, but for prenotes, zero-dollar entries and notifications, whose amount is zero (App. 3, amount).',
  ),
  'amount-limit': entry('An ARC, BOC or POP entry is at most 25,000.00, an RCK or XCK entry 2,500.00 (Rules, Article Two).'),
  'individual-name': entry('The name of the receiver is neither blank nor zeros (App. 3, individual name).'),
  'check-serial-number': entryWarning('The check serial number is not blank in ARC, BOC, POP and RCK (App. 3, check serial number).'),
  'process-control': entry('Process control field and item research number are not blank in TRC and XCK (App. 3, TRC and XCK).'),
  'card-transaction-type': entry('The card transaction type code is one of the Rules in POS and SHR (App. 3, card transaction type code).'),
  'card-expiration': entry('The card expiration date is a month and a year, MMyy, of 18 to 50 in SHR (App. 3, card expiration date).'),
  'identification-number': entry('The identification number is neither blank nor zeros in MTE (App. 3, MTE).'),
  'addenda-indicator': entry(
    'Addenda records follow only an entry whose addenda record indicator is 1 (App. 3, addenda record indicator).',
  ),
  'addenda-missing': entry('An addenda record follows an entry whose addenda record indicator is 1 (App. 3, addenda record indicator).'),
  'zero-dollar-addenda': entryWarning(
    'A zero-dollar entry of CCD or CTX has addenda 05, the remittance data that it is for (App. 3, transaction codes).',
  ),
  'addenda-required': entry(
    'POS, SHR and MTE entries have addenda 02, DNE, ENR and TRX entries addenda 05, COR entries addenda 98 (App. 3).',
  ),
  'addenda-forbidden': entry('An entry has only addenda records of its class of entries and category (App. 3 and App. 4).'),
  'addenda-repeated': entry('An entry has one addenda record of each type other than 05, 17 and 18 (App. 3).'),
  'answers-together': entryWarning(
    'Returns, dishonored and contested returns, notifications and their refusals are entries of their own (App. 4 and 5).',
  ),
  'addenda-maximum': entry('ACK, CCD, CIE, DNE, PPD and WEB entries have one addenda 05; IAT entries two addenda 17 and five 18 (App. 3).'),
  'addenda-count-field': entry(
    'The number of addenda records of an ATX, CTX or TRX entry is that of its records; in a return it is a number (App. 3).',
  ),
  'iat-addenda-required': entry('An IAT entry and its return have each of the addenda 10 to 16 (App. 3, IAT).'),
  'iat-addenda-count': entryWarning('The number of addenda records of an IAT entry is that of its records (App. 3, IAT).'),
  'iat-addenda-order': entryWarning('The addenda records of an IAT entry are in the order of their types (App. 3, IAT).'),
  'addenda-sequence-order': entry('Addenda sequence numbers do not descend (App. 3, addenda sequence number).'),
  'addenda-sequence-gap': entryWarning('Addenda sequence numbers begin with 1 and are consecutive (App. 3, addenda sequence number).'),
  'addenda-entry-sequence': entry('The entry detail sequence number of addenda is the end of the trace number of the entry (App. 3).'),
  'addenda-trace': entryWarning('The trace number of addenda is that of the entry (App. 3, trace number).'),
  'category-mixed': entry('Forward entries, returns, dishonored and contested returns are in batches of their own (App. 4).'),

  'service-class-match': total('The service class code of the batch control is that of the header (App. 3, batch control).'),
  'company-identification-match': total('The company identification of the batch control is that of the header (App. 3, batch control).'),
  'odfi-match': total('The ODFI identification of the batch control is that of the header (App. 3, batch control).'),
  'batch-number-match': total('The batch number of the batch control is that of the header (App. 3, batch control).'),
  'batch-entry-count': total('The entry/addenda count of a batch is the number of its entry and addenda records (App. 3, batch control).'),
  'batch-hash': total(
    'The entry hash of a batch is the sum of the RDFI identifications of its entries, its last ten digits (App. 3, entry hash).',
  ),
  'batch-debit': total('The total debit amount of a batch is the sum of its debits (App. 3, batch control).'),
  'batch-credit': total('The total credit amount of a batch is the sum of its credits (App. 3, batch control).'),
  'batch-unbalanced': total(
    'Debits and credits of a batch are equal, where the setting asks for offsetting entries (agreement with the ODFI).',
  ),
  'file-batch-count': total('The batch count is the number of batches (App. 3, file control).'),
  'file-entry-count': total('The entry/addenda count of the file is the number of its entry and addenda records (App. 3, file control).'),
  'file-hash': total('The entry hash of the file is the sum of those of its batches, its last ten digits (App. 3, entry hash).'),
  'file-debit': total('The total debit amount of the file is the sum of its debits (App. 3, file control).'),
  'file-credit': total('The total credit amount of the file is the sum of its credits (App. 3, file control).'),
  'block-count': totalWarning('The block count is the number of blocks of ten records, the last one filled (App. 3, file control).'),
} as const satisfies Readonly<Record<string, NachaRule>>;

export type NachaRuleId = keyof typeof nachaRules;
