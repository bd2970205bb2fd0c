/** Writes tar archives, sound ones and such as are not. */
export interface TarMember {
  readonly name: string | Buffer;
  readonly content?: string | Uint8Array;
  readonly type?: string;
  readonly prefix?: string;
  /** What the header says. */
  readonly bytes?: number;
  readonly sizeField?: Buffer;
  readonly magic?: string;
  readonly checksum?: number;
}

export function tarArchive(members: readonly TarMember[], end: Buffer = Buffer.alloc(1024)): Buffer {
  return Buffer.concat([...members.flatMap(entryOf), end]);
}

/** A pax header for the entry behind it. */
export function paxHeader(fields: Readonly<Record<string, string>>, type = 'x'): TarMember {
  const content = Object.entries(fields).map(([key, value]) => paxLine(key, value));
  return { name: 'PaxHeaders/x', type, content: content.join('') };
}

function paxLine(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (String(length).length + Buffer.byteLength(rest) !== length) length += 1;
  return `${length}${rest}`;
}

function entryOf(member: TarMember): Buffer[] {
  const content = Buffer.from((member.content ?? '') as string);
  const header = Buffer.alloc(512);
  Buffer.from(member.name as string).copy(header, 0, 0, 100);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${(member.bytes ?? content.length).toString(8).padStart(11, '0')}\0`, 124);
  member.sizeField?.copy(header, 124);
  header.write('00000000000\0', 136);
  header.write(member.type ?? '0', 156, 'latin1');
  header.write(member.magic ?? 'ustar\u000000', 257, 'latin1');
  header.write(member.prefix ?? '', 345);
  header.fill(' ', 148, 156);
  const sum = member.checksum ?? header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}
