/**
 * Takes a JSON line apart with a strict scanner of its own (RFC 8259): duplicate keys, depth and lone surrogates are
 * found, numbers keep their exact text, and no object is ever made from a record's keys.
 */
import { structureErrors } from '../engine-errors.ts';
import type { TextKind } from '../fields/field-reader.ts';
import type { JsonLinesPlan, Plan } from '../plan.ts';
import { JsonScanner } from './json-scanner.ts';
import { notesKey } from './pack-notes.ts';
import type { RecordReader } from './record-text.ts';
import { createTypeFinder, isUntagged, unknownTag } from './record-types.ts';
import { decodeUtf8 } from './utf8.ts';

interface Place {
  readonly slots: number[];
  readonly steps: Map<string, Place>;
}

function createPlace(): Place {
  return { slots: [], steps: new Map() };
}

/** Paths of all record types in one tree; the tag is slot 0. */
export function createJsonReader(plan: Plan, format: JsonLinesPlan): RecordReader {
  const findType = createTypeFinder(plan);
  const tree = createPlace();
  let slotCount = 1;
  const tagKey = isUntagged(plan) ? null : format.discriminator;
  if (tagKey !== null) placeAt(tree, [tagKey]).slots.push(0);
  const notesSlot = format.pack === undefined ? null : slotCount++;
  if (notesSlot !== null) placeAt(tree, [notesKey]).slots.push(notesSlot);
  const layouts = plan.records.map((record) =>
    record.fields.map((field) => {
      if (!('path' in field.at)) throw new Error(`field ${JSON.stringify(field.name)} has no path`);
      const slot = slotCount++;
      placeAt(tree, field.at.path).slots.push(slot);
      return slot;
    }),
  );
  const knownKeys = plan.records.map(
    (record) =>
      new Set([
        ...record.fields.map((field) => ('path' in field.at ? field.at.path[0]! : '')),
        ...(format.discriminator === null ? [] : [format.discriminator]),
        ...(notesSlot === null ? [] : [notesKey]),
      ]),
  );
  const texts: (string | null)[] = new Array(slotCount).fill(null);
  const kinds: TextKind[] = new Array(slotCount).fill('other');
  const scanner = new JsonScanner<Place>({
    step: (place, key) => place.steps.get(key) ?? null,
    take: (place, kind, text) => {
      for (const slot of place.slots) {
        texts[slot] = text;
        kinds[slot] = kind;
      }
    },
  });
  return (bytes, start, end, into) => {
    into.type = tagKey === null ? findType(null) : -1;
    texts.fill(null);
    const problem = scanner.scan(decodeUtf8(bytes, start, end), tree);
    if (problem !== null) return problem;
    if (tagKey !== null) into.type = kinds[0] === 'string' ? findType(texts[0]!) : -1;
    if (into.type < 0) return unknownTag;
    if (format.unknownKeys === 'reject' && scanner.topKeys.some((key) => !knownKeys[into.type]!.has(key))) return unknownKey;
    into.notes = notesSlot === null ? null : texts[notesSlot]!;
    const layout = layouts[into.type]!;
    for (let index = 0; index < layout.length; index++) {
      into.texts[index] = texts[layout[index]!]!;
      into.kinds[index] = kinds[layout[index]!]!;
    }
    return null;
  };
}

const unknownKey = { code: structureErrors.E_UNKNOWN_KEY, message: 'a key is not known to the flow' };

function placeAt(root: Place, path: readonly string[]): Place {
  let place = root;
  for (const key of path) {
    let next = place.steps.get(key);
    if (next === undefined) {
      next = createPlace();
      place.steps.set(key, next);
    }
    place = next;
  }
  return place;
}
