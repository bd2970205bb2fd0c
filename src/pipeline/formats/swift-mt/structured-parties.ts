/**
 * Parties with numbered lines (fields 50F and 59F): a party identifier or an account, then lines that a number and a slash
 * begin. Source: Standards MT Category 1, field 50a option F and field 59a option F.
 */
import { bicCountries } from '../../engine/reference-data/countries.ts';

export interface PartyProblem {
  readonly rule: 'field-format' | 'party-identifier' | 'party-lines';
  /** Index of the line in the field. */
  readonly line: number;
  readonly message: string;
  /** What the network refuses only since its release of 2021: files of banks that do not send over it have it still. */
  readonly isRecent: boolean;
}

const identifierCodes: ReadonlySet<string> = new Set(['ARNU', 'CCPT', 'CUST', 'DRLC', 'EMPL', 'NIDN', 'SOSE', 'TXID']);
const identifier = /^([A-Z]{4})\/([A-Z]{2})\/(.{1,27})$/;
const numbered = /^(\d)\/(.{1,33})$/;

/** Numbers whose first line begins with a country: country and town, place of birth, identification numbers. */
const withCountry: ReadonlySet<number> = new Set([3, 5, 6, 7]);
const dateOfBirth = 4;
/** Continues an identifier. */
const continuation = 8;
/** Name, address, country and town: the numbers after them are there once. */
const lastRepeated = 3;
/** Of lines with one number, since 2021. */
const linesMax = 2;
const lastNumbers: Readonly<Record<string, number>> = { '50F': continuation, '59F': 3 };

/** `lines` are those of the field, of a form that is checked before; null where nothing is wrong. */
export function partyProblem(tag: string, lines: readonly string[]): PartyProblem | null {
  const hasAccount = lines[0]!.startsWith('/');
  const code = hasAccount || tag === '59F' ? null : identifier.exec(lines[0]!);
  if (tag === '50F' && !hasAccount) {
    if (code === null) return problem('field-format', 0, 'the first line is neither an account nor a code, a country and an identifier');
    if (!identifierCodes.has(code[1]!)) return problem('party-identifier', 0, `the code ${code[1]} is none of field 50F`);
    if (!bicCountries.has(code[2]!)) return problem('party-identifier', 0, `${code[2]} is no country of ISO 3166, nor Kosovo`);
  }
  const first = hasAccount || tag === '50F' ? 1 : 0;
  return linesProblem(lines, first, lastNumbers[tag]!, code !== null);
}

function linesProblem(lines: readonly string[], first: number, last: number, hasIdentifier: boolean): PartyProblem | null {
  const seen = new Map<number, number>();
  let before = 0;
  for (let index = first; index < lines.length; index++) {
    const parts = numbered.exec(lines[index]!);
    if (parts === null) return problem('field-format', index, 'the line does not begin with a number and a slash');
    const number = Number(parts[1]);
    if (number < 1 || number > last) return problem('party-lines', index, `lines are numbered 1 to ${last}`);
    if (index === first && number !== 1) return problem('party-lines', index, 'the first line is not numbered 1');
    if (number < before) return problem('party-lines', index, `number ${number} comes after number ${before}`);
    if (number > lastRepeated && seen.has(number)) return problem('party-lines', index, `number ${number} is there already`);
    if (!seen.has(number)) {
      const message = detailProblem(number, parts[2]!);
      if (message !== null) return problem('party-lines', index, message);
    }
    if (number === continuation && !(hasIdentifier || seen.has(6) || seen.has(7)))
      return problem('party-lines', index, 'number 8 has no identifier to continue');
    seen.set(number, (seen.get(number) ?? 0) + 1);
    before = number;
  }
  if (seen.size === 0) return problem('field-format', lines.length - 1, 'the name is missing');
  if (seen.has(2) && !seen.has(3)) return problem('party-lines', first, 'number 2 is there without number 3');
  if (seen.has(dateOfBirth) !== seen.has(5)) return problem('party-lines', first, 'numbers 4 and 5 are not there together');
  return recentProblem(seen, first);
}

function recentProblem(seen: ReadonlyMap<number, number>, first: number): PartyProblem | null {
  if (!seen.has(3)) return { ...problem('party-lines', first, 'number 3, country and town, is missing'), isRecent: true };
  const often = [...seen].find(([, lines]) => lines > linesMax)?.[0];
  if (often === undefined) return null;
  return { ...problem('party-lines', first, `number ${often} is there more than ${linesMax} times`), isRecent: true };
}

function detailProblem(number: number, text: string): string | null {
  if (withCountry.has(number) && !(bicCountries.has(text.slice(0, 2)) && (text.length === 2 || text[2] === '/')))
    return `number ${number} does not begin with a country of ISO 3166, nor Kosovo`;
  return number === dateOfBirth && !isDay(text) ? 'number 4 is not a day of the calendar' : null;
}

/** yyyyMMdd. */
function isDay(text: string): boolean {
  if (!/^\d{8}$/.test(text)) return false;
  const iso = `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`;
  const date = new Date(`${iso}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(iso);
}

function problem(rule: PartyProblem['rule'], line: number, message: string): PartyProblem {
  return { rule, line, message, isRecent: false };
}
