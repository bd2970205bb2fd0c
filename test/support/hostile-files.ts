/** The files of `bounded-memory.e2e.test.ts`: what is sent to which flow, how it is packed, and the code that it comes to. */
import { crc32, deflateRawSync } from 'node:zlib';
import { content, filled, numbered, type Pieces, packed } from './hostile-bytes.ts';
import { tarArchive } from './tar-archive.ts';
import { zipArchive } from './zip-archive.ts';

export interface HostileFile {
  readonly flow: string;
  readonly make: () => Pieces;
  readonly code: string;
  readonly encoding?: 'gzip' | 'zstd';
}

const MiB = 1024 * 1024;
/** Whatever held it as a whole would be far beyond the bound. */
const endless = 128 * MiB;
const header = 'id,account,amount\n';
const xml = '<?xml version="1.0" encoding="UTF-8"?>\n';
const message = `${xml}<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn><GrpHdr><MsgId>`;
const statement = ':20:A\n:25:1\n:28C:1/1\n:60F:C260102EUR2187,95\n';
const file = (flow: string, code: string, make: () => Pieces, encoding?: 'gzip' | 'zstd'): HostileFile => ({
  flow,
  code,
  make,
  ...(encoding && { encoding }),
});

/** Zeros that say of themselves that they are few. */
function lyingZip(): Buffer {
  const zeros = Buffer.alloc(16 * MiB);
  const part = { name: 'a.csv', packed: deflateRawSync(zeros), said: { crc32: crc32('id'), bytes: 2 } };
  return zipArchive([part]);
}

export const hostileFiles: Readonly<Record<string, HostileFile>> = {
  'a line without an end': file('payments', 'E_RECORD_TOO_LONG', () => content(header, 'P1,1,1.00\n', filled('x', endless))),
  'a quote that is never closed': file('payments', 'E_QUOTE_OPEN', () => content(header, 'P1,1,1.00\n"', filled('c,3.00\n', endless))),
  'a header row of a million columns': file('payments', 'E_HEADER_ROW', () =>
    content(
      header.trim(),
      numbered(1_000_000, (at) => `,c${at}`),
      '\n',
      filled('P1,1,1.00\n', 4 * MiB),
    ),
  ),
  'lines of a million columns': file('payments', 'E_FIELD_COUNT', () => content(header, filled(`P1${','.repeat(1_000_000)}\n`, 32 * MiB))),
  'a million lines of one letter': file('payments', 'E_FIELD_COUNT', () => content(header, filled('a\n', 2 * MiB))),
  'records of which none is valid': file('payments', 'E_DECIMAL', () =>
    content(
      header,
      numbered(300_000, (at) => `P${at},62${at},none\n`),
    ),
  ),
  'records that are no text': file('payments', 'E_ENCODING', () => content(header, latin1('P1,\xff,1.00\n', 4 * MiB))),
  'very many records that all have one key': file('unique', 'E_DUPLICATE_KEYS', () =>
    content(
      header,
      numbered(2_000_000, (at) => `P,62${at},${at}.50\n`),
    ),
  ),
  'records that all have one key': file('unique', 'E_DUPLICATE_KEY', () =>
    content(
      header,
      numbered(50_000, (at) => `P,62${at},${at}.50\n`),
    ),
  ),
  'a record of fixed width without an end': file('fixed', 'E_RECORD_TOO_LONG', () => filled('x', endless)),
  'a million records of fixed width with a letter each': file('fixed', 'E_WIDTH', () => filled('a\n', 2 * MiB)),
  'a line of JSON without an end': file('lines', 'E_RECORD_TOO_LONG', () => content('{"id":"P1","x":[', filled('1,', endless))),
  'a text of JSON of 100 MB': file('lines', 'E_RECORD_TOO_LONG', () =>
    content('{"id":"', filled('x', 100_000_000), '","account":"1","amount":1}\n'),
  ),
  'JSON 100,000 levels deep': file('lines', 'E_DEPTH', () =>
    filled(`{"id":"P1","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}\n`, 16 * MiB),
  ),
  'JSON of a million keys': file('lines', 'E_JSON', () =>
    content(
      '{"id":"P1"',
      numbered(1_000_000, (at) => `,"k${at}":1`),
      '}\n',
    ),
  ),
  'XML with a text without an end (B3)': file('pain', 'E_XML_LIMIT', () => content(message, filled('x', endless))),
  'XML with a million attributes (B3)': file('pain', 'E_XML_LIMIT', () =>
    content(
      `${xml}<Document `,
      numbered(1_000_000, (at) => `a${at}="1" `),
      '>',
    ),
  ),
  'XML with an attribute without an end (B3)': file('pain', 'E_XML_LIMIT', () =>
    content(`${xml}<Document a="`, filled('x', endless), '">'),
  ),
  'XML with a comment without an end (B3)': file('pain', 'E_XML_LIMIT', () => content(`${xml}<!-- `, filled('x', endless), '-->')),
  'XML with a bomb of entities (B2)': file('pain', 'E_XML_DTD', () =>
    content(
      `${xml}<!DOCTYPE d [`,
      numbered(500_000, (at) => `<!ENTITY e${at} "&e${at - 1};&e${at - 1};">`),
      ']>',
    ),
  ),
  'XML a million levels deep (B3)': file('pain', 'E_XML_LIMIT', () => content(`${xml}`, filled('<a>', 4 * MiB))),
  'a line of a statement without an end': file('mt', 'E_SWIFT_STRUCTURE', () => content(':20:', filled('x', endless))),
  'a field of a statement without an end': file('mt', 'E_SWIFT_STRUCTURE', () =>
    content(statement, ':86:', filled('xxxxxxxx\n', endless / 4)),
  ),
  'an ACH file without line ends': file('ach', 'E_NACHA_STRUCTURE', () => filled('x', endless)),
  'a record of BAI2 that is continued without an end': file('bai', 'E_BAI2_STRUCTURE', () =>
    content('01,1,2,260101,1200,1,,,2/\n', filled('88,xxxx\n', 16 * MiB)),
  ),
  'a bomb of gzip': file('payments', 'E_BOMB', () => packed('gzip', content(header, filled('\0', 3 * endless))), 'gzip'),
  'a bomb of zstd': file('payments', 'E_BOMB', () => packed('zstd', content(header, filled('\0', 3 * endless))), 'zstd'),
  'a zip archive that says too little of itself': file('zip', 'E_ARCHIVE', () => [lyingZip()]),
  'a tar archive with a header of 128 MiB': file('tar', 'E_ARCHIVE', () =>
    content(tarArchive([{ name: 'x', type: 'x', bytes: endless }], Buffer.alloc(0)), filled('x', endless)),
  ),
};

/** As `filled`, of bytes that are characters of Latin-1. */
function* latin1(text: string, bytes: number): Generator<Uint8Array> {
  const piece = Buffer.from(text.repeat(6_000), 'latin1');
  for (let made = 0; made < bytes; made += piece.length) yield piece;
}

const nearlyLongest = 16 * MiB - 256 * 1024;
const records = (count: number, of: (at: number) => readonly (string | Iterable<Uint8Array>)[]) =>
  content(...Array.from({ length: count }, (_, at) => content(...of(at))));

/** Records as long as they may be: what is made of each is as long, several times. */
export const longRecords: Readonly<Record<string, HostileFile>> = {
  'records of 16 MiB': file('payments', '', () =>
    content(
      header,
      records(3, (at) => [`P${at},`, filled('x', nearlyLongest), ',1.00\n']),
    ),
  ),
  'records of 16 MiB of quotes': file('payments', '', () =>
    content(
      header,
      records(2, (at) => [`P${at},"`, filled('""', nearlyLongest), '",1.00\n']),
    ),
  ),
  'records of 16 MiB of escapes in JSON': file('lines', '', () =>
    records(2, (at) => [`{"id":"P${at}","amount":1,"account":"`, filled(String.raw`\u0041`, nearlyLongest), '"}\n']),
  ),
};
