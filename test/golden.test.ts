import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { goldenFiles } from '../scripts/golden-files.ts';
import { projectRoot } from '../scripts/steps.ts';
import { argumentsMax, type Command } from '../src/cli/command.ts';
import { commands, isCommand } from '../src/main/commands.ts';
import { declaredErrors } from '../src/platform/base/errors.ts';
import { createTestDatabase, type TestDatabase } from './support/postgres.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

it.each(goldenFiles.map((file) => [file.path, file] as const))('%s is what `npm run golden` makes', async (path, file) => {
  const full = join(projectRoot, path);
  expect(existsSync(full) ? readFileSync(full, 'utf8') : '').toBe(await file.render(database.adminDb));
});

it('every error code has a page entry, and every entry a code', () => {
  const page = readFileSync(join(projectRoot, 'docs/reference/errors.md'), 'utf8');
  const documented = [...page.matchAll(/^## (E_[A-Z0-9_]+)$/gm)].map((match) => match[1]!);
  expect(documented).toEqual(declaredErrors().map((entry) => entry.code));
});

it('every entry says what the code means, who can act, and what to do next', () => {
  const page = readFileSync(join(projectRoot, 'docs/reference/errors.md'), 'utf8');
  const entries = page.split(/^## /m).slice(1);
  expect(entries).toHaveLength(declaredErrors().length);
  for (const entry of entries)
    expect(entry).toMatch(
      /^E_[A-Z0-9_]+\n\n\S[^\n]*\.\n\n- Who can act: (sender|author|operator|administrator|downstream|caller)\n- Next: \S[^\n]*\.\n/,
    );
});

it('every error says what it means and what to do in whole sentences', () => {
  for (const { code, meaning, next } of declaredErrors()) {
    expect(`${code} ${meaning}`).toMatch(/\.$/);
    expect(`${code} ${next}`).toMatch(/\.$/);
  }
});

it('every command has room for the arguments that it takes, and for no more', async () => {
  const rooms: Record<string, string[]> = {};
  for (const [noun, { load }] of Object.entries(commands)) {
    const loaded = await load();
    const verbs: [string, Command][] = isCommand(loaded)
      ? [[noun, loaded]]
      : Object.entries(loaded).map(([verb, each]) => [`${noun} ${verb}`, each]);
    for (const [name, command] of verbs) (rooms[String(argumentsMax(command))] ??= []).push(name);
  }
  const { 0: none, 1: one, ...more } = rooms;
  expect(more).toEqual({
    2: ['flow explain', 'record get', 'target get', 'target probe', 'target ddl'],
    3: ['target breaker'],
    Infinity: [
      'dead-letter redrive',
      'dead-letter repair',
      'dead-letter discard',
      'flow validate',
      'flow fmt',
      'flow test',
      'flow plan',
      'flow apply',
      'ingest',
      'run',
      'write',
    ],
  });
  expect(one).toEqual(expect.arrayContaining(['arrival accept', 'batch resolve', 'job cancel', 'key revoke', 'error', 'verify']));
  expect(none).toEqual(expect.arrayContaining(['blocked-key release', 'dead-letter groups', 'job list', 'serve', 'trust']));
});
