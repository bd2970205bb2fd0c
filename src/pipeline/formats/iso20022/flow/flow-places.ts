/** Where in a message what flows see stands, by path: fields by number, and what begins and ends a header, a group and a record. */
import { type LineKey, lineKey } from '../../record-lines.ts';
import { eachStatusFamily, type FieldForm, type FieldRow, type FlowFamily, flowFamilies } from './flow-families.ts';

export interface FlowField {
  readonly name: string;
  readonly key: LineKey;
  readonly form: FieldForm;
}

/** What an element is to a flow; 0: nothing. Fields are 1 and up. */
export const flowPlaces = { header: -1, lastHeader: -2, group: -3, record: -4 } as const;

export interface PlacedFamily {
  /** By path under the element of the message. */
  readonly places: ReadonlyMap<string, number>;
  /** A field's place less one is its index here: those of the header first, then those of groups, then those of records. */
  readonly fields: readonly FlowField[];
  readonly headerFields: number;
  readonly groupFields: number;
  readonly hasSides: boolean;
  /** Index of the field that says which side an amount is on; -1: there is none. */
  readonly side: number;
  /** Of the field that has the position of a group; null: there is none. */
  readonly position: LineKey | null;
}

const creditDebit = lineKey('creditDebit');
/** What follows an amount in a line. */
export const amountKeys = {
  currency: lineKey('currency'),
  controlAmount: lineKey('controlAmount'),
  credit: lineKey('credit'),
  debit: lineKey('debit'),
} as const;

const placed = new Map<string, PlacedFamily>();

/** `message`: as in `pain.001.001.09`. `isEachStatus`: of a pain.002 whose every status is a record. */
export function placedFamilyOf(message: string, isEachStatus = false): PlacedFamily {
  const name = message.slice(0, 'pain.001'.length);
  const key = isEachStatus ? `${name} by status` : name;
  let known = placed.get(key);
  if (known === undefined) placed.set(key, (known = placeFamily(isEachStatus ? eachStatusFamily : flowFamilies[name]!)));
  return known;
}

function placeFamily(family: FlowFamily): PlacedFamily {
  const places = new Map<string, number>();
  const fields: FlowField[] = [];
  const place = (rows: readonly FieldRow[], above: readonly string[]): void => {
    for (const [name, form, paths] of rows) {
      fields.push({ name, key: lineKey(name), form });
      for (const path of paths.split('|'))
        for (const holder of above) places.set(holder === '' ? path : `${holder}/${path}`, fields.length);
    }
  };
  place(family.header, ['']);
  place(family.grouped, family.group === null ? [] : [family.group]);
  place(family.record, family.records);
  for (const header of family.headers) places.set(header, header === family.headers.at(-1) ? flowPlaces.lastHeader : flowPlaces.header);
  if (family.group !== null) places.set(family.group, flowPlaces.group);
  for (const record of family.records) places.set(record, flowPlaces.record);
  return {
    places,
    fields,
    headerFields: family.header.length,
    groupFields: family.grouped.length,
    hasSides: family.hasSides,
    side: fields.findIndex(({ key }) => key.equals(creditDebit)),
    position: family.position === undefined ? null : lineKey(family.position),
  };
}
