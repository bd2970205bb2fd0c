import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
});

afterAll(() => database.drop());

it('tests run on the version of PostgreSQL that their binaries are of', async () => {
  const { rows } = await database.adminDb.query<{ version: string }>("/* version */ select current_setting('server_version') as version");
  const hasOlder = process.env['HEADGATE_TEST_POSTGRES_BINARIES'] !== undefined;
  const isOwn = process.env['HEADGATE_TEST_POSTGRES'] !== undefined;
  expect(rows[0]!.version).toMatch(isOwn ? /^1[78]/ : hasOlder ? /^17/ : /^18/);
});
