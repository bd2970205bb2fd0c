/**
 * Source that reads a number held as COBOL programs hold it: leaves it in `u<i>`, or the record to the slow path. Which bytes
 * are digits and signs is in tables by the byte of the window, so that no code page costs a step of its own.
 */
import { createSignedReader, readHeldBytes } from '../fields/held-numbers.ts';
import type { FieldPlan } from '../plan.ts';
import { receivedTable } from '../records/window-bytes.ts';
import type { SourceContext } from './source-context.ts';

/** What a double holds exactly, as digits of nine. */
const numberMax = 999_999_999_999_999;
/** In tables: no digit, no sign. */
const none = 255;
const minus = 0x80;

/** Texts of such a field are never looked at: only its number, between `min` and `max`, is. */
export function canBeHeld({ enum: values, pattern, minLength, maxLength }: FieldPlan): boolean {
  return values === null && pattern === null && minLength === null && maxLength === null;
}

/** `start` and `end`: names of variables around the field. Bounds of the field are not looked at. */
export function heldNumberCode(
  context: SourceContext,
  index: number,
  { start, end }: { readonly start: string; readonly end: string },
): string {
  const field = context.field(index);
  const received = receivedTable(context.flow.plan.format);
  const take = `if(v>${numberMax}.0)break row;u${index}=g===1?0.0-v:v;e${index}=${end};`;
  const code = (() => {
    switch (field.usage!) {
      case 'packed':
        return packedCode(context, received, end);
      case 'binary':
        return binaryCode(context, received, { field, start });
      case 'zoned':
      case 'overpunch':
        return signedCode(context, received, { field, start, end });
    }
  })();
  return `{let k=${start},v=0.0,d=0;g=0;${code}${take}}`;
}

/** For every byte of the window what `of` says of the file's byte. */
function table(received: Uint8Array | null, of: (bytes: Buffer) => string | null, digits: (text: string) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    const text = of(Buffer.from([received === null ? byte : received[byte]!]));
    return text === null ? none : digits(text);
  });
}

const signedDigit = (text: string): number => (text.startsWith('-') ? minus | Number(text.slice(1)) : Number(text));

function packedCode(context: SourceContext, received: Uint8Array | null, end: string): string {
  const readByte = (bytes: Buffer) => readHeldBytes('packed', bytes, { start: 0, end: 1, received: null });
  const pairs = table(received, (bytes) => (/^[0-9]{2}$/.test(bytes.toString('hex')) ? bytes.toString('hex') : null), Number);
  const last = table(received, readByte, signedDigit);
  return (
    `while(k<${end}-1){d=${context.constant(pairs)}[b[k]];if(d>99)break row;v=v*100.0+d;k++;}` +
    `d=${context.constant(last)}[b[k]];if(d===${none})break row;g=d>>>7;v=v*10.0+(d&15);`
  );
}

function binaryCode(
  context: SourceContext,
  received: Uint8Array | null,
  { field, start }: { readonly field: FieldPlan; readonly start: string },
): string {
  const { length } = field.at as { readonly length: number };
  const bytes = received === null ? null : context.constant(received);
  const byte = (at: number) => (bytes === null ? `b[${start}+${at}]` : `${bytes}[b[${start}+${at}]]`);
  const word = (at: number) => `(${byte(at)}<<24)|(${byte(at + 1)}<<16)|(${byte(at + 2)}<<8)|${byte(at + 3)}`;
  const sign = 'if(v<0.0){g=1;v=0.0-v;}';
  switch (length) {
    case 2:
      return `d=(((${byte(0)}<<8)|${byte(1)})<<16)>>16;v=v+d;${sign}`;
    case 4:
      return `d=${word(0)};v=v+d;${sign}`;
    case 8:
      return `d=${word(0)};v=v+d;v=v*4294967296.0;d=${word(4)};v=v+d;if(d<0)v=v+4294967296.0;${sign}`;
    default:
      return 'break row;';
  }
}

function signedCode(
  context: SourceContext,
  received: Uint8Array | null,
  { field, start, end }: { readonly field: FieldPlan; readonly start: string; readonly end: string },
): string {
  const digits = (to: string) => `while(k<${to}){d=b[k]-48;if((d>>>0)>9)break row;v=v*10.0+d;k++;}`;
  const mark = (at: string) => `if(b[${at}]===45)g=1;else if(b[${at}]!==43)break row;`;
  const isLong = `if(${end}-${start}<2)break row;`;
  if (field.sign === 'leading-separate') return `${isLong}${mark('k')}k++;${digits(end)}`;
  if (field.sign === 'trailing-separate') return `${isLong}${digits(`${end}-1`)}${mark('k')}`;
  const readSigned = createSignedReader(field, received)!;
  // Expressions that are evaluated see the text as UTF-8.
  const signs = Uint8Array.from({ length: 256 }, (_, byte) => {
    const text = byte < 0x80 ? readSigned(String.fromCharCode(byte)) : null;
    return text === null ? none : signedDigit(text);
  });
  const punched = `d=${context.constant(signs)}[b[k]];if(d===${none})break row;g=d>>>7;v=v*10.0+(d&15);k++;`;
  return field.sign === 'leading' ? `${punched}${digits(end)}` : `${digits(`${end}-1`)}${punched}`;
}
