/**
 * Array literals of PostgreSQL (manual, "Array Input and Output Syntax") for the parameters of statements that write many
 * rows at once: texts, numbers, truth values, times and nulls in one dimension, in one pass and with little to throw away.
 */

/** Undefined for what is something else, which the driver then writes in its own way. */
export function arrayLiteral(values: readonly unknown[]): string | undefined {
  let literal = '{';
  for (let index = 0; index < values.length; index++) {
    const element = elementText(values[index]);
    if (element === undefined) return undefined;
    literal += index === 0 ? element : `,${element}`;
  }
  return `${literal}}`;
}

function elementText(value: unknown): string | undefined {
  if (value === null || value === undefined) return 'NULL';
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      return value instanceof Date && !Number.isNaN(value.getTime()) ? `"${value.toISOString()}"` : undefined;
    default:
      return undefined;
  }
}

function quoted(text: string): string {
  const escaped = text.includes('\\') ? text.replaceAll('\\', '\\\\') : text;
  return escaped.includes('"') ? `"${escaped.replaceAll('"', '\\"')}"` : `"${escaped}"`;
}
