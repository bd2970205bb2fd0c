/** Records as parameters of prepared statements, in parts that one statement can take. */

/**
 * Parts of a power of two each: a session prepares few statements, whatever batches come. A part is as large as `countMax` and
 * `bytesMax` let it be, and never empty, so what is too large for `bytesMax` is alone.
 */
export function partsOf<Item extends { readonly bytes: number }>(
  items: readonly Item[],
  { countMax, bytesMax }: { readonly countMax: number; readonly bytesMax: number },
): Item[][] {
  const parts: Item[][] = [];
  for (let at = 0; at < items.length; at += parts.at(-1)!.length) {
    let count = 2 ** Math.floor(Math.log2(Math.min(items.length - at, countMax)));
    let part = items.slice(at, at + count);
    while (count > 1 && part.reduce((sum, { bytes }) => sum + bytes, 0) > bytesMax) {
      count /= 2;
      part = items.slice(at, at + count);
    }
    parts.push(part);
  }
  return parts;
}

type Reviver = (key: string, value: unknown, context: { readonly source: string }) => unknown;
const parseWith = JSON.parse as (text: string, reviver: Reviver) => unknown;

/** Of a record of the body, in the order of the columns: texts, numbers as the text that they are written with. */
export function valuesOf(json: string, columns: readonly string[]): (string | boolean | null)[] {
  const record = parseWith(json, (_, value, { source }) => (typeof value === 'number' ? source : value)) as Record<string, unknown>;
  return columns.map((name) => {
    const value = record[name];
    if (value === null || value === undefined) return null;
    return typeof value === 'boolean' ? value : String(value);
  });
}
