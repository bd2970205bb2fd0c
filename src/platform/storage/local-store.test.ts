import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { temporaryFolder, temporaryStore } from '../../../test/support/temporary-store.ts';
import { systemRng } from '../base/system-ports.ts';
import { createLocalStore } from './local-store.ts';
import { storageFailure } from './storage-failure.ts';

const name = 'local/tenant/raw/0190000/object';

function write(store: ReturnType<typeof createLocalStore>, at: string, text: string): void {
  const writer = store.create(at);
  writer.write(Buffer.from(text));
  writer.commit();
}

function readAll(store: ReturnType<typeof createLocalStore>, at: string): string {
  const reader = store.open(at);
  const bytes = Buffer.alloc(reader.size + 10);
  const count = reader.read(bytes, 0, bytes.length, 0);
  reader.close();
  return bytes.toString('utf8', 0, count);
}

describe('the local store', () => {
  test('an object is visible only after commit, and nothing temporary stays', () => {
    const { raw, root } = temporaryStore();
    const writer = raw.create(name);
    writer.write(Buffer.from('half'));
    expect(raw.exists(name)).toBe(false);
    expect([...raw.listUnfinished()].map((unfinished) => unfinished.bytes)).toEqual([4]);
    writer.write(Buffer.from(' and half'));
    writer.commit();
    expect(readAll(raw, name)).toBe('half and half');
    expect(readdirSync(join(root, '.incoming'))).toEqual([]);
    expect([...raw.list('')].map((object) => object.name)).toEqual([name]);
  });

  test('an aborted object leaves nothing', () => {
    const { raw, root } = temporaryStore();
    const writer = raw.create(name);
    writer.write(Buffer.from('x'));
    writer.abort();
    expect(readdirSync(join(root, '.incoming'))).toEqual([]);
    expect(() => raw.open(name)).toThrow(expect.objectContaining({ code: 'E_OBJECT_MISSING' }));
  });

  test('an object is never overwritten', () => {
    const { raw, root } = temporaryStore();
    write(raw, name, 'first');
    expect(() => write(raw, name, 'second')).toThrow(expect.objectContaining({ code: 'E_OBJECT_EXISTS' }));
    expect(readAll(raw, name)).toBe('first');
    expect(readdirSync(join(root, '.incoming'))).toEqual([]);
  });

  test('files and folders belong to their owner alone', () => {
    const { raw, root } = temporaryStore();
    write(raw, name, 'x');
    expect(statSync(join(root, name)).mode & 0o777).toBe(0o400);
    expect(statSync(join(root, 'local/tenant')).mode & 0o777).toBe(0o700);
  });

  test.each([
    '../x',
    '/etc/passwd',
    'a/../../b',
    '.incoming/x',
    'a//b',
    'a/',
    '',
    'A/b',
    'a/b\0',
    'a/b.txt',
    'a\\b',
    `a/${'x'.repeat(200)}`,
    'a/b\n',
    'ä/b',
  ])('the name %j is refused', (bad) => {
    const { raw } = temporaryStore();
    for (const use of [
      () => raw.create(bad),
      () => raw.open(bad),
      () => raw.exists(bad),
      () => raw.remove(bad),
      () => raw.removeUnfinished(bad),
    ]) {
      expect(use).toThrow(expect.objectContaining({ code: 'E_OBJECT_NAME' }));
    }
  });

  test('no name leaves the root', () => {
    const root = temporaryFolder();
    const store = createLocalStore({ root: join(root, 'store'), rng: systemRng });
    fc.assert(
      fc.property(fc.string({ maxLength: 40, unit: 'binary' }), (text) => {
        try {
          store.create(text).abort();
        } catch {
          return true;
        }
        return !text.includes('..') && !text.startsWith('/');
      }),
    );
    expect(readdirSync(root)).toEqual(['store']);
  });

  test.runIf(existsSync('/proc/self/fd'))('a big object goes to the disk while it is written, and leaves nothing open', async () => {
    const { raw } = temporaryStore();
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    const piece = Buffer.alloc(3 * 1024 * 1024, 'x');
    for (const end of ['commit', 'abort'] as const) {
      const writer = raw.create(name);
      for (let index = 0; index < 4; index++) writer.write(piece);
      expect(open()).toBe(before + 2);
      writer[end]();
      if (end === 'commit') {
        const reader = raw.open(name);
        expect(reader.size).toBe(4 * piece.length);
        reader.close();
        raw.remove(name);
      }
      await vi.waitFor(() => expect(open()).toBe(before), { timeout: 60_000 });
    }
  });

  test('a link in the place of an object is not followed', () => {
    const { raw, root } = temporaryStore();
    const outside = join(temporaryFolder(), 'outside');
    writeFileSync(outside, 'secret');
    mkdirSync(join(root, 'local'), { recursive: true });
    symlinkSync(outside, join(root, 'local/link'));
    expect(() => raw.open('local/link')).toThrow(expect.objectContaining({ code: 'E_STORAGE_IO' }));
    expect([...raw.list('')]).toEqual([]);
  });

  test('missing folders of the root are made', () => {
    const root = join(temporaryFolder(), 'a', 'b', 'store');
    write(createLocalStore({ root, rng: systemRng }), name, 'x');
    expect(readFileSync(join(root, name), 'utf8')).toBe('x');
  });

  test('a temporary file that was swept meanwhile makes the commit fail, not succeed', () => {
    const { raw } = temporaryStore();
    const writer = raw.create(name);
    writer.write(Buffer.from('x'));
    for (const unfinished of raw.listUnfinished()) raw.removeUnfinished(unfinished.name);
    expect(() => writer.commit()).toThrow(expect.objectContaining({ code: 'E_STORAGE_IO' }));
    expect(raw.exists(name)).toBe(false);
  });

  test('a full disk fails with E_STORAGE_FULL, is worth another try, and leaves nothing', () => {
    const root = temporaryFolder();
    const script = `
      import { createLocalStore } from ${JSON.stringify(join(import.meta.dirname, 'local-store.ts'))};
      import { systemRng } from ${JSON.stringify(join(import.meta.dirname, '../base/system-ports.ts'))};
      const writer = createLocalStore({ root: ${JSON.stringify(root)}, rng: systemRng }).create('local/big');
      try { for (let i = 0; i < 64; i++) writer.write(Buffer.alloc(65536)); writer.commit(); console.log('written'); }
      catch (error) { console.log(error.code, error.retryable); }`;
    const child = spawnSync('sh', ['-c', 'ulimit -f 1024; exec "$0" --input-type=module-typescript -e "$1"', process.execPath, script], {
      encoding: 'utf8',
    });
    expect(child.stdout).toBe('E_STORAGE_FULL true\n');
    expect(readdirSync(root)).toEqual(['.incoming']);
    expect(readdirSync(join(root, '.incoming'))).toEqual([]);
  });

  test('a quota that is used up, which the runtime has no name for, is a full disk', () => {
    const used = Object.assign(new Error('driver'), { code: 'UNKNOWN', errno: -122 });
    expect(storageFailure(used, 'write an object')).toMatchObject({
      code: 'E_STORAGE_FULL',
      retryable: true,
      message: 'no space to write an object (EDQUOT)',
    });
  });

  test('driver codes become product codes', () => {
    const codes = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EEXIST', 'EACCES', 'EPERM', 'EROFS', 'EXDEV', 'ELOOP', 'EIO', 'EMFILE'].map((code) => {
      const failure = storageFailure(Object.assign(new Error('driver'), { code }), 'write an object');
      return [code, failure.code, failure.retryable];
    });
    expect(codes).toEqual([
      ['ENOSPC', 'E_STORAGE_FULL', true],
      ['EDQUOT', 'E_STORAGE_FULL', true],
      ['EFBIG', 'E_STORAGE_FULL', true],
      ['EEXIST', 'E_OBJECT_EXISTS', false],
      ['EACCES', 'E_STORAGE_IO', true],
      ['EPERM', 'E_STORAGE_IO', true],
      ['EROFS', 'E_STORAGE_IO', true],
      ['EXDEV', 'E_STORAGE_IO', true],
      ['ELOOP', 'E_STORAGE_IO', false],
      ['EIO', 'E_STORAGE_IO', true],
      ['EMFILE', 'E_STORAGE_IO', true],
    ]);
  });
});
