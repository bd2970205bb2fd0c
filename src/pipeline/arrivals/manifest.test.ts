import { expect, it } from 'vitest';
import { parseDigest } from './digest-headers.ts';
import { parseManifest, problemOfManifest, readManifest } from './manifest.ts';

const sha256 = 'ab'.repeat(32);
const parse = (text: string) => parseManifest(Buffer.from(text));

it.each([
  [sha256, { sha256, bytes: null, name: null }],
  [`${sha256.toUpperCase()}  a b.csv\n`, { sha256, bytes: null, name: 'a b.csv' }],
  [`${sha256} *a.csv\r\n`, { sha256, bytes: null, name: 'a.csv' }],
  [`sha256=${sha256}\nbytes = 12\nname: a.csv\n`, { sha256, bytes: 12, name: 'a.csv' }],
])('the manifest %j is read', (text, expected) => {
  expect(parse(text)).toEqual(expected);
});

it.each(['', '\n', 'bytes=12', sha256.slice(1), `${sha256}\n${sha256}`, 'sha256=xyz', `sha256=${sha256}\nmore=1`, `md5=${sha256}`])(
  '%j is no manifest',
  (text) => {
    expect(parse(text)).toBeNull();
  },
);

it.each([
  ['\n', 'it is empty'],
  ['name=a.csv', 'it has no SHA-256'],
  ['garbage', 'its line 1 is none that a manifest has'],
  [`${sha256}  a.csv\n\n${sha256}  b.csv\n`, 'its line 3 says `sha256` once more'],
  [`${sha256}\nbytes=12\nbytes=12`, 'its line 3 says `bytes` once more'],
  ['sha256=secret', 'its line 1 has a value that is none for `sha256`'],
  ['\u00ff', 'its line 1 is none that a manifest has'],
])('of %j it is said what is wrong with it', (text, wrong) => {
  expect(readManifest(Buffer.from(text))).toBe(wrong);
});

it('bytes that are no UTF-8 are no manifest', () => {
  expect(parseManifest(Buffer.from([0xff, 0xfe]))).toBeNull();
});

it('a file must agree with all that its manifest names', () => {
  const file = { sha256, bytes: 12, name: 'a.csv' };
  expect(problemOfManifest({ sha256, bytes: 12, name: './a.csv' }, file)).toBeNull();
  expect(problemOfManifest({ sha256, bytes: null, name: null }, file)).toBeNull();
  expect(problemOfManifest({ sha256, bytes: 13, name: null }, file)).toMatch(/13 bytes/);
  expect(problemOfManifest({ sha256: 'cd'.repeat(32), bytes: null, name: null }, file)).toMatch(/SHA-256/);
  expect(problemOfManifest({ sha256, bytes: null, name: 'b.csv' }, file)).toMatch(/another file/);
});

const base64 = Buffer.from(sha256, 'hex').toString('base64');

it.each([`sha-256=:${base64}:`, `md5=:AAAA:, sha-256=:${base64}:`, `sha-256=:${base64}:;q=1`, ` sha-256=:${base64}: `])(
  'the digest header %j is read',
  (header) => {
    expect(parseDigest(header)).toBe(sha256);
  },
);

it.each([
  '',
  'sha-256',
  `sha-256=${base64}`,
  `sha-256=:${base64.slice(4)}:`,
  'sha-512=:AAAA:',
  `sha-256=:${base64}:,`,
  `SHA-256=:${base64}:`,
  'sha-256=:!!!!:',
])('the digest header %j is refused', (header) => {
  expect(() => parseDigest(header)).toThrow(expect.objectContaining({ code: 'E_DIGEST_HEADER' }));
});

it('no header is no digest', () => {
  expect(parseDigest(undefined)).toBeNull();
});
