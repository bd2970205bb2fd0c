import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, vi } from 'vitest';
import { itWith } from '../test/support/components.ts';
import { findUnder } from '../test/support/debian-programs.ts';
import { unpackProgram } from './bring-programs.ts';

const program = { package: 'headgate-greeter', path: 'usr/sbin/greet' };

/** A Debian archive in a folder, with a program, the library package it needs, and nothing of the machine's own archive. */
describe('a program that the machine lacks', () => {
  let folder: string;
  let target: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headgate-programs-'));
    target = join(folder, 'programs/greeter');
    useArchive(`deb [trusted=yes] file:${join(folder, 'archive')} ./\n`);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  function useArchive(sources: string): void {
    for (const path of ['archive', 'state/lists/partial', 'cache/archives/partial', 'parts'])
      mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, 'status'), '');
    writeFileSync(join(folder, 'sources.list'), sources);
    writeFileSync(
      join(folder, 'apt.conf'),
      [
        `Dir::State "${join(folder, 'state')}";`,
        `Dir::State::status "${join(folder, 'status')}";`,
        `Dir::Cache "${join(folder, 'cache')}";`,
        `Dir::Etc::SourceList "${join(folder, 'sources.list')}";`,
        `Dir::Etc::SourceParts "${join(folder, 'parts')}";`,
        'APT::Sandbox::User "";',
      ].join('\n'),
    );
    vi.stubEnv('APT_CONFIG', join(folder, 'apt.conf'));
  }

  function addPackage(name: string, files: Readonly<Record<string, string>>, needs = ''): void {
    const tree = join(folder, 'build', name);
    const control = `Package: ${name}\nVersion: 1:1.0\nArchitecture: all\nMaintainer: tests\nDescription: for a test\n${needs}`;
    for (const [path, text] of Object.entries({ ...files, 'DEBIAN/control': control })) {
      mkdirSync(join(tree, path, '..'), { recursive: true });
      writeFileSync(join(tree, path), text, { mode: 0o755 });
    }
    const file = join(folder, 'archive', `${name}_1.0_all.deb`);
    expect(spawnSync('dpkg-deb', ['--root-owner-group', '-b', tree, file]).status).toBe(0);
    const index = join(folder, 'archive/Packages');
    const known = existsSync(index) ? readFileSync(index, 'utf8') : '';
    const bytes = readFileSync(file);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(index, `${known}${control}Filename: ./${name}_1.0_all.deb\nSize: ${bytes.length}\nSHA256: ${sha256}\n\n`);
  }

  itWith('apt')('is unpacked with what it needs, and starts with an environment of its own', () => {
    addPackage('headgate-words', { 'usr/lib/x86_64-linux-gnu/words': 'hello' });
    addPackage(program.package, { [program.path]: '#!/bin/sh\ncat "$LD_LIBRARY_PATH/words"\n' }, 'Depends: headgate-words\n');
    expect(unpackProgram(program, target)).toBeNull();
    const found = findUnder(target, program)!;
    expect(spawnSync(found.path, [], { env: { ...process.env, ...found.env }, encoding: 'utf8' }).stdout).toBe('hello');
    expect(readdirSync(join(folder, 'programs'))).toEqual(['greeter']);
  });

  itWith('apt')('finds Erlang where it was unpacked to', () => {
    addPackage(program.package, { [program.path]: '', 'usr/lib/erlang/bin/erl': 'ROOTDIR=/usr/lib/erlang\n' });
    expect(unpackProgram(program, target)).toBeNull();
    expect(readFileSync(join(target, 'usr/lib/erlang/bin/erl'), 'utf8')).toBe(`ROOTDIR=${target}/usr/lib/erlang\n`);
  });

  itWith('apt')('and that no archive has leaves nothing behind but the reason', () => {
    addPackage('headgate-words', {});
    expect(unpackProgram(program, target)).toContain('Unable to locate package headgate-greeter');
    expect(readdirSync(join(folder, 'programs'))).toEqual([]);
  });

  itWith('apt')('and whose archive is out of reach leaves nothing behind but the reason', () => {
    useArchive('deb [trusted=yes] http://127.0.0.1:9/ ./\n');
    expect(unpackProgram(program, target)).toContain('Unable to locate package headgate-greeter');
    expect(readdirSync(join(folder, 'programs'))).toEqual([]);
  });

  itWith('apt')('and whose package lacks the file is not taken for it', () => {
    addPackage(program.package, { 'usr/share/other': 'x' });
    expect(unpackProgram(program, target)).toBe('it has no usr/sbin/greet');
    expect(findUnder(target, program)).toBeNull();
  });
});
