/** Numbers as COBOL programs hold them, for the reference parser: on hexadecimal text, from docs/record-rules.md, section 3. */
import type { FieldPlan, FormatPlan } from '../plan.ts';
import { codePages } from '../reference-data/code-pages.ts';
import { encodingOf, fileBytes } from './page-text.ts';

export function isInBytes(field: FieldPlan): boolean {
  return field.usage === 'packed' || field.usage === 'binary';
}

/** `bytes`: of the field, as the file has them. Null: no packed decimal. */
export function readBytesNumber(field: FieldPlan, bytes: Buffer): string | null {
  if (field.usage === 'binary') {
    const unsigned = BigInt(`0x${bytes.toString('hex')}`);
    const range = 1n << BigInt(8 * bytes.length);
    return String(unsigned * 2n >= range ? unsigned - range : unsigned);
  }
  const match = /^([0-9]+)([a-f])$/.exec(bytes.toString('hex'));
  return match === null ? null : signed('bd'.includes(match[2]!), match[1]!);
}

function signed(isMinus: boolean, digits: string): string {
  return isMinus ? `-${digits}` : digits;
}

/** The digits of a zoned or overpunched text, which is not empty. Null: it is none. */
export function readTextNumber(field: FieldPlan, format: FormatPlan, text: string): string | null {
  switch (field.sign) {
    case 'leading-separate':
      return /^[-+][0-9]+$/.test(text) ? text.replace('+', '') : null;
    case 'trailing-separate':
      return /^[0-9]+[-+]$/.test(text) ? signed(text.endsWith('-'), text.slice(0, -1)) : null;
    case 'leading':
      return joined(readSign(field, format, text.slice(0, 1)), '', text.slice(1));
    case undefined:
      return joined(readSign(field, format, text.slice(-1)), text.slice(0, -1), '');
  }
}

function joined(sign: readonly [boolean, string] | null, before: string, after: string): string | null {
  return sign === null || /[^0-9]/.test(before + after) ? null : signed(sign[0], `${before}${sign[1]}${after}`);
}

/** Whether it is minus, and the digit. */
function readSign(field: FieldPlan, format: FormatPlan, character: string): readonly [boolean, string] | null {
  const encoding = encodingOf(format);
  if (field.usage === 'zoned' && encoding !== 'utf-8' && codePages[encoding].latin1 !== null) {
    const match = /^([a-f])([0-9])$/.exec(fileBytes(format, Buffer.from(character, 'latin1')).toString('hex'));
    return match === null ? null : ['bd'.includes(match[1]!), match[2]!];
  }
  if (/^[0-9]$/.test(character)) return [false, character];
  const forms = field.usage === 'zoned' ? ['', 'pqrstuvwxy'] : ['{ABCDEFGHI', '}JKLMNOPQR'];
  for (const [minus, characters] of forms.entries())
    if (characters.includes(character)) return [minus === 1, String(characters.indexOf(character))];
  return null;
}
