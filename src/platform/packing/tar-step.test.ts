import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paxHeader, type TarMember, tarArchive } from '../../../test/support/tar-archive.ts';
import { unpackBytes } from './unpack-chain.fixture.ts';

const untar = (bytes: Uint8Array, limits = {}, pieceBytes?: number) => unpackBytes(['tar'], bytes, { limits, pieceBytes });
const text = 'id,amount\nr1,1.50\n';
const one: TarMember = { name: 'one.csv', content: text };
const two: TarMember = { name: 'two.csv', content: 'r2,2.50\n' };
const both = [one, two];
const long = `${'folder/'.repeat(20)}long.csv`;

describe('a tar archive', () => {
  it('gives its members in their order, however what came is cut', async () => {
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 1_100 }),
      fc.integer({ min: 0, max: 300_000 }).map((length) => Buffer.alloc(length, text)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(content, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 200, max: 9_000 }),
        async (parts, pieceBytes) => {
          const { problem, members } = await untar(
            tarArchive(parts.map((part, index) => ({ name: `${index}`, content: part }))),
            {},
            pieceBytes,
          );
          expect(problem).toBeUndefined();
          expect(members.map(([name, found]) => [name, found.toString('hex')])).toEqual(
            parts.map((part, index) => [`${index}`, Buffer.from(part).toString('hex')]),
          );
        },
      ),
      { numRuns: 30 },
    );
    const cut = await untar(tarArchive(both), {}, 1);
    expect(cut.members.map(([, found]) => found.toString())).toEqual([text, 'r2,2.50\n']);
  });

  it.each<[string, TarMember[], string[]]>([
    ['folders, which are no members', [{ name: './', type: '5' }, { name: './in/', type: '5' }, { name: './in/one.csv' }], ['one.csv']],
    ['a long path in two parts', [{ ...one, prefix: 'folder/deeper' }], ['one.csv']],
    ['a long path of pax', [paxHeader({ path: long, mtime: '1.5' }), one], ['long.csv']],
    [
      'a long path of GNU tar',
      [
        { name: '././@LongLink', type: 'L', content: `${long}\0`, magic: 'ustar  \0' },
        { ...one, magic: 'ustar  \0' },
      ],
      ['long.csv'],
    ],
    ['a size of pax', [paxHeader({ size: String(text.length) }), { ...one, bytes: 0 }], ['one.csv']],
    ['a comment on all entries', [paxHeader({ comment: 'made by hand' }, 'g'), one], ['one.csv']],
    ['a size in base 256', [{ ...one, sizeField: Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, text.length]) }], ['one.csv']],
  ])('may have %s', async (_what, members, names) => {
    const { problem, members: found } = await untar(tarArchive(members));
    expect([problem, found.map(([name]) => name)]).toEqual([undefined, names]);
  });
});

describe('a tar archive with', () => {
  it.each<[string, string, TarMember[], Buffer?]>([
    ['a path that leads up', 'name', [{ ...one, name: '../one.csv' }]],
    ['a path of pax that leads up', 'name', [paxHeader({ path: '../one.csv' }), one]],
    ['an absolute path', 'name', [{ ...one, name: '/one.csv' }]],
    ['a first part of a path that leads up', 'name', [{ ...one, prefix: '..' }]],
    ['a name that is no UTF-8', 'name', [{ ...one, name: Buffer.from([0x61, 0xff]) }]],
    ['names in another encoding', 'name', [paxHeader({ hdrcharset: 'BINARY', path: 'x' }), one]],
    ['two long names', 'name', [paxHeader({ path: 'x' }), { name: 'l', type: 'L', content: 'y' }, one]],
    ...['1', '2', '3', '4', '6', '7', 'S', 'K', 'V', 'M', 'D'].map((type): [string, string, TarMember[]] => [
      `an entry of type ${type}`,
      'entry',
      [{ ...one, type }],
    ]),
    ['holes', 'entry', [paxHeader({ 'GNU.sparse.major': '1' }), one]],
    ['a folder with content', 'entry', [{ ...one, type: '5' }]],
    ['a file that pax names as a folder', 'entry', [paxHeader({ path: 'in/' }), one]],
    ['no entries', 'members', []],
    ['folders only', 'members', [{ name: 'in/', type: '5' }]],
    ['another checksum', 'packing', [{ ...one, checksum: 1 }]],
    ['headers of before ustar', 'packing', [{ ...one, magic: '\0\0\0\0\0\0\0\0' }]],
    ['a name for all entries', 'packing', [paxHeader({ path: 'x' }, 'g'), one]],
    ['two pax headers of one entry', 'packing', [paxHeader({ path: 'x' }), paxHeader({ path: 'y' }), one]],
    ['a pax header of nothing', 'packing', [one, paxHeader({ path: 'x' })]],
    ['a pax header that says a thing twice', 'packing', [{ name: 'x', type: 'x', content: '9 path=a\n9 path=b\n' }, one]],
    ['a pax header that is malformed', 'packing', [{ name: 'x', type: 'x', content: '99 path=a\n' }, one]],
    ['a pax header without end', 'packing', [{ name: 'x', type: 'x', bytes: 70_000 }, one]],
    ['a size that is no number', 'packing', [{ ...one, sizeField: Buffer.from('99999999999\0') }]],
    ['a negative size', 'packing', [{ ...one, sizeField: Buffer.alloc(12, 0xff) }]],
    ['a size beyond all bounds', 'packing', [{ ...one, sizeField: Buffer.concat([Buffer.from([0x80]), Buffer.alloc(11, 0xff)]) }]],
    ['one block at its end', 'packing', [one], Buffer.alloc(512)],
    ['no end', 'packing', [one], Buffer.alloc(0)],
    ['bytes behind its end', 'packing', [one], Buffer.concat([Buffer.alloc(1024), Buffer.from('x')])],
    ['another archive behind its end', 'packing', [one], Buffer.concat([Buffer.alloc(1024), tarArchive([two])])],
    ['entries behind a block of zeros', 'packing', [one], Buffer.concat([Buffer.alloc(512), tarArchive([two])])],
    ['a size that it does not have', 'limits', [{ ...one, bytes: 8 ** 11 - 1 }]],
  ])('%s is refused (%s)', async (_what, kind, members, end) => {
    expect((await untar(tarArchive(members, end))).problem?.kind).toBe(kind);
  });

  it('its end cut off anywhere is refused', async () => {
    const sound = tarArchive(both);
    for (let length = 0; length < sound.length; length += 7) expect((await untar(sound.subarray(0, length))).problem?.kind).toBe('packing');
    expect((await untar(sound.subarray(0, -1))).problem?.kind).toBe('packing');
  });

  it('any bit of a header changed gives the same contents, or is refused', async () => {
    const sound = tarArchive(both);
    for (let bit = 0; bit < 512 * 8; bit++) {
      const changed = Buffer.from(sound);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const outcome = await untar(changed);
      if (outcome.problem === undefined) expect(outcome.members.map(([, found]) => found.toString())).toEqual([text, 'r2,2.50\n']);
    }
  });

  it('more entries than are allowed is refused', async () => {
    const many = Array.from({ length: 20 }, (_, index): TarMember => ({ name: `${index}.csv` }));
    expect((await untar(tarArchive(many), { entriesMax: 19 })).problem?.kind).toBe('members');
    expect((await untar(tarArchive(many), { entriesMax: 20 })).problem).toBeUndefined();
  });
});
