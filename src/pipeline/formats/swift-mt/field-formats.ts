/**
 * The form of each field in the notation of the standard, and regular expressions made of it. `5n`: up to five digits;
 * `6!n`: exactly six; `4*35x`: up to four lines of up to 35; `[…]`: may be absent; `$`: a new line; `|`: or; `~` before a name: a first line with
 * a slash is no name, and an account or identifier alone is not enough; anything else stands for
 * itself. Kinds: n digits, a upper-case letters, c both, x and z the character sets of that name (checked by themselves; z: line
 * ends too), d digits with a comma, b a business identifier code, m a mark or the space that some banks
 * write for none. Source: Standards MT, Categories 1, 2 and 9, field specifications.
 */

const party = '[[/1!a]/34x$]';
const location = '[/1!a]/34x[$35x]|35x';

const notations: Readonly<Record<string, string>> = {
  '13': '10!n',
  '13C': '/8c/4!n1!s4!n',
  '13D': '6!n4!n1!s4!n',
  '20': '16x',
  '21': '16x',
  '21F': '16x',
  '21R': '16x',
  '23B': '4!c',
  '23E': '4!c[/30x]',
  '25': '35x',
  '25A': '/34x',
  '25P': '35x$b',
  '26T': '3!c',
  '28': '5n[/2n]',
  '28C': '5n[/5n]',
  '28D': '5n/5n',
  '30': '6!n',
  '32A': '6!n3!a15d',
  '32B': '3!a15d',
  '33B': '3!a15d',
  '34F': '3!a[1!m]15d',
  '36': '12d',
  '50A': '[/34x$]b',
  '50C': 'b',
  '50F': '35x$4*35x',
  '50G': '/34x$b',
  '50H': '/34x$4*35x',
  '50K': '~[/34x$]4*35x',
  '50L': '35x',
  '51A': `${party}b`,
  '52A': `${party}b`,
  '52C': '/34x',
  '52D': `~${party}4*35x`,
  '53A': `${party}b`,
  '53B': location,
  '53D': `~${party}4*35x`,
  '54A': `${party}b`,
  '54B': location,
  '54D': `~${party}4*35x`,
  '55A': `${party}b`,
  '55B': location,
  '55D': `~${party}4*35x`,
  '56A': `${party}b`,
  '56C': '/34x',
  '56D': `~${party}4*35x`,
  '57A': `${party}b`,
  '57B': location,
  '57C': '/34x',
  '57D': `~${party}4*35x`,
  '58A': `${party}b`,
  '58D': `~${party}4*35x`,
  '59': '~[/34x$]4*35x',
  '59A': '[/34x$]b',
  '59F': '[/34x$]4*35x',
  '70': '4*35x',
  '71A': '3!a',
  '71F': '3!a15d',
  '71G': '3!a15d',
  '72': '6*35x',
  '77B': '3*35x',
  '77T': '9000z',
  '90C': '5n3!a15d',
  '90D': '5n3!a15d',
};

const kinds: Readonly<Record<string, string>> = {
  n: '[0-9]',
  a: '[A-Z]',
  c: '[A-Z0-9]',
  x: '[^\\n]',
  z: '[^]',
  d: '[0-9,]',
  s: '[+-]',
  m: '[A-Z ]',
};
const businessIdentifier = '[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?';
const part = /(\d+)\*(\d+)x|(\d+)(!?)([naxzcdsm])|(b)|(\$)|(\[)|(\])|(.)/g;

const forms: ReadonlyMap<string, RegExp> = new Map(
  Object.entries(notations).map(([tag, notation]) => [tag, new RegExp(`^(?:${expression(notation)})$`)]),
);

function expression(notation: string): string {
  return notation.replaceAll(part, (_, lines, width, length, exact, kind, code, line, open, close, literal) => {
    if (lines !== undefined) return `[^\\n]{1,${width}}(?:\\n[^\\n]{1,${width}}){0,${Number(lines) - 1}}`;
    if (length !== undefined) return `${kinds[kind]}{${exact === '!' ? length : `1,${length}`}}`;
    if (code !== undefined) return businessIdentifier;
    if (line !== undefined) return '\\n';
    if (open !== undefined) return '(?:';
    if (close !== undefined) return ')?';
    if (literal === '~') return '(?!\\/(?:\\n|[^\\n]*$))';
    return literal === '/' ? '\\/' : literal;
  });
}

/** The notation of a tag, for messages; undefined for tags whose form is read by code, or not at all. */
export function formatOf(tag: string): string | undefined {
  return notations[tag]?.replace('~', '');
}

/** Whether `text`, with LF between its lines, has the form of the tag. A tag without a form has any. */
export function hasForm(tag: string, text: string): boolean {
  return forms.get(tag)?.test(text) ?? true;
}

/** Of set x, the letters, digits and signs that every participant can read; LF stands between lines. */
const setX: Uint8Array = markBytes("/-?:().,'+ \n");
/** Of set z, which fields 77T and 86 in some agreements have too. */
const setZ: Uint8Array = markBytes('/-?:().,\'+ \n=!"%&*<>;@#_{');

function markBytes(signs: string): Uint8Array {
  const set = new Uint8Array(256);
  for (let byte = 0; byte < 128; byte++) {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9]/.test(character) || signs.includes(character)) set[byte] = 1;
  }
  return set;
}

export function characterSetOf(tag: string): Uint8Array {
  return tag === '77T' ? setZ : setX;
}
