/** Fields of BAI2 records from the values of the document. What a field has to be like is for the reader to find that reads it back. */
import type { JsonValue } from '../../documents/document-stream.ts';
import { pointerTo } from '../../documents/document-stream.ts';
import { type DocumentValues, givenAt, type JsonMembers } from '../../writing/document-values.ts';

/** Names of the fields of a record in their order; `number`: those that are numbers in the document. */
export interface FieldNames {
  readonly names: readonly string[];
  readonly numbers: ReadonlySet<string>;
}

const named = (names: string, numbers: string): FieldNames => ({ names: names.split(' '), numbers: new Set(numbers.split(' ')) });

export const fileHeaderFields = named(
  'sender receiver fileCreatedDate fileCreatedTime fileIdNumber physicalRecordLength blockSize versionNumber',
  'physicalRecordLength blockSize versionNumber',
);
export const groupHeaderFields = named(
  'receiver originator groupStatus asOfDate asOfTime currencyCode asOfDateModifier',
  'groupStatus asOfDateModifier',
);

const daysOfS = ['immediateAmount', 'oneDayAmount', 'twoDayAmount'];
const momentOfV = ['date', 'time'];
const ofDetail = ['typeCode', 'amount', 'fundsType', 'bankReferenceNumber', 'customerReferenceNumber', 'text'];
const ofSummary = ['typeCode', 'amount', 'itemCount', 'fundsType'];

export class FieldTexts {
  readonly #values: DocumentValues;

  constructor(values: DocumentValues) {
    this.#values = values;
  }

  /** `slashes`: whether a slash may be in it, as in the references of details. */
  field(object: JsonMembers, name: string, pointer: string, { slashes = false }: { readonly slashes?: boolean } = {}): string {
    const text = this.#values.optionalText(object, name, pointer) ?? '';
    if (/[,\n]/.test(text) || (!slashes && text.includes('/')))
      throw this.#values.refuse(pointerTo(pointer, name), 'a field does not hold what ends it: a comma, a slash or a line feed');
    if (text !== text.replaceAll(/^ +| +$/g, '')) throw this.#values.refuse(pointerTo(pointer, name), 'spaces around a field are not read');
    return text;
  }

  number(object: JsonMembers, name: string, pointer: string): string {
    return this.#values.optionalCount(object, name, pointer)?.toString() ?? '';
  }

  fields(object: JsonMembers, { names, numbers }: FieldNames, pointer: string): string[] {
    this.#values.onlyKeys(object, (key) => names.includes(key), pointer);
    return names.map((name) => (numbers.has(name) ? this.number(object, name, pointer) : this.field(object, name, pointer)));
  }

  /** Type code, amount, item count, funds type and what follows it. */
  summary(value: JsonValue, pointer: string): string[] {
    const summary = this.#values.object(value, pointer);
    this.#values.onlyKeys(summary, (key) => ofSummary.includes(key), pointer);
    const typeCode = this.field(summary, 'typeCode', pointer);
    // An empty one is passed over, and what follows would be read in its place.
    if (typeCode === '') throw this.#values.refuse(pointerTo(pointer, 'typeCode'), 'a summary has a type code');
    return [typeCode, this.field(summary, 'amount', pointer), this.number(summary, 'itemCount', pointer), ...this.#funds(summary, pointer)];
  }

  /** All fields of a detail but its text. */
  detail(detail: JsonMembers, pointer: string): string[] {
    this.#values.onlyKeys(detail, (key) => ofDetail.includes(key), pointer);
    return [
      this.field(detail, 'typeCode', pointer),
      this.field(detail, 'amount', pointer),
      ...this.#funds(detail, pointer),
      this.field(detail, 'bankReferenceNumber', pointer, { slashes: true }),
      this.field(detail, 'customerReferenceNumber', pointer, { slashes: true }),
    ];
  }

  #funds(record: JsonMembers, outer: string): string[] {
    const values = this.#values;
    const pointer = pointerTo(outer, 'fundsType');
    const funds = values.optionalObject(record, 'fundsType', outer);
    if (funds === null) return [''];
    const type = this.field(funds, 'typeCode', pointer);
    // What follows in the record depends on it.
    if (!/^[012SVDZ]$/.test(type))
      throw values.refuse(pointerTo(pointer, 'typeCode'), 'a funds type is 0, 1, 2, S, V, D or Z; without one it is null');
    const names = type === 'S' ? daysOfS : type === 'V' ? momentOfV : type === 'D' ? ['distributionNumber', 'distributions'] : [];
    values.onlyKeys(funds, (key) => key === 'typeCode' || names.includes(key), pointer);
    if (type === 'D') return [type, ...this.#distributions(funds, pointer)];
    return [type, ...names.map((name) => this.field(funds, name, pointer))];
  }

  /** How many there are, where it is absent; then days and amounts. */
  #distributions(funds: JsonMembers, outer: string): string[] {
    const values = this.#values;
    const pointer = pointerTo(outer, 'distributions');
    const items = values.optionalList(funds, 'distributions', outer);
    const declared = values.optionalCount(funds, 'distributionNumber', outer);
    if (declared !== null && declared !== items.length)
      throw values.refuse(pointerTo(outer, 'distributionNumber'), `declared ${declared}, there are ${items.length} distributions`);
    const pairs = items.flatMap((item, index) => {
      const place = pointerTo(pointer, index);
      const pair = values.object(item, place);
      values.onlyKeys(pair, (key) => key === 'day' || key === 'amount', place);
      return [this.number(pair, 'day', place), this.field(pair, 'amount', place)];
    });
    return [String(items.length), ...pairs];
  }
}

/** The amount in minor units; zero where it is none, which the reader tells. */
export function amountUnits(object: JsonMembers, name: string): bigint {
  const value = givenAt(object, name);
  return value?.kind === 'string' && /^[+-]?\d{1,24}$/.test(value.value) ? BigInt(value.value.replace('+', '')) : 0n;
}
