/**
 * What no schema can say of a code: check digits of IBAN (ISO 13616) and LEI (ISO 17442), the countries of ISO 3166-1 in BICs
 * (ISO 9362) and addresses, currencies of ISO 4217 and their decimals. Each check is for values that the schema takes.
 */
import { isBic, isIsin, isLei } from '../../../engine/fields/code-types.ts';
import { countries } from '../../../engine/reference-data/countries.ts';
import { currencyMinorUnits } from '../../../engine/reference-data/currencies.ts';
import { type ValueCheck, ValueProblem } from './value-problem.ts';

/** Valid codes that were seen last are known by their bytes, so that the same bank or country costs no string again. */
function remembered(isValid: (text: string) => boolean, problem: ValueProblem): ValueCheck {
  const slots = 1_024;
  const known: (Buffer | null)[] = new Array(slots).fill(null);
  return (bytes, from, to) => {
    let hash = 0;
    for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    const slot = (hash ^ (hash >>> 12)) & (slots - 1);
    const last = known[slot]!;
    if (last !== null && last.length === to - from && isSame(last, bytes, from)) return null;
    if (!isValid(bytes.toString('latin1', from, to))) return problem;
    known[slot] = Buffer.from(bytes.subarray(from, to));
    return null;
  };
}

function isSame(known: Buffer, bytes: Buffer, from: number): boolean {
  for (let index = 0; index < known.length; index++) if (known[index] !== bytes[from + index]) return false;
  return true;
}

export const checkBic = remembered(isBic, new ValueProblem('business', 'bic', 'the country in the BIC is none of ISO 3166-1'));
export const checkLei = remembered(isLei, new ValueProblem('business', 'lei', 'the check digits are wrong'));
export const checkIsin = remembered(isIsin, new ValueProblem('business', 'isin', 'the prefix or the check digit is wrong'));
export const checkCountry = remembered(
  (text) => countries.has(text) || text === 'XK',
  new ValueProblem('business', 'country', 'the code is none of ISO 3166-1'),
);

/** Currencies that amounts of the past may have: list three of ISO 4217, those withdrawn since 1999. Decimals as they were. */
const withdrawn: Readonly<Record<string, number>> = Object.fromEntries([
  ...'AFA ANG ATS AYM AZM AZN BGN BYB CSD CYP DEM EEK FIM FRF GHC GRD HRK IEP LTL LVL MRO MTL MXV MZM NLG ROL SDD SIT SKK SLL SRG STD TMM USS VEF VEB XFU YUM ZMK ZWD ZWL ZWR ZWN CUC XEU CHC'
    .split(' ')
    .map((code) => [code, 2]),
  ...'ADP BEF BYR ESP ITL LUF PTE TPE TRL'.split(' ').map((code) => [code, 0]),
]);

/** No decimals are laid down for it. */
export const anyDecimals = 99;
const unknown = -1;

/** How many packed codes there are. */
export const currencyCodes = 26 ** 3;

/** Minor units by the packed code; -1: no currency. */
const unitsOf = (codes: ReadonlyMap<string, number | null>): Int8Array => {
  const table = new Int8Array(currencyCodes).fill(unknown);
  for (const [code, units] of codes) table[packedCurrency(Buffer.from(code), 0)] = units ?? anyDecimals;
  return table;
};

export function isCurrencyForm(bytes: Buffer, from: number, to: number): boolean {
  if (to - from !== 3) return false;
  for (let at = from; at < to; at++) if (bytes[at]! < 0x41 || bytes[at]! > 0x5a) return false;
  return true;
}

/** A number below 26³ for three upper-case letters. */
export function packedCurrency(bytes: Buffer, from: number): number {
  return (bytes[from]! - 0x41) * 676 + (bytes[from + 1]! - 0x41) * 26 + bytes[from + 2]! - 0x41;
}

export function currencyText(packed: number): string {
  return String.fromCharCode(0x41 + Math.floor(packed / 676), 0x41 + (Math.floor(packed / 26) % 26), 0x41 + (packed % 26));
}

export const active = unitsOf(currencyMinorUnits);
export const activeOrHistoric = unitsOf(new Map([...Object.entries(withdrawn), ...currencyMinorUnits]));

/** Minor units of an active currency, or of a withdrawn one where those are allowed; -1: there is no such currency. */
export function minorUnitsOf(packed: number, isHistoricAllowed: boolean): number {
  return (isHistoricAllowed ? activeOrHistoric : active)[packed]!;
}

export const unknownCurrency = new ValueProblem('business', 'currency', 'the currency is none of ISO 4217');
export const checkCurrency: ValueCheck = (bytes, from) =>
  minorUnitsOf(packedCurrency(bytes, from), true) === unknown ? unknownCurrency : null;
