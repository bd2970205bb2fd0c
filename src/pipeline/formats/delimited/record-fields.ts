/**
 * The texts of one delimited record for the few records that the splitter must read: the header row and records that
 * may be header or trailer. Strict: a record that the engine would reject for its structure has no fields here.
 */
import type { DelimitedPlan } from '../../engine/plan.ts';
import { type TextPage, textPageOf } from '../../engine/records/text-page.ts';
import { findRecordEnd, type RecordEnd } from './quoted-records.ts';

/**
 * `record` is without its line end. Null where encoding, characters or quotes are not those of the format. Of more than `fieldsMax` fields
 * the first are given.
 */
export function readFields(record: Buffer, format: DelimitedPlan, fieldsMax = 2 ** 32 - 1): string[] | null {
  const page = textPageOf(format);
  if (page.firstUnreadable(record, 0, record.length) >= 0 || record.includes(0)) return null;
  const quoteAt = format.quote === null ? -1 : record.indexOf(format.quote);
  if (quoteAt < 0)
    return record.includes(13) ? null : page.decode(record, 0, record.length).split(String.fromCharCode(format.delimiter), fieldsMax);
  const found: RecordEnd = { end: 0, isOpen: false, isSound: true };
  findRecordEnd(record, 0, quoteAt, format, found);
  if (found.isOpen || !found.isSound || found.end !== record.length) return null;
  return readQuotedFields(record, format, { page, fieldsMax });
}

interface Reading {
  readonly page: TextPage;
  readonly fieldsMax: number;
}

function readQuotedFields(record: Buffer, format: DelimitedPlan, { page, fieldsMax }: Reading): string[] | null {
  const { delimiter, escape: escapeByte } = format;
  const quote = format.quote!;
  const fields: string[] = [];
  const content = Buffer.allocUnsafe(record.length);
  for (let at = 0; ; ) {
    let length = 0;
    if (record[at] === quote) {
      at++;
      for (;;) {
        if (escapeByte !== null && record[at] === escapeByte && (escapeByte !== quote || record[at + 1] === quote)) {
          content[length++] = record[at + 1]!;
          at += 2;
        } else if (record[at] === quote) {
          at++;
          break;
        } else content[length++] = record[at++]!;
      }
    } else {
      while (at < record.length && record[at] !== delimiter) content[length++] = record[at++]!;
      if (content.subarray(0, length).includes(13)) return null;
    }
    if (fields.length < fieldsMax) fields.push(page.decode(content, 0, length));
    if (at >= record.length) return fields;
    // A carriage return behind a closing quote, which would be part of a line end if the record still had its own.
    if (record[at] !== delimiter) return null;
    at++;
  }
}
