/**
 * The shape of a JSON line: its keys, punctuation and spaces as literal bytes, its scalar values as slots. Records of one
 * sender nearly always share one shape, and a record of the same shape needs no parsing: only its values are checked.
 */

export type JsonPart =
  | { readonly literal: Buffer }
  /** Keys that lead to the value, outermost first. */
  | { readonly path: readonly string[]; readonly kind: 'string' | 'number' | 'word' };

const numberOrWord = /-?[0-9][0-9.eE+-]*|true|false|null/y;

/** Null for shapes with arrays, whose length may vary. `line` is one valid JSON object without duplicate keys. */
export function jsonTemplate(line: string): readonly JsonPart[] | null {
  const parts: JsonPart[] = [];
  let at = 0;
  let from = 0;
  const flush = (to: number) => {
    if (to > from) parts.push({ literal: Buffer.from(line.slice(from, to), 'utf8') });
  };
  const skipSpace = () => {
    while (/[ \t\r\n]/.test(line[at] ?? '')) at++;
  };
  const stringEnd = (start: number): number => {
    let end = start + 1;
    while (line[end] !== '"') end += line[end] === '\\' ? 2 : 1;
    return end + 1;
  };
  const value = (path: readonly string[]): boolean => {
    skipSpace();
    if (line[at] === '[') return false;
    if (line[at] === '{') return object(path);
    flush(at);
    if (line[at] === '"') {
      at = stringEnd(at);
      parts.push({ path, kind: 'string' });
    } else {
      numberOrWord.lastIndex = at;
      const text = numberOrWord.exec(line)![0];
      at += text.length;
      parts.push({ path, kind: /[tfn]/.test(text[0]!) ? 'word' : 'number' });
    }
    from = at;
    return true;
  };
  const object = (path: readonly string[]): boolean => {
    at++;
    skipSpace();
    while (line[at] !== '}') {
      if (line[at] === ',') at++;
      skipSpace();
      const end = stringEnd(at);
      const key = JSON.parse(line.slice(at, end)) as string;
      at = line.indexOf(':', end) + 1;
      if (!value([...path, key])) return false;
      skipSpace();
    }
    at++;
    return true;
  };
  skipSpace();
  if (line[at] !== '{' || !object([])) return null;
  flush(line.length);
  return parts;
}
