/**
 * What a database keeps of a number or a time that is written as a text: how many digits count. Texts are as long as senders make
 * them: each is read once.
 */

/** Whether more than `max` digits stand behind the point of the seconds, zeros at the end not counted. */
export function hasMoreSecondDigits(text: string, max: number): boolean {
  return countsBeyond(/^[^"]*?:\d{2}\.(\d+)/.exec(text)?.[1], max);
}

/** The same of a number without exponent; of any other text no. */
export function hasMoreFractionDigits(text: string, max: number): boolean {
  if (!text.includes('.')) return false;
  return countsBeyond(/^\d*(?=\s*$)/.exec(text.slice(text.lastIndexOf('.') + 1))?.[0], max);
}

function countsBeyond(fraction: string | undefined, max: number): boolean {
  return fraction !== undefined && /[1-9]/.test(fraction.slice(max));
}

/**
 * Digits behind the point of a number, with an exponent or not, zeros at the end not counted: less than none where it ends with zeros
 * before the point. Null: it is none, or not one of decimal digits.
 */
export function fractionDigits(text: string): number | null {
  const [, whole = '', fraction = '', exponent = '0'] = /^[+-]?([\d_]*)(?:\.([\d_]*))?(?:e([+-]?[\d_]+))?$/i.exec(text.trim()) ?? [];
  const behind = fraction.replaceAll('_', '').length;
  const digits = whole.replaceAll('_', '') + fraction.replaceAll('_', '');
  if (digits === '') return null;
  let end = digits.length;
  while (end > 0 && digits[end - 1] === '0') end -= 1;
  if (end === 0) return Number.NEGATIVE_INFINITY;
  return behind - (digits.length - end) - Number(exponent.replaceAll('_', ''));
}

/** Digits from the first to the last that is no zero, wherever the point is. */
export function significantDigits(text: string): number {
  let digits = 0;
  let zeros = 0;
  for (const character of text) {
    if (character === 'e' || character === 'E') break;
    if (character < '0' || character > '9') continue;
    if (character === '0') zeros += digits > 0 ? 1 : 0;
    else {
      digits += 1 + zeros;
      zeros = 0;
    }
  }
  return digits;
}
