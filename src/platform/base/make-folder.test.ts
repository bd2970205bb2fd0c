import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { makeFolder } from './make-folder.ts';

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-folder-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

it('a folder is made with all that is missing above it, and one that is there is left', () => {
  const path = join(temporary(), 'a/b/c');
  makeFolder(path, 0o700);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  makeFolder(path);
  makeFolder(`${path}/`);
  expect(statSync(path).isDirectory()).toBe(true);
});

it('a folder where a file is, or that its file system refuses, ends with the error of the system', () => {
  const folder = temporary();
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'there'));
  const codeOf = (path: string) => {
    try {
      makeFolder(path);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
    return null;
  };
  expect([join(folder, 'file'), join(folder, 'file/below'), '/proc/headgate', '/proc/self/headgate/below'].map(codeOf)).toEqual([
    'EEXIST',
    'ENOTDIR',
    'ENOENT',
    'ENOENT',
  ]);
});
