import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../../test/support/temporary-store.ts';
import type { ExportEntry } from './export-entries.ts';
import { readTar, writeTar } from './tar-stream.ts';

const broken = expect.objectContaining({ code: 'E_EXPORT_ARCHIVE' });
const entry = (name: string, content: Buffer): ExportEntry => ({ name, bytes: content.length, pieces: [content] });

async function read(archive: Buffer, pieceBytes = 1000): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  let name = '';
  async function* pieces() {
    for (let at = 0; at < archive.length; at += pieceBytes) yield archive.subarray(at, at + pieceBytes);
  }
  await readTar(pieces(), {
    start(started) {
      name = started;
      files.set(name, Buffer.alloc(0));
    },
    piece: (bytes) => void files.set(name, Buffer.concat([files.get(name)!, bytes])),
    end() {},
  });
  return files;
}

describe('the archive of an export', () => {
  test('reads back as it was written, in pieces of any size', async () => {
    const content = fc.uint8Array({ maxLength: 1500 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(fc.array(content, { maxLength: 4 }), fc.integer({ min: 1, max: 2000 }), async (contents, pieceBytes) => {
        const archive = Buffer.concat([...writeTar(contents.map((bytes, at) => entry(`chunks/00000${at}/target-0.bin`, bytes)))]);
        expect([...(await read(archive, pieceBytes)).values()]).toEqual(contents);
      }),
      { numRuns: 50 },
    );
  });

  test('is opened by the tar of the system', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'out'));
    const archive = Buffer.concat([
      ...writeTar([entry('manifest.json', Buffer.from('{}')), entry('chunks/000000/outcomes.bin', Buffer.alloc(700, 'o'))]),
    ]);
    const tar = spawnSync('tar', ['-x', '-C', join(folder, 'out')], { input: archive, encoding: 'utf8' });
    expect([tar.status, tar.stderr]).toEqual([0, '']);
    expect(readFileSync(join(folder, 'out/chunks/000000/outcomes.bin'), 'utf8')).toBe('o'.repeat(700));
  });

  test.each<[string, readonly string[]]>([
    ['as it comes', []],
    [
      'in the ustar format, without owner, mode and time',
      ['--format=ustar', '--owner=:0', '--group=:0', '--numeric-owner', '--mode=644', '--mtime=@0'],
    ],
    ['in the pax format', ['--format=pax']],
  ])('that another tar packed again (%s) is refused', async (_how, options) => {
    const folder = temporaryFolder();
    const archive = Buffer.concat([...writeTar([entry('manifest.json', Buffer.from('{}')), entry('member.bin', Buffer.alloc(700, 'o'))])]);
    expect(spawnSync('tar', ['-x', '-C', folder], { input: archive }).status).toBe(0);
    const packed = spawnSync('tar', ['-c', ...options, '-C', folder, 'manifest.json', 'member.bin']);
    expect(packed.status).toBe(0);
    await expect(read(packed.stdout)).rejects.toThrow(broken);
  });

  test('holds nothing between its files and behind them', async () => {
    const archive = Buffer.concat([...writeTar([entry('a.bin', Buffer.alloc(600, 1)), entry('b.bin', Buffer.from('b'))])]);
    expect((await read(archive)).size).toBe(2);
    const between = Buffer.from(archive);
    between[512 + 600 + 5] = 0x41;
    await expect(read(between)).rejects.toThrow(broken);
    await expect(read(Buffer.concat([archive, Buffer.alloc(512)]))).rejects.toThrow(broken);
    await expect(read(Buffer.concat([archive, Buffer.from('x')]))).rejects.toThrow(broken);
  });

  test('names files of 8 GiB and more', () => {
    const bytes = 9 * 2 ** 30;
    const header = writeTar([{ name: 'member.bin', bytes, pieces: [] }]).next().value!;
    expect(Buffer.from(header).readBigUInt64BE(128)).toBe(BigInt(bytes));
    expect(header[124]).toBe(0x80);
  });

  test.each(['../evil', '/etc/passwd', 'a/../b', 'a//b', '.hidden', 'a\\b', 'A.bin'])('never holds the name %j', async (name) => {
    expect(() => [...writeTar([entry(name, Buffer.from('x'))])]).toThrow(broken);
    const archive = Buffer.concat([...writeTar([entry('safe.bin', Buffer.from('x'))])]);
    archive.fill(0, 0, 100);
    archive.write(name.slice(0, 99), 0);
    archive.write('        ', 148);
    archive.write(
      `${archive
        .subarray(0, 512)
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    await expect(read(archive)).rejects.toThrow(broken);
  });

  test('that is cut, holds a link, a name twice or anything after its end is refused', async () => {
    const archive = Buffer.concat([...writeTar([entry('a.bin', Buffer.alloc(600, 1))])]);
    for (const at of [0, 100, 512, 700, 1024, 1536, archive.length - 1])
      await expect(read(archive.subarray(0, at)), `${at}`).rejects.toThrow(broken);
    const link = Buffer.from(archive);
    link[156] = 0x32;
    await expect(read(link)).rejects.toThrow(broken);
    const twice = Buffer.concat([...writeTar([entry('a.bin', Buffer.from('1')), entry('a.bin', Buffer.from('2'))])]);
    await expect(read(twice)).rejects.toThrow(broken);
    await expect(read(Buffer.concat([archive, archive]))).rejects.toThrow(broken);
  });

  test('never holds a name that its header has no room for', () => {
    expect(() => [...writeTar([entry('x'.repeat(100), Buffer.from('x'))])]).toThrow(broken);
  });

  test('is not finished when a part is shorter than announced', () => {
    expect(() => [...writeTar([{ name: 'a.bin', bytes: 5, pieces: [Buffer.from('1234')] }])]).toThrow(broken);
  });
});
