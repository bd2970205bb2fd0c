/** Records as parameters of prepared statements, in parts that one statement can take. */

/**
 * Each part is as large as `countMax` and `bytesMax` let it be: batches of one size take the same few statements. Never empty,
 * so what is too large for `bytesMax` is alone.
 */
export function partsOf<Item extends { readonly bytes: number }>(
  items: readonly Item[],
  { countMax, bytesMax }: { readonly countMax: number; readonly bytesMax: number },
): Item[][] {
  const parts: Item[][] = [];
  for (let at = 0; at < items.length; at += parts.at(-1)!.length) {
    let part = items.slice(at, at + countMax);
    while (part.length > 1 && part.reduce((sum, { bytes }) => sum + bytes, 0) > bytesMax) {
      part = part.slice(0, Math.ceil(part.length / 2));
    }
    parts.push(part);
  }
  return parts;
}

type Reviver = (key: string, value: unknown, context: { readonly source: string }) => unknown;
const parseWith = JSON.parse as (text: string, reviver: Reviver) => Readonly<Record<string, unknown>>;
const sources: Reviver = (_, value, { source }) => (typeof value === 'number' ? source : value);
/** In every JSON text with a number. In others at times, which costs time only. */
const mayHoldNumber = /(?:^|[:,[])\s*-?\d/;

/** Of a record of the body, in the order of the columns: texts, numbers as the text that they are written with. */
export function valuesOf(json: string, columns: readonly string[]): (string | boolean | null)[] {
  const record = mayHoldNumber.test(json) ? parseWith(json, sources) : (JSON.parse(json) as Readonly<Record<string, unknown>>);
  return columns.map((name) => {
    const value = record[name];
    if (value === null || value === undefined) return null;
    return typeof value === 'boolean' ? value : String(value);
  });
}
