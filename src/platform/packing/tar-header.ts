/**
 * Headers of tar archives: ustar and pax (POSIX.1-2024, pax), and what GNU tar writes for long names. What is understood in
 * two ways is refused, as are entries that are no plain files.
 */
import { isUtf8 } from 'node:buffer';
import { UnpackError } from './unpack-problem.ts';

export const blockBytes = 512;
/** Of a pax header, or of a long name. */
export const extensionBytesMax = 64 * 1024;

export type TarHeader =
  | { readonly kind: 'file' | 'folder'; readonly path: string; readonly bytes: number }
  /** What is said of the next entry: its content is read as that. */
  | { readonly kind: 'extension' | 'global' | 'long-name'; readonly bytes: number };

/** What a pax header says of the entry behind it. */
export interface PaxFields {
  readonly path?: string;
  readonly bytes?: number;
}

/** Fails with an UnpackError. */
export function readTarHeader(block: Buffer): TarHeader {
  if (checksumOf(block) !== octal(block.subarray(148, 156))) throw damaged('a header has another checksum');
  const magic = block.toString('latin1', 257, 265);
  if (magic !== 'ustar\u000000' && magic !== 'ustar  \u0000') throw damaged('a header is none of ustar, pax or GNU tar');
  const bytes = sizeOf(block.subarray(124, 136));
  const type = String.fromCharCode(block[156]!);
  switch (type) {
    case '0':
    case '\u0000':
    case '5':
      return pathHeader(block, type, magic.endsWith('00'), bytes);
    case 'x':
    case 'g':
    case 'L':
      if (bytes > extensionBytesMax) throw damaged('a header is longer than any that is needed');
      return { kind: type === 'x' ? 'extension' : type === 'g' ? 'global' : 'long-name', bytes };
    default:
      throw new UnpackError(
        'entry',
        'an entry of the archive is no plain file: a link, a device, a file with holes, or of a kind that is not known',
      );
  }
}

function pathHeader(block: Buffer, type: string, isPosix: boolean, bytes: number): TarHeader {
  const name = textOf(block.subarray(0, 100));
  // GNU tar has other things where ustar has the first part of a long path.
  const prefix = isPosix ? textOf(block.subarray(345, 500)) : '';
  const path = prefix === '' ? name : `${prefix}/${name}`;
  // As old programs mark folders.
  const isFolder = type === '5' || path.endsWith('/');
  if (isFolder && bytes !== 0) throw new UnpackError('entry', 'a folder of the archive has content');
  return { kind: isFolder ? 'folder' : 'file', path, bytes };
}

/** `<length> <key>=<value>\n`, each as long as it says. Fails with an UnpackError. */
export function readPax(content: Buffer): PaxFields {
  const fields: { path?: string; bytes?: number } = {};
  const seen = new Set<string>();
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const stated = space < 0 || space - at > 6 ? '' : content.toString('latin1', at, space);
    const end = /^[1-9][0-9]*$/.test(stated) ? at + Number(stated) : Number.POSITIVE_INFINITY;
    if (end > content.length || content[end - 1] !== 0x0a) throw malformedPax();
    const equals = content.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) throw malformedPax();
    const key = content.toString('latin1', space + 1, equals);
    const value = content.subarray(equals + 1, end - 1);
    if (seen.has(key)) throw malformedPax();
    seen.add(key);
    at = end;
    if (key === 'path') fields.path = utf8Of(value);
    else if (key === 'size') fields.bytes = decimalOf(value);
    else if (key.startsWith('GNU.sparse.')) throw new UnpackError('entry', 'an entry of the archive is a file with holes');
    else if (key === 'hdrcharset') throw new UnpackError('name', 'names of the archive are not said to be UTF-8');
  }
  return fields;
}

/** Of every entry behind it nothing may be said that a reader could pass over. */
export function assertHarmless({ path, bytes }: PaxFields): void {
  if (path !== undefined || bytes !== undefined) throw damaged('a header says a name or size of all entries');
}

/** Up to its NUL. */
export function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return utf8Of(end < 0 ? field : field.subarray(0, end));
}

function utf8Of(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new UnpackError('name', 'the name of a member is not UTF-8');
  return bytes.toString('utf8');
}

function decimalOf(value: Buffer): number {
  const text = value.toString('latin1');
  if (!/^[0-9]{1,15}$/.test(text)) throw malformedPax();
  return Number(text);
}

/** Octal digits; or, from 8 GiB on, as GNU tar writes it: in base 256 behind a set bit. */
function sizeOf(field: Buffer): number {
  if (field[0] !== 0x80) return octal(field);
  const value = field.readBigUInt64BE(4);
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || field.readUInt32BE(0) !== 0x8000_0000) throw damaged('a size is beyond all bounds');
  return Number(value);
}

function octal(field: Buffer): number {
  const digits = /^ *([0-7]{1,11})[ \u0000]*$/.exec(field.toString('latin1'))?.[1];
  if (digits === undefined) throw damaged('a number of a header is malformed');
  return Number.parseInt(digits, 8);
}

/** With its own field as spaces. */
function checksumOf(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < blockBytes; at++) if (at < 148 || at >= 156) sum += block[at]!;
  return sum;
}

function malformedPax(): UnpackError {
  return damaged('a pax header is malformed');
}

export function damaged(what: string): UnpackError {
  return new UnpackError('packing', `the archive is damaged or not sound: ${what}`);
}
