import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extraField, long, type ZipMember, type ZipOptions, zip64Sizes, zipArchive } from '../../../test/support/zip-archive.ts';
import { unpackBytes } from './unpack-chain.fixture.ts';

const unzip = (bytes: Buffer, limits = {}) => unpackBytes(['zip'], bytes, { limits });
const text = 'id,amount\nr1,1.50\n';
const [one, two]: ZipMember[] = [
  { name: 'one.csv', content: text },
  { name: 'two.csv', content: 'r2,2.50\n', isStored: true },
];
const both = [one!, two!];

describe('a zip archive', () => {
  it('gives its members in their order, however they are packed', async () => {
    const member = fc.record({
      content: fc.oneof(
        fc.uint8Array({ maxLength: 500 }),
        fc.integer({ min: 0, max: 300_000 }).map((length) => Buffer.alloc(length, text)),
      ),
      isStored: fc.boolean(),
      descriptor: fc.constantFrom(undefined, 'signed', 'plain', 'long'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(member, { minLength: 1, maxLength: 5 }), fc.boolean(), async (parts, isLong) => {
        const members = parts.map((part, index): ZipMember => ({ name: `${index}.csv`, ...part }) as ZipMember);
        const { problem, members: found } = await unzip(zipArchive(members, isLong ? { end64: {} } : {}), { ratioMax: 10_000 });
        expect(problem).toBeUndefined();
        expect(found.map(([name, content]) => [name, content.toString('hex')])).toEqual(
          members.map(({ name, content }) => [name, Buffer.from(content as Uint8Array).toString('hex')]),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('may have folders, which are no members', async () => {
    const { members } = await unzip(
      zipArchive([
        { name: 'in/', isStored: true },
        { name: 'in/deeper/one.csv', content: text },
      ]),
    );
    expect(members.map(([name]) => name)).toEqual(['one.csv']);
  });

  it('may have names in UTF-8, and sizes of 64 bits without need', async () => {
    const sizes = zip64Sizes(text.length, deflateRawSync(text).length);
    const { members } = await unzip(
      zipArchive([
        { name: 'été.csv', content: text },
        { name: 'long.csv', content: text, local: { bytes: 0xffff_ffff, packedBytes: 0xffff_ffff }, localExtra: sizes },
      ]),
    );
    expect(members.map(([name]) => name)).toEqual(['été.csv', 'long.csv']);
  });
});

const attacks: [string, string, ZipMember[], ZipOptions?][] = [
  ['a path that leads up', 'name', [{ ...one!, name: '../one.csv' }]],
  ['a path that leads up from below', 'name', [{ ...one!, name: 'in/../../one.csv' }]],
  ['an absolute path', 'name', [{ ...one!, name: '/etc/one.csv' }]],
  ['a path with backslashes', 'name', [{ ...one!, name: '..\\one.csv' }]],
  ['an empty part of a path', 'name', [{ ...one!, name: 'in//one.csv' }]],
  ['a folder that leads up', 'name', [one!, { name: '../', isStored: true }]],
  ['no name', 'name', [{ ...one!, name: '' }]],
  ['a NUL in a name', 'name', [{ ...one!, name: 'one.csv\0.txt' }]],
  ['a name that is no UTF-8', 'name', [{ ...one!, name: Buffer.from([0x61, 0xff]), said: { flags: 0b1000_0000_0000 } }]],
  ['a name that is not ASCII and not said to be UTF-8', 'name', [{ ...one!, name: 'été.csv', said: { flags: 0 } }]],
  [
    'a second name in an extra field',
    'name',
    [{ ...one!, centralExtra: extraField(0x7075, Buffer.concat([Buffer.alloc(5, 1), Buffer.from('x.csv')])) }],
  ],
  ['a symbolic link', 'entry', [{ ...one!, attributes: (0o120777 << 16) >>> 0 }]],
  ['a device', 'entry', [{ ...one!, attributes: (0o020666 << 16) >>> 0 }]],
  ['a folder that is named as a file', 'entry', [{ ...one!, attributes: 0x10 }]],
  ['a folder with content', 'entry', [{ name: 'in/', content: 'x', isStored: true }]],
  ['an encrypted entry', 'entry', [{ ...one!, said: { flags: 1 } }]],
  ['an entry that is encrypted strongly', 'entry', [{ ...one!, said: { flags: 0b100_0000 } }]],
  ['an entry of AES', 'entry', [{ ...one!, said: { method: 99 } }]],
  ['another way of packing', 'entry', [{ ...one!, said: { method: 12 } }]],
  ['a patch', 'entry', [{ ...one!, said: { flags: 0b10_0000 } }]],
  ['no entries', 'members', []],
  ['folders only', 'members', [{ name: 'in/', isStored: true }]],
  ['another name in the local header', 'packing', [{ ...one!, localName: 'two.csv' }]],
  ['other flags in the local header', 'packing', [{ ...one!, local: { flags: 2 } }]],
  ['another method in the local header', 'packing', [{ ...one!, local: { method: 0 } }]],
  ['another checksum in the local header', 'packing', [{ ...one!, local: { crc32: 1 } }]],
  ['another size in the local header', 'packing', [{ ...one!, local: { bytes: 1 } }]],
  ['another packed size in the local header', 'packing', [{ ...one!, local: { packedBytes: 1 } }]],
  ['a size that is more than there is', 'packing', [{ ...one!, said: { bytes: text.length + 1 } }]],
  ['a size that is less than there is', 'packing', [{ ...one!, said: { bytes: text.length - 1 } }]],
  ['a checksum of another content', 'packing', [{ ...one!, said: { crc32: 1 } }]],
  ['two sizes of what is not packed', 'packing', [{ ...two!, said: { bytes: 1 } }]],
  ['bytes behind the end of what is packed', 'packing', [{ ...one!, packed: Buffer.concat([deflateRawSync(text), Buffer.from('x')]) }]],
  ['packed bytes that are cut off', 'packing', [{ ...one!, packed: deflateRawSync(text).subarray(0, -2) }]],
  ['packed bytes that are damaged', 'packing', [{ ...one!, packed: Buffer.alloc(20, 0xff) }]],
  ['another checksum in the descriptor', 'packing', [{ ...one!, descriptor: 'signed', described: { crc32: 1 } }]],
  ['another size in the descriptor', 'packing', [{ ...one!, descriptor: 'long', described: { bytes: 1 } }]],
  ['a descriptor that is not there', 'packing', [{ ...one!, said: { flags: 0b1000 } }, two!]],
  ['two entries in one place', 'packing', [one!, { ...one!, name: 'other.csv', central: { start: 0 } }]],
  [
    'an entry in another one',
    'packing',
    [
      { name: 'outer.csv', content: zipArchive([one!]), isStored: true },
      { ...one!, central: { start: 39 } },
    ],
  ],
  ['an entry behind the directory', 'packing', [one!, { ...two!, central: { start: 1000 } }]],
  ['bytes between entries', 'packing', [{ ...one!, gap: Buffer.from('hidden') }, two!]],
  ['bytes between the entries and the directory', 'packing', [one!, { ...two!, gap: Buffer.from('hidden') }]],
  ['an entry that the directory does not have', 'packing', both, { directory: (whole) => whole.subarray(0, 53), end: { entries: 1 } }],
  ['bytes before the first entry', 'packing', both, { before: Buffer.from('#!/bin/sh\n') }],
  ['bytes behind the end', 'packing', both, { behind: Buffer.from('x') }],
  ['a comment', 'packing', both, { comment: 'hello' }],
  ['a comment that looks like an end', 'packing', both, { comment: zipArchive([one!]).toString('latin1') }],
  ['fewer entries than its directory', 'packing', both, { end: { entries: 1 } }],
  ['more entries than its directory', 'packing', both, { end: { entries: 3 } }],
  ['a directory that begins elsewhere', 'packing', both, { end: { start: 1 } }],
  ['a directory that is shorter', 'packing', both, { end: { bytes: 10 } }],
  ['several parts', 'packing', both, { end: { disk: 1 } }],
  ['an end of 64 bits that says something else', 'packing', both, { end64: { entries: 1 } }],
  ['an end of 64 bits that is elsewhere', 'packing', both, { end64: { at: 3 } }],
  ['an end of 64 bits beyond all bounds', 'packing', both, { end64: { bytes: Number.MAX_SAFE_INTEGER }, end: { bytes: 0xffff_ffff } }],
  ['sizes of 64 bits that nothing needs', 'packing', [{ ...one!, centralExtra: extraField(1, long(7)) }]],
  ['unknown sizes without those of 64 bits', 'packing', [{ ...one!, central: { bytes: 0xffff_ffff } }]],
  ['sizes of 64 bits that are lies', 'packing', [{ ...one!, central: { bytes: 0xffff_ffff }, centralExtra: extraField(1, long(2 ** 40)) }]],
  ['other sizes of 64 bits in the local header', 'packing', [{ ...one!, localExtra: zip64Sizes(7, 7) }]],
  ['extra fields that are cut off', 'packing', [{ ...one!, centralExtra: Buffer.from([1, 0, 200, 0, 1]) }]],
];

describe('a zip archive with', () => {
  it.each(attacks)('%s is refused (%s)', async (_what, kind, members, options) => {
    const { problem } = await unzip(zipArchive(members, options));
    expect(problem?.kind).toBe(kind);
  });

  it('any bit changed in it gives the same members, or is refused', async () => {
    const sound = zipArchive([one!, { ...one!, name: 'three.csv', descriptor: 'signed' }, two!], { end64: {} });
    const { members } = await unzip(sound);
    for (let bit = 0; bit < sound.length * 8; bit++) {
      const changed = Buffer.from(sound);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const outcome = await unzip(changed);
      if (outcome.problem !== undefined) continue;
      expect(outcome.members.map(([, content]) => content)).toEqual(members.map(([, content]) => content));
    }
  });

  it('its end cut off anywhere is refused', async () => {
    const sound = zipArchive(both);
    for (let length = 0; length < sound.length; length++)
      expect((await unzip(sound.subarray(0, length))).problem?.kind).toMatch(/packing|members/);
  });

  it('more entries than are allowed is refused before any is read', async () => {
    const many = Array.from({ length: 20 }, (_, index): ZipMember => ({ name: `${index}.csv`, content: text }));
    expect(await unzip(zipArchive(many), { entriesMax: 19 })).toMatchObject({ problem: { kind: 'members' }, bytes: 0 });
    expect((await unzip(zipArchive(many), { entriesMax: 20 })).problem).toBeUndefined();
  });

  it('a bomb is refused for what it says before any of it is unpacked, and a lying one at the size that it said', async () => {
    const zeros = Buffer.alloc(20 * 1024 * 1024);
    expect(await unzip(zipArchive([{ name: 'a', content: zeros }]))).toMatchObject({ problem: { kind: 'limits' }, bytes: 0 });
    const lying = await unzip(zipArchive([{ name: 'a', content: zeros, said: { bytes: 1000 } }]));
    expect(lying).toMatchObject({ problem: { kind: 'packing' } });
    expect(lying.bytes).toBeLessThanOrEqual(1000);
    const limits = { ratioMax: 10_000, unpackedBytesMax: 20 * 1024 * 1024 - 1 };
    expect(await unzip(zipArchive([{ name: 'a', content: zeros }]), limits)).toMatchObject({ problem: { kind: 'limits' }, bytes: 0 });
  });
});
