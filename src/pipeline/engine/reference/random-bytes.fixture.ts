/** Bytes of random lines in the encoding of their plan, and the numbers in them that are no text. */
import fc from 'fast-check';
import { writeHeldBytes } from '../fields/held-numbers.ts';
import type { FieldPlan, FormatPlan } from '../plan.ts';
import { textPageOf } from '../records/text-page.ts';
import { receivedTable, translated } from '../records/window-bytes.ts';

/** `?` for what the encoding lacks. */
export function encodeText(format: FormatPlan, text: string): Buffer {
  const page = textPageOf(format);
  const known = page.encode(text) ?? Buffer.concat([...text].map((character) => page.encode(character) ?? Buffer.from('?')));
  return translated(known, receivedTable(format));
}

const signedTexts = [
  '0012',
  '12{',
  '12}',
  '1A',
  '00J',
  'J12',
  '{1',
  '}',
  '+12',
  '-12',
  '12-',
  '12+',
  '12p',
  'p1',
  '5',
  '-',
  '+',
  'x',
  '1 2',
  '-12-',
  'é',
];

/** Of a zoned or overpunched field: mostly a right one. */
export function randomSignedText(field: FieldPlan, format: FormatPlan): fc.Arbitrary<string> {
  const right = fc
    .tuple(fc.boolean(), fc.stringMatching(/^[0-9]{1,6}$/))
    .map(([isMinus, digits]) => signedText(field, format, isMinus, digits));
  return fc.oneof({ weight: 6, arbitrary: right }, { weight: 1, arbitrary: fc.constantFrom(...signedTexts) });
}

function signedText({ usage, sign }: FieldPlan, format: FormatPlan, isMinus: boolean, digits: string): string {
  if (sign === 'leading-separate') return `${isMinus ? '-' : '+'}${digits}`;
  if (sign === 'trailing-separate') return `${digits}${isMinus ? '-' : '+'}`;
  const isAscii = usage === 'zoned' && receivedTable(format) === null;
  const characters = isAscii ? (isMinus ? 'pqrstuvwxy' : '0123456789') : isMinus ? '}JKLMNOPQR' : '{ABCDEFGHI';
  const at = sign === 'leading' ? 0 : digits.length - 1;
  return digits.slice(0, at) + characters[Number(digits[at])] + digits.slice(at + 1);
}

/** Of a packed or binary field. */
export function randomNumberBytes(field: FieldPlan): fc.Arbitrary<Buffer> {
  const { length } = field.at as { length: number };
  const { usage } = field as { usage: 'packed' | 'binary' };
  const number = fc
    .bigInt({ min: -40_000n, max: 40_000n })
    .map((value) => writeHeldBytes(usage, String(value), length) ?? Buffer.alloc(length, 0x1c));
  const nibbles = fc.stringMatching(new RegExp(`^[0-9]{${2 * length - 1}}[a-f]$`)).map((text) => Buffer.from(text, 'hex'));
  const any = fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes));
  return fc.oneof({ weight: 8, arbitrary: number }, { weight: 3, arbitrary: nibbles }, { weight: 1, arbitrary: any });
}
