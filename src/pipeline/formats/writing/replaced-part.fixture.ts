/** For properties: a document in which some part is replaced by anything. */
import fc from 'fast-check';

const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom<unknown>('', '-1', '1,5', 0, -1, 1.5, null, [], {}, [[]], [{}], { '@Ccy': 'EUR' }),
);

export const replacedPart = fc.tuple(fc.array(fc.nat(99), { maxLength: 9 }), anything).map(
  ([way, part]) =>
    (document: unknown): unknown =>
      replaced(document, way, part),
);

/** `part` in place of what is at the end of the way, each step of which is a key by its number. */
function replaced(value: unknown, way: readonly number[], part: unknown): unknown {
  const [step, ...rest] = way;
  if (step === undefined || typeof value !== 'object' || value === null) return part;
  const keys = Object.keys(value);
  if (keys.length === 0) return part;
  const key = keys[step % keys.length]!;
  const inner = replaced((value as Record<string, unknown>)[key], rest, part);
  return Array.isArray(value) ? value.map((item, index) => (String(index) === key ? inner : item)) : { ...value, [key]: inner };
}

/** Where a document that was written and read back is another one: all but what was empty, and zeros of numbers. */
export function lostValues(given: unknown, read: unknown, place = ''): readonly string[] {
  if (given === null || given === undefined || given === '') return [];
  if (typeof given !== 'object') return numberForm(String(given)) === numberForm(String(read)) ? [] : [place];
  if (typeof read !== 'object' || read === null) return Object.keys(given).length === 0 ? [] : [place];
  // Between the elements of mixed content an empty text is none.
  const isMixed = place.endsWith('/content') && Array.isArray(given);
  const [before, after] = (isMixed ? [withoutEmpty(given), read] : [given, read]) as [Record<string, unknown>, Record<string, unknown>];
  return Object.keys(before).flatMap((key) => lostValues(before[key], after[key], `${place}/${key}`));
}

const withoutEmpty = (items: readonly unknown[]): readonly unknown[] => items.filter((item) => item !== '' && item !== null);

/** Amounts in the same form, whatever zeros they have. */
function numberForm(text: string): string {
  return /^\d+(?:\.\d+)?$/.test(text) ? (text.includes('.') ? text : `${text}.`).replace(/^0+/, '').replace(/0+$/, '') : text;
}
