/**
 * The rules of a BAI2 file, by id. Source, where a rule names a section: Cash Management Balance Reporting Specifications,
 * Version 2 (BAI, later ANSI X9).
 */
import type { PackRule } from '../pack.ts';
import { bai2Errors } from './bai2-errors.ts';

const structure = (says: string): PackRule => ({ code: bai2Errors.E_BAI2_STRUCTURE, says });
const field = (says: string): PackRule => ({ code: bai2Errors.E_BAI2_FIELD, says });
const total = (says: string): PackRule => ({ code: bai2Errors.E_BAI2_TOTAL, says });

export const bai2Rules = {
  encoding: structure('The file is text in ASCII or a superset of it, not UTF-16 or UTF-32 (section 2).'),
  'control-character': structure('No line holds control characters other than the tab (section 2).'),
  'line-length': structure('No line is longer than 32,768 bytes (limit of this reader).'),
  'record-length': structure('No record with its continuations is longer than 1,048,576 bytes (limit of this reader).'),
  'blank-line': structure('No line between records is blank (section 2).'),
  'record-code': structure('A record begins with one of the codes 01, 02, 03, 16, 49, 88, 98, 99 and a comma (section 3).'),
  'records-in-line': structure('A line holds one record (section 2); others behind its slash are read.'),
  'line-wrapped': structure('A line that continues the text of a detail begins with 88 (section 2); one without is read as text.'),
  'record-order': structure(
    '01, then groups 02 … 98 of accounts 03, 16 …, 49, then 99; 88 continues 01, 02, 03, 16, 49, 98 or 99 (section 2).',
  ),
  'file-header-missing': structure('The first record is a file header 01 (section 2).'),
  'account-trailer-missing': structure('An account ends with its trailer 49 (section 2).'),
  'group-trailer-missing': structure('A group ends with its trailer 98 (section 2).'),
  'file-trailer-missing': structure('The file ends with its trailer 99 (section 2).'),
  'after-file-trailer': structure('Nothing follows the file trailer 99 (section 2).'),
  'file-without-groups': structure('A file has at least one group (section 2).'),
  'group-without-accounts': structure('A group has at least one account (section 2).'),
  'physical-record-length': structure('No line is longer than the physical record length of the file header (section 3, record 01).'),
  'delimiter-missing': structure('A record, or a line of it that does not end within the text of a detail, ends with a slash (section 2).'),
  'delimiter-inside': structure('Nothing follows the slash that ends a record, except in records 16 (section 2).'),
  'field-missing': field('A record has all of its fields, empty ones too (section 3).'),
  'field-extra': field('A record has no more fields than the format gives it (section 3).'),
  'field-required': field(
    'Sender, receiver, date, time, file number, originator, as-of date and account number are not empty (section 3).',
  ),
  date: field('A date is yyMMdd and a day of the calendar (section 3).'),
  time: field('A time is HHmm from 0000 to 2359, or 2400 or 9999 for the end of the day (section 3).'),
  'time-clock': field('A time is written HHmm, not HH:mm:ss (section 3).'),
  number: field('Lengths, counts and days are digits, at most nine (section 3).'),
  version: field('The version number is 2 (section 3, record 01).'),
  'group-status': field('The group status is 1, 2, 3 or 4; where it is empty or 0 it is read as 1 (section 3, record 02).'),
  'as-of-date-modifier': field('The as-of-date modifier is 1, 2, 3, 4 or empty (section 3, record 02).'),
  'currency-form': field('A currency is three letters (section 3, records 02 and 03).'),
  'currency-unknown': field('A currency is one of ISO 4217.'),
  'type-code-form': field('A type code is three digits (section 3, records 03 and 16).'),
  'type-code-unknown': field('A type code is one of Appendix A, or of the range 900 to 999.'),
  'type-code-level': field('A record 03 has type codes of statuses and summaries, a record 16 those of details (Appendix A).'),
  'status-availability': field('A status has neither item count nor funds type (section 3, record 03).'),
  'non-monetary-amount': field('A detail of type 890 has no amount (Appendix A).'),
  'amount-form': field('An amount is digits without a decimal point, at most 24, after an optional sign (section 3).'),
  'amount-sign': field('Only statuses are negative (section 3, records 03 and 16).'),
  'item-count': field('An item count is digits or empty (section 3, record 03).'),
  'funds-type': field('A funds type is 0, 1, 2, S, V, D, Z or empty (section 3, records 03 and 16).'),
  'availability-sum': field('What is available on the days of funds type S or D adds up to the amount (section 3).'),
  'account-control-total': total('The account control total is the sum of the amounts in the 03 and 16 records (section 3, record 49).'),
  'account-record-count': total('The count of an account is that of its lines, from 03 to 49 (section 3, record 49).'),
  'group-control-total': total('The group control total is the sum of the account control totals (section 3, record 98).'),
  'group-account-count': total('The number of accounts is that of the 03 records of the group (section 3, record 98).'),
  'group-record-count': total('The count of a group is that of its lines, from 02 to 98 (section 3, record 98).'),
  'file-control-total': total('The file control total is the sum of the group control totals (section 3, record 99).'),
  'file-group-count': total('The number of groups is that of the 02 records (section 3, record 99).'),
  'file-record-count': total('The count of the file is that of its lines, from 01 to 99 (section 3, record 99).'),
} as const satisfies Readonly<Record<string, PackRule>>;

export type Bai2Rule = keyof typeof bai2Rules;
