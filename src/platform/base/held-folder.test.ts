import { mkdirSync, mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { holdChecked, holdFolder, isOneName } from './held-folder.ts';

function makeFolder(): string {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'headgate-held-')));
  onTestFinished(() => rmSync(base, { recursive: true }));
  mkdirSync(join(base, 'folder'));
  writeFileSync(join(base, 'folder/a'), 'a');
  symlinkSync('folder', join(base, 'link'));
  return base;
}

it.each([
  ['by its descriptor', undefined],
  ['by its real path, where the system names no descriptors', false],
])('a folder that is held is used %s', (_how, isByDescriptor) => {
  const base = makeFolder();
  const folder = holdFolder(join(base, 'link'), { isByDescriptor });
  rmSync(join(base, 'link'));
  expect(folder.place).toBe(join(base, 'folder'));
  expect(readFileSync(folder.pathOf('a'), 'utf8') + readFileSync(folder.pathOf(Buffer.from('a')), 'utf8')).toBe('aa');
  folder.close();
  folder.close();
  expect(() => folder.pathOf('a')).toThrow('closed');
});

it('what is no folder is not held, nor a link where that is not to be followed', () => {
  const base = makeFolder();
  expect(() => holdFolder(join(base, 'folder/a'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
  expect(() => holdFolder(join(base, 'missing'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  expect(() => holdFolder(join(base, 'link'), { isFollowed: false })).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
});

it('a folder that does not pass its check is closed', () => {
  const base = makeFolder();
  let held: ReturnType<typeof holdFolder> | undefined;
  const check = (folder: ReturnType<typeof holdFolder>) => {
    held = folder;
    throw new Error('not this one');
  };
  expect(() => holdChecked(join(base, 'folder'), check)).toThrow('not this one');
  expect(() => held!.path).toThrow('closed');
});

it('folders are told apart by what they are, whatever they are called', () => {
  const base = makeFolder();
  const [one, same] = [holdFolder(join(base, 'folder')), holdFolder(join(base, 'link'))];
  renameSync(join(base, 'folder'), join(base, 'away'));
  mkdirSync(join(base, 'folder'));
  const other = holdFolder(join(base, 'folder'));
  expect([same.identity === one.identity, other.identity === one.identity]).toEqual([true, false]);
  for (const folder of [one, same, other]) folder.close();
});

it.each(['', '.', '..', 'a/b', '/a', 'a/', 'a\0'])('%j is no name in a folder', (name) => {
  const base = makeFolder();
  const folder = holdFolder(base);
  expect([isOneName(name), isOneName(Buffer.from(name))]).toEqual([false, false]);
  expect(() => folder.pathOf(name)).toThrow('no name');
  folder.close();
});
