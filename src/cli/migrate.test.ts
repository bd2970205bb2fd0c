import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { temporaryFolder } from '../../test/support/temporary-store.ts';
import { migrateVerbs } from './migrate.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase({ isEmpty: true });
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await database.drop();
});

const wrongPassword = (text: string) => Object.assign(new URL(text), { password: 'wrong' }).href;
const wrongName = (text: string) => `${text}_elsewhere`;
const wrongPort = (text: string) => Object.assign(new URL(text), { port: '1' }).href;

describe('what migrating can not use is named by the setting it came from', () => {
  it.each([
    ['a wrong password', wrongPassword, 'E_DATABASE_LOGIN'],
    ['a database that does not exist', wrongName, 'E_DATABASE_MISSING'],
    ['a server that is away', wrongPort, 'E_DATABASE_UNREACHABLE'],
  ])('%s', async (_what, spoil, code) => {
    const fails = async (verb: string, settings: Record<string, string>) => {
      vi.unstubAllEnvs();
      for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
      const done = migrateVerbs[verb]!.run({ positionals: [], options: { 'data-dir': temporaryFolder() } });
      const error = await done.then(
        () => undefined,
        (reason: unknown) => reason as { code: string; next: string },
      );
      expect(error?.code).toBe(code);
      return error?.next;
    };
    const both = { HEADGATE_DATABASE_URL: database.url, HEADGATE_MIGRATION_DATABASE_URL: spoil(database.adminUrl) };
    expect(await fails('up', both)).toMatch(/ HEADGATE_MIGRATION_DATABASE_URL\b/);
    expect(await fails('status', both)).not.toMatch(/ HEADGATE_DATABASE_URL\b/);
    expect(await fails('up', { HEADGATE_DATABASE_URL: spoil(database.adminUrl) })).toMatch(/ HEADGATE_DATABASE_URL\b/);
  });
});

describe('a database that is not the one in use is not migrated', () => {
  it.each([
    ['up', {}],
    ['up', { 'dry-run': true }],
    ['status', {}],
  ])('%s %j', async (verb, options) => {
    const other = await createTestDatabase({ isEmpty: true });
    vi.stubEnv('HEADGATE_MIGRATION_DATABASE_URL', other.adminUrl);
    vi.stubEnv('HEADGATE_DATABASE_URL', database.url);
    const done = migrateVerbs[verb]!.run({ positionals: [], options: { ...options, 'data-dir': temporaryFolder() } });
    await expect(done).rejects.toMatchObject({
      code: 'E_DATABASES_DIFFER',
      message: expect.stringContaining(new URL(other.adminUrl).pathname.slice(1)),
      next: expect.stringContaining('HEADGATE_MIGRATION_DATABASE_URL and HEADGATE_DATABASE_URL'),
    });
    await other.drop();
  });
});
