/**
 * Check digit arithmetic of the code types: mod 97-10 (ISO 7064), Luhn (ISO/IEC 7812-1) and the 3-7-1 weights of ABA
 * routing numbers. The callers have checked the characters already.
 */

/** Remainder of the digit string after letters became 10 to 35. Upper-case letters and digits only. */
export function remainder97(text: string): number {
  let remainder = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    remainder = unit < 0x3a ? remainder * 10 + unit - 0x30 : remainder * 100 + unit - 0x37;
    // Below this, the next step stays a small integer.
    if (remainder > 10_000_000) remainder %= 97;
  }
  return remainder % 97;
}

/** Luhn over digits, the last one being the check digit. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = digits.length - 1, isDoubled = false; index >= 0; index--, isDoubled = !isDoubled) {
    const digit = digits.charCodeAt(index) - 0x30;
    const added = isDoubled ? digit * 2 : digit;
    sum += added > 9 ? added - 9 : added;
  }
  return sum % 10 === 0;
}

/** Letters become two digits (A = 10), as ISINs are expanded before Luhn. */
export function expandLetters(text: string): string {
  let digits = '';
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    digits += unit < 0x3a ? text[index] : String(unit - 0x37);
  }
  return digits;
}

/** Nine digits, weights 3 7 1 repeated, sum divisible by ten. */
export function passesRoutingChecksum(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < 9; index++) sum += (digits.charCodeAt(index) - 0x30) * [3, 7, 1][index % 3]!;
  return sum % 10 === 0;
}
