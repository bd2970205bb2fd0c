import { expect, it } from 'vitest';
import { HeadgateError } from '../../platform/base/errors.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import type { Db } from '../../platform/postgres/database.ts';
import { CommitUnknownError, postgresErrors } from '../../platform/postgres/postgres-errors.ts';
import { commitForCertain } from './certain-transaction.ts';

const tenantId = '01900000-0000-7000-8000-000000000000';
const ports = { ...systemPorts, sleep: { sleep: async () => {} } };

/** Every COMMIT loses its answer; `ask` is what is asked of it. */
function losing(ask: () => Promise<unknown>): { readonly db: Db; readonly commits: () => number } {
  let commits = 0;
  const db = {
    query: ask,
    transaction: async () => {
      commits += 1;
      throw new CommitUnknownError('7/run', new Error('the connection broke'));
    },
  };
  return { db: db as unknown as Db, commits: () => commits };
}

it('a COMMIT whose outcome can not be asked for is unknown, not undone', async () => {
  const { db, commits } = losing(async () => {
    throw new HeadgateError(postgresErrors.E_DATABASE_UNREACHABLE, 'the server is gone');
  });
  await expect(commitForCertain({ db, ports }, tenantId, async () => {})).rejects.toMatchObject({ code: 'E_COMMIT_UNKNOWN' });
  expect(commits()).toBe(1);
});
