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
