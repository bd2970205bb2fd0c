import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-store.ts';
import { systemRng } from '../base/system-ports.ts';
import { writePrivateFileOnce } from './private-file.ts';
import { Secret } from './secret.ts';
import { createSecretFiles } from './secret-files.ts';
import { readSecretReference } from './secret-references.ts';
import { createSecretResolver } from './secret-resolver.ts';

const canary = 'CANARY-0b51-do-not-print';

function secretFile(content: string | Buffer, mode = 0o600, folder = temporaryFolder()): string {
  const path = join(folder, 'secret');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const open = (env: Record<string, string> = {}) => createSecretResolver({ env, limits: null });

describe('a secret', () => {
  test('is not shown by anything that prints', () => {
    const secret = new Secret(Buffer.from(canary));
    const error = new Error(`failed with ${secret}`, { cause: { secret } });
    const shown = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ secret }, { showHidden: true, depth: 9 }),
      format('%s %o %j', secret, secret, secret),
      inspect(error),
    ];
    expect(shown.join('\n')).not.toContain('CANARY');
    expect(shown.join('\n')).not.toContain(Buffer.from(canary).toString('hex').slice(0, 12));
    expect(Object.keys(secret)).toEqual([]);
    expect(secret.reveal()).toBe(canary);
    expect(secret.bytes().toString()).toBe(canary);
  });

  test('a fingerprint tells versions apart', () => {
    expect(new Secret(Buffer.from('a')).fingerprint()).not.toBe(new Secret(Buffer.from('b')).fingerprint());
    expect(new Secret(Buffer.from('a')).fingerprint()).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('a secret reference', () => {
  test.each(['env:A', 'env:HEADGATE_X9', 'file:/run/secrets/x'])('%s is one', (text) => {
    expect(readSecretReference(text)).not.toBe(null);
  });

  test.each([
    '',
    'A',
    'env:',
    'env:1A',
    'env:A B',
    'env:A=1',
    'file:',
    'file:x',
    'file:./x',
    'file:/a/../b',
    'file:/a//b',
    'file:/a\0',
    'http://x',
    'ENV:A',
    `file:/${'x'.repeat(2000)}`,
  ])('%j is none, and it is not repeated in the error', (text) => {
    expect(() => open().resolve(text)).toThrow(
      expect.objectContaining({ code: 'E_SECRET_REFERENCE', message: 'a secret must be given as env:NAME or file:/absolute/path' }),
    );
  });

  test('to the environment is resolved at each use', () => {
    const env: Record<string, string> = { A: 'first' };
    const secrets = open(env);
    expect(secrets.resolve('env:A').reveal()).toBe('first');
    env['A'] = 'second';
    expect(secrets.resolve('env:A').reveal()).toBe('second');
    delete env['A'];
    expect(() => secrets.resolve('env:A')).toThrow(
      expect.objectContaining({
        code: 'E_SECRET_MISSING',
        next: expect.stringMatching(/starts after it was set: restart it, or .*`file:`/),
      }),
    );
    env['A'] = 'x'.repeat(65_537);
    expect(() => secrets.resolve('env:A')).toThrow(expect.objectContaining({ code: 'E_SECRET_SIZE' }));
  });

  test('to a file is read again when the file changes, and only then', () => {
    const path = secretFile('first\n');
    const secrets = open();
    const first = secrets.resolve(`file:${path}`);
    expect(first.reveal()).toBe('first');
    expect(secrets.resolve(`file:${path}`)).toBe(first);
    writeFileSync(path, 'other');
    expect(secrets.resolve(`file:${path}`).reveal()).toBe('other');
    writeFileSync(`${path}.new`, 'moved', { mode: 0o600 });
    renameSync(`${path}.new`, path);
    expect(secrets.resolve(`file:${path}`).reveal()).toBe('moved');
    rmSync(path);
    expect(() => secrets.resolve(`file:${path}`)).toThrow(expect.objectContaining({ code: 'E_SECRET_MISSING' }));
  });

  test('a link that is turned over, as orchestrators do, is followed', () => {
    const folder = temporaryFolder();
    for (const version of ['v1', 'v2']) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'password'), version, { mode: 0o644 });
    }
    symlinkSync('v1', join(folder, '..data'));
    symlinkSync('..data/password', join(folder, 'password'));
    const secrets = createSecretResolver({
      env: {},
      files: createSecretFiles({ mountedFolders: [folder] }),
      limits: { refusal: () => undefined, folders: [folder] },
    });
    expect(secrets.resolve(`file:${folder}/password`).reveal()).toBe('v1');
    symlinkSync('v2', join(folder, '..tmp'));
    renameSync(join(folder, '..tmp'), join(folder, '..data'));
    expect(secrets.resolve(`file:${folder}/password`).reveal()).toBe('v2');
  });

  test.each([0o644, 0o604, 0o666, 0o620, 0o602])('a file of mode %o is refused', (mode) => {
    const path = secretFile(canary, mode);
    expect(() => open().resolve(`file:${path}`)).toThrow(
      expect.objectContaining({ code: 'E_SECRET_PERMISSIONS', message: expect.not.stringContaining('CANARY') }),
    );
  });

  test('a file that became readable for everyone is refused although it was read before', () => {
    const path = secretFile(canary);
    const secrets = open();
    secrets.resolve(`file:${path}`);
    chmodSync(path, 0o644);
    expect(() => secrets.resolve(`file:${path}`)).toThrow(expect.objectContaining({ code: 'E_SECRET_PERMISSIONS' }));
  });

  test.each([0o600, 0o400, 0o640])('a file of mode %o is read', (mode) => {
    expect(
      open()
        .resolve(`file:${secretFile(canary, mode)}`)
        .reveal(),
    ).toBe(canary);
  });

  test.each([
    ['x', 'x'],
    ['x\n', 'x'],
    ['x\r\n', 'x'],
    ['x\n\n', 'x\n'],
    ['x\r', 'x\r'],
    ['x\r\r\n', 'x\r'],
  ])('%j in a file or a variable is %j, without one line end', (written, read) => {
    expect(
      open()
        .resolve(`file:${secretFile(written)}`)
        .reveal(),
    ).toBe(read);
    expect(open({ A: written }).resolve('env:A').reveal()).toBe(read);
  });

  test.each(['', '\n', '\r\n'])('a variable that is %j is not set', (value) => {
    expect(() => open({ A: value }).resolve('env:A')).toThrow(expect.objectContaining({ code: 'E_SECRET_MISSING' }));
  });

  test('empty, too large and unusual files are refused', () => {
    expect(() => open().resolve(`file:${secretFile('\n')}`)).toThrow(expect.objectContaining({ code: 'E_SECRET_MISSING' }));
    expect(() => open().resolve(`file:${secretFile(Buffer.alloc(65_537, 'x'))}`)).toThrow(
      expect.objectContaining({ code: 'E_SECRET_SIZE' }),
    );
    expect(
      open()
        .resolve(`file:${secretFile(Buffer.alloc(65_536, 'x'))}`)
        .bytes().length,
    ).toBe(65_536);
    expect(() => open().resolve(`file:${temporaryFolder()}`)).toThrow(expect.objectContaining({ code: 'E_SECRET_UNREADABLE' }));
    const fifo = join(temporaryFolder(), 'fifo');
    expect(spawnSync('mkfifo', ['-m', '600', fifo]).status).toBe(0);
    expect(() => open().resolve(`file:${fifo}`)).toThrow(expect.objectContaining({ code: 'E_SECRET_UNREADABLE' }));
  });
});

describe('a generated secret file', () => {
  test('is written once and never over another', () => {
    const path = join(temporaryFolder(), 'a', 'b', 'key');
    expect(writePrivateFileOnce(path, 'first', systemRng)).toBe(true);
    expect(writePrivateFileOnce(path, 'second', systemRng)).toBe(false);
    expect(open().resolve(`file:${path}`).reveal()).toBe('first');
  });
});
