/** Sets values of a JSON line that was read before, so that everything else keeps its exact text: numbers of any size too. */
import type { FieldPlan } from '../plan.ts';
import type { RecordText } from '../records/record-text.ts';

const numberForm = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** Numbers as they are written (TC39 JSON.parse source text access), which the library of the compiler does not know yet. */
const exactJson = JSON as unknown as {
  parse(text: string, revive: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
};

type JsonObject = Record<string, unknown>;

/** Null when a path leads through something that is no object. */
export function encodeJsonLine(
  content: Buffer,
  change: { readonly fields: readonly FieldPlan[]; readonly read: RecordText; readonly texts: ReadonlyMap<number, string | null> },
): Buffer | null {
  const line = exactJson.parse(content.toString('utf8'), (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? exactJson.rawJSON(source) : value,
  ) as JsonObject;
  for (const [index, text] of change.texts) {
    const field = change.fields[index]!;
    if (!('path' in field.at)) return null;
    if (!setAt(line, field.at.path, jsonValue(field, text, change.read.kinds[index]!))) return null;
  }
  return Buffer.from(JSON.stringify(line));
}

/** Of the kind that it had, where the text is one; else of that of the field's type. */
function jsonValue(field: FieldPlan, text: string | null, kind: RecordText['kinds'][number]): unknown {
  if (text === null) return null;
  const isNumber = kind === 'number' || (kind === 'other' && (field.type === 'int' || field.type === 'decimal'));
  if (isNumber && numberForm.test(text)) return exactJson.rawJSON(text);
  const isTruth = kind === 'boolean' || (kind === 'other' && field.type === 'boolean');
  return isTruth && (text === 'true' || text === 'false') ? text === 'true' : text;
}

function setAt(line: JsonObject, path: readonly string[], value: unknown): boolean {
  let place = line;
  for (const key of path.slice(0, -1)) {
    if (!Object.hasOwn(place, key) || place[key] === null) define(place, key, {});
    const next = place[key];
    if (typeof next !== 'object' || Array.isArray(next)) return false;
    place = next as JsonObject;
  }
  define(place, path.at(-1)!, value);
  return true;
}

/** A key such as `__proto__` is a key like any other. */
function define(place: JsonObject, key: string, value: unknown): void {
  Object.defineProperty(place, key, { value, writable: true, enumerable: true, configurable: true });
}
