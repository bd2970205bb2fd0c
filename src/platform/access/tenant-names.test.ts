import { expect, it } from 'vitest';
import { createTestDatabase } from '../../../test/support/postgres.ts';
import { systemPorts } from '../base/system-ports.ts';
import type { Db } from '../postgres/database.ts';
import { withTenant } from '../tenancy/tenant-scope.ts';
import { tenantNameOf } from './tenant-names.ts';
import { ensureTenant } from './tenants.ts';

it('the name of a tenant is read once, and what can not be read has none for now', async () => {
  const database = await createTestDatabase();
  const place = { cell: 'local', region: 'local' };
  const [bank, other] = [
    await ensureTenant(database.db, systemPorts.ids, { name: 'bank', ...place }),
    await ensureTenant(database.db, systemPorts.ids, { name: 'other', ...place }),
  ];
  let transactions = 0;
  let isAway = true;
  const db: Db = {
    ...database.db,
    transaction: (run, options) => {
      transactions += 1;
      return isAway ? Promise.reject(new Error('away')) : database.db.transaction(run, options);
    },
  };
  expect(await tenantNameOf(db, bank)).toBeUndefined();
  isAway = false;
  for (let times = 0; times < 3; times++) expect([await tenantNameOf(db, bank), await tenantNameOf(db, other)]).toEqual(['bank', 'other']);
  expect(transactions).toBe(3);
  expect(await tenantNameOf(db, systemPorts.ids.next())).toBeUndefined();
  // Inside a tenant's transaction no other one is begun.
  await withTenant(db, bank, async () => expect(await tenantNameOf(database.db, other)).toBeUndefined());
  await database.drop();
});
