/**
 * Recognises the patterns that most flows use: a sequence of literal characters and ASCII classes with counts, one
 * optional group at the end, whole match. No part of such a pattern can match a character that another part could take, so
 * any engine matches it in linear time: kernels do it byte by byte. Anything else is null and stays with RE2.
 */
export interface PatternAtom {
  /** 128 flags: which ASCII characters the class holds. */
  readonly members: readonly boolean[];
  readonly min: number;
  readonly max: number;
}

export interface SimplePattern {
  readonly atoms: readonly PatternAtom[];
  /** All of them or none, after `atoms`. */
  readonly optional: readonly PatternAtom[];
}

/** RE2 refuses greater counts, and reads those with a leading zero as text. */
const countMax = 1_000;

export function parseSimplePattern(pattern: string): SimplePattern | null {
  let body = pattern;
  if (isAnchored(pattern)) {
    if (!pattern.startsWith('^') || !/(?:^|[^\\])(?:\\\\)*\$$/.test(pattern)) return null;
    body = pattern.slice(1, -1);
  }
  const group = /^(.*?)\((?:\?:)?([^()]*)\)\?$/.exec(body);
  const atoms = parseAtoms(group === null ? body : group[1]!);
  const optional = parseAtoms(group === null ? '' : group[2]!);
  if (atoms === null || optional === null || !isDeterministic(atoms, optional)) return null;
  return { atoms, optional };
}

function parseAtoms(text: string): PatternAtom[] | null {
  const atoms: PatternAtom[] = [];
  let rest = text;
  while (rest !== '') {
    const atom =
      /^(\[[^\]\\[]+\]|\\[dw.\-+/()[\]*?$^|{}\\]|[A-Za-z0-9 _\-/:,;#@!%&=<>~'"`])(?:\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}|([+*?]))?/.exec(
        rest,
      );
    if (atom === null) return null;
    rest = rest.slice(atom[0].length);
    // A second quantifier makes a lazy or possessive form.
    if (/^[+*?{]/.test(rest)) return null;
    const members = classMembers(atom[1]!);
    const counts = atomCounts(atom[2], atom[3], atom[4], atom[5]);
    if (members === null || counts === null) return null;
    atoms.push({ members, ...counts });
  }
  return atoms;
}

function atomCounts(
  low: string | undefined,
  comma: string | undefined,
  high: string | undefined,
  mark: string | undefined,
): { min: number; max: number } | null {
  if (mark !== undefined) return { min: mark === '+' ? 1 : 0, max: mark === '?' ? 1 : Number.MAX_SAFE_INTEGER };
  if (low === undefined) return { min: 1, max: 1 };
  const min = Number(low);
  const max = comma === undefined ? min : high === undefined ? Number.MAX_SAFE_INTEGER : Number(high);
  if (min > max || min > countMax || (high !== undefined && max > countMax)) return null;
  return { min, max };
}

function classMembers(source: string): boolean[] | null {
  const members = new Array<boolean>(128).fill(false);
  if (source.startsWith('[')) return fillClass(source.slice(1, -1), members);
  if (source === '\\d') return fillClass('0-9', members);
  if (source === '\\w') return fillClass('0-9A-Za-z_', members);
  members[source.charCodeAt(source.length - 1)] = true;
  return members;
}

/** Plain characters and ranges; a hyphen counts as itself at either end only. */
function fillClass(text: string, members: boolean[]): boolean[] | null {
  if (text.startsWith('^') || text.startsWith(':')) return null;
  for (let index = 0; index < text.length; index++) {
    const from = text.charCodeAt(index);
    const isRange = text[index + 1] === '-' && index + 2 < text.length;
    const to = isRange ? text.charCodeAt(index + 2) : from;
    if (text[index] === '-' && index > 0 && index < text.length - 1) return null;
    if (from > 126 || to > 126 || from < 0x20 || to < from) return null;
    for (let unit = from; unit <= to; unit++) members[unit] = true;
    if (isRange) index += 2;
  }
  return members;
}

/**
 * Taking as many characters as an atom can is right only if none of them could belong to what follows: the next atoms up
 * to the first that must take one, and the optional group.
 */
function isDeterministic(atoms: readonly PatternAtom[], optional: readonly PatternAtom[]): boolean {
  if (optional.length > 0 && optional[0]!.min === 0) return false;
  const follows = (list: readonly PatternAtom[], index: number, after: readonly PatternAtom[]): boolean => {
    const atom = list[index]!;
    if (atom.min === atom.max) return true;
    for (const next of [...list.slice(index + 1), ...after]) {
      if (next.members.some((isMember, unit) => isMember && atom.members[unit])) return false;
      if (next.min > 0) return true;
    }
    return true;
  };
  return atoms.every((_, index) => follows(atoms, index, optional)) && optional.every((_, index) => follows(optional, index, []));
}

/** A pattern whose author anchored it is searched as written; any other has to match the whole text. */
export function isAnchored(pattern: string): boolean {
  if (pattern.startsWith('^')) return true;
  if (!pattern.endsWith('$')) return false;
  let backslashes = 0;
  for (let index = pattern.length - 2; index >= 0 && pattern[index] === '\\'; index--) backslashes++;
  return backslashes % 2 === 0;
}

/** The same pattern as an expression of the runtime, made from its parts and not from its text. */
export function simpleExpression(pattern: SimplePattern): RegExp {
  const source = (atoms: readonly PatternAtom[]) => atoms.map(atomSource).join('');
  return new RegExp(`^${source(pattern.atoms)}${pattern.optional.length > 0 ? `(?:${source(pattern.optional)})?` : ''}$`);
}

function atomSource({ members, min, max }: PatternAtom): string {
  const units = members.flatMap((isMember, unit) => (isMember ? [`\\x${unit.toString(16).padStart(2, '0')}`] : []));
  return `[${units.join('')}]{${min},${max === Number.MAX_SAFE_INTEGER ? '' : max}}`;
}
