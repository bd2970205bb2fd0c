/** Routing numbers of the American Bankers Association: eight digits and a check digit. */

const weights = [3, 7, 1, 3, 7, 1, 3, 7] as const;

/** Of the eight digits at `at`, each the character code of one (Nacha Operating Rules, App. 3, check digit). */
export function checkDigitOf(bytes: Uint8Array, at: number): number {
  let sum = 0;
  for (let index = 0; index < 8; index++) sum += (bytes[at + index]! - 48) * weights[index]!;
  return (10 - (sum % 10)) % 10;
}

export function isRoutingNumber(text: string): boolean {
  if (!/^[0-9]{9}$/.test(text) || /^0+$/.test(text)) return false;
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return checkDigitOf(bytes, 0) === bytes[8]! - 48;
}

/** Ten digits that begin with a zero stand for the nine after it. */
export function withoutLeadingZero(text: string): string {
  return text.length === 10 && text.startsWith('0') ? text.slice(1) : text;
}
