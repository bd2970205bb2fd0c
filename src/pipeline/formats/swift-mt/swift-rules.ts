/**
 * The rules of SWIFT MT files, by id. Sources: SWIFT User Handbook, FIN System Messages (blocks), Standards MT General
 * Information (character sets, formats), Standards MT Category 1, 2 and 9 message reference guides (layouts and network
 * validated rules).
 */
import type { PackRule } from '../pack.ts';
import { swiftErrors } from './swift-errors.ts';

const structure = (says: string): PackRule => ({ code: swiftErrors.E_SWIFT_STRUCTURE, says });
const field = (says: string): PackRule => ({ code: swiftErrors.E_SWIFT_FIELD, says });
const total = (says: string): PackRule => ({ code: swiftErrors.E_SWIFT_TOTAL, says });
const network = (says: string): PackRule => ({ code: swiftErrors.E_SWIFT_RULE, says });

export const swiftRules = {
  encoding: structure('The file is text in ASCII or a superset of it, not UTF-16 or UTF-32 (General Information, character sets).'),
  'control-character': structure(
    'No line holds control characters; those between messages that mark their ends are passed over (General Information).',
  ),
  'line-size': structure('No line is longer than 32,768 bytes (limit of this reader).'),
  'field-size': structure(
    'No field is longer than 65,536 bytes, nor are those of a payment or the fields 86 of an entry longer than 1,048,576 (limits of this reader).',
  ),
  'no-messages': structure('A file has at least one message.'),
  'envelope-line': structure('Between messages there is nothing but what ends and begins them (FIN, message structure).'),
  'network-message': structure(
    'A message of the network itself, such as an acknowledgement (service 21), is passed over (FIN, system messages).',
  ),
  'block-syntax': structure('A block is a brace, its number, a colon, its content and a closing brace (FIN, message structure).'),
  'block-order': structure(
    'The blocks of a message are 1, 2, 3, 4 and 5, each at most once; 3 and 5 may be absent, and blocks of a letter are passed over (FIN, message structure).',
  ),
  'basic-header': structure(
    'Block 1 is an application, a service, twelve characters of a terminal, four digits and six digits (FIN, basic header).',
  ),
  'application-header': structure(
    'Block 2 is that of an input or an output message, with its type and its terminal (FIN, application header).',
  ),
  'user-header': structure(
    'In block 3 a reference (108) has at most 16 characters, a flag (119) at most 8 letters or digits, and the end-to-end reference (121) is a UUID of version 4 in lower case (FIN, user header).',
  ),
  'text-end': structure('The text in block 4 ends with a line of a hyphen and a closing brace (FIN, text block).'),
  'message-type': structure('A message is of type 101, 103, 202, 940, 941, 942 or 950.'),
  'message-kind': structure('A message is of the kind that the setting `messages` names.'),
  'field-missing': field('Mandatory fields are there (format specification of the message type).'),
  'field-order': field('Fields have the order of the message type (format specification).'),
  'field-repeated': field('A field occurs as often as the message type allows (format specification).'),
  'field-unknown': field('A field is one of the message type (format specification).'),
  'field-variant': field('Statements have field 28C, not 28 (format specification of MT 940, 942 and 950).'),
  'field-format': field(
    'A field has the form of its tag: lengths, character kinds, parts and lines (Category 1, 2 and 9, field specifications).',
  ),
  'character-set': field(
    "Text has the characters of set x: letters, digits, space and / - ? : ( ) . , ' + (General Information, character sets).",
  ),
  'line-begin': field(
    'No line of a field but its first begins with a colon or a hyphen, which begin fields and ends (General Information, field structure); field 77T may.',
  ),
  'reference-slash': field('A reference neither begins nor ends with a slash, and has no two in a row (fields 20, 21, 21F and 21R; T26).'),
  date: field('A date is a day of the calendar (T50).'),
  time: field('A time is one of the 24-hour clock, an offset at most 13 hours and 59 minutes (T38, T15, T16).'),
  mark: field('A balance is marked C or D, an entry C, D, RC, RD, in MT 942 also EC or ED (fields 60, 61, 62, 64, 65).'),
  amount: field('An amount is digits with one comma, and at least one digit before it (General Information, amounts; T40, T43).'),
  'amount-length': field('An amount is at most 15 characters long (General Information, amounts), in statements at most 30.'),
  'amount-decimals': field('An amount has no more decimals than its currency (ISO 4217; C03).'),
  commodity: field('The currency of a payment is none of the commodities XAG, XAU, XPD and XPT (field 32A of MT 103 and 202; C08).'),
  'amount-zero': field(
    'The amount of a payment is not zero (field 32A of MT 103 and 202), nor that of the charges in 71G (field 71G of MT 103; D57).',
  ),
  'currency-unknown': field('A currency is one of ISO 4217 (T52).'),
  'entry-type': field(
    'The type of an entry is N or F and three letters or digits, or S and three digits (field 61, subfield 6; T53, T18).',
  ),
  'entry-reference': field(
    'An entry has a reference of at most 16 characters, and a reference of the bank of at most 16 (field 61, subfields 7 and 8).',
  ),
  'entry-details': field('Supplementary details of an entry are one line of at most 34 characters (field 61, subfield 9).'),
  'information-size': field('Information to the account owner is at most six lines of 65 characters (field 86).'),
  'charges-code': field('Details of charges are BEN, OUR or SHA (field 71A; T08).'),
  'instruction-code': field(
    'An instruction code is one of those of the message type (field 23E of MT 101 and 103; T47, of MT 103 STP; T48).',
  ),
  'instruction-information': field(
    'Only some instruction codes take information (field 23E of MT 101: CMTO, OTHR, PHON, REPA; D66. Of MT 103: HOLD, PHOB, PHOI, PHON, REPA, TELB, TELE, TELI; D97).',
  ),
  'instruction-repeated': field('An instruction code is there once, OTHR of MT 101 as often as wanted (field 23E of MT 101 and 103; E46).'),
  'instruction-order': field(
    'Instruction codes come in the order SDVA, INTC, REPA, CORT, HOLD, CHQB, PHOB, TELB, PHON, TELE, PHOI, TELI (field 23E of MT 103; D98).',
  ),
  'instruction-combination': field('Instruction codes that exclude each other are not in one payment (field 23E of MT 101 and 103; D67).'),
  'party-identifier': field(
    'The code in a party identifier is ARNU, CCPT, CUST, DRLC, EMPL, NIDN, SOSE or TXID (T55), its country one of ISO 3166, or Kosovo (T73) (field 50F).',
  ),
  'party-lines': field(
    'The lines of a party begin with number 1 and are in order, 2 with 3, 4 with 5, 8 after an identifier, 4 to 8 once (T56); 3, 5, 6 and 7 begin with a country (T73), 4 is a date (T50). Since 2021 number 3 is there, and no number more than twice (T56) (fields 50F and 59F).',
  ),
  'identifier-country': field('The country in a business identifier code is one of ISO 3166, or Kosovo (T73).'),
  'operation-code': field('The bank operation code is CRED, CRTS, SPAY, SPRI or SSTD (field 23B; T36).'),
  'closing-balance': total('The opening balance and the entries add up to the closing balance (fields 60, 61 and 62 of MT 940 and 950).'),
  'balance-currency': total('The balances and floor limits of a message are in one currency (C2 of MT 940, 941, 942 and 950; C27).'),
  'page-balance': total('A page of a statement opens with the balance that the page before closed with (fields 60M and 62M).'),
  'page-number': total('The pages of a statement are numbered one after the other (field 28C).'),
  'interim-count': total(
    'The number of entries is that of the entries, or where there is a floor limit no less (fields 90D and 90C of MT 942).',
  ),
  'interim-sum': total(
    'The sum of entries is that of the entries, or where there is a floor limit no less (fields 90D and 90C of MT 942).',
  ),
  'floor-limits': network('One floor limit has no mark, of two the first is marked D and the second C (C1 and C2 of MT 942; C23).'),
  'exchange-rate': network(
    'There is an exchange rate where the instructed amount 33B is in another currency, and only there (C1 of MT 103, D75; C2 of MT 101, D60).',
  ),
  'forex-deal': network('Where there is an exchange rate, field 21F names its deal (C1 of MT 101; D54).'),
  'instructed-currency': network('The instructed amount 33B is in another currency than 32B (C5 of MT 101; D68).'),
  'ordering-customer': network('The ordering customer is named for all payments of a message or for each (C3 of MT 101; D61).'),
  'instructing-party': network('The instructing party is named for all payments of a message or for single ones (C4 of MT 101; D62).'),
  'servicing-institution': network(
    'The account servicing institution is named for all payments of a message or for single ones (C6 of MT 101; D64).',
  ),
  'one-currency': network('Payments with one customer reference 21R are in one currency (C8 of MT 101; D98).'),
  'charges-fields': network(
    'With OUR there is no 71F, with SHA no 71G, with BEN at least one 71F and no 71G (C14 of MT 103; E13, D50, E15).',
  ),
  'instructed-amount': network('Where there are charges in 71F or 71G, there is 33B (C15 of MT 103; D51).'),
  'transaction-currency': network('The charges in 71G are in the currency of 32A (C18 of MT 103; C02).'),
  reimbursement: network('Where there is a third reimbursement institution (55a), there are 53a and 54a (C7 of MT 103; E06).'),
  'instruction-codes': network(
    'With SPRI the instructions 23E are SDVA, TELB, PHOB or INTC, with SSTD and SPAY there are none (C3 of MT 103; E01, E02).',
  ),
  'account-with-institution': network(
    'Where there is an intermediary (56a), there is an account with institution (57a) (C9 of MT 103, C1 of MT 202, C81; C2 of MT 202 COV, C68; C7 of MT 101, D65).',
  ),
  'regional-amount': network('Between banks in the European countries that the rule lists there is 33B (C2 of MT 103; D49).'),
  'correspondent-options': network(
    'With SPRI, SSTD or SPAY 53a is not of option D and has a party identifier in option B, 54a and 55a are of option A (C4, C5, C6 and C8 of MT 103; E03, E04, E05, E07). In MT 103 STP 53B has a party identifier too.',
  ),
  intermediary: network(
    'With SPRI there is no intermediary (56a), with SSTD and SPAY it is of option A, or C with a clearing code (C10 of MT 103; E16, E17).',
  ),
  'account-with-options': network(
    'With SPRI, SSTD or SPAY the account with institution (57a) is of option A or C, or D with a party identifier (C11 of MT 103; E09).',
  ),
  'beneficiary-account': network(
    'With SPRI, SSTD or SPAY, and in MT 103 STP, the beneficiary (59a) has an account, with CHQB it has none (C12 and C13 of MT 103; E10, E18).',
  ),
  'instruction-receivers': network(
    'With PHOI or TELI there is an intermediary (56a), with PHON or TELE an account with institution (57a) (C16 and C17 of MT 103; E44, E45).',
  ),
  'zero-amount': network('An amount of zero (32B) has with EQUI an instructed amount 33B, else neither 33B nor 21F (C9 of MT 101; E54).'),
} as const satisfies Readonly<Record<string, PackRule>>;

export type SwiftRule = keyof typeof swiftRules;
