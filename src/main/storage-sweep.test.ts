import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { ensureTenant } from '../platform/access/tenants.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { objectName } from '../platform/storage/object-name.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { findReferenced } from './storage-sweep.ts';

const { ids } = systemPorts;
const insertSegment = `/* plant segment */ insert into headgate.segments (tenant_id, segment_id, object_id, group_id, kind, bytes, sha256, object, fence, created_at)
  values ($1, $2, $2, $3, 'output', 1, '', '{}', 1, headgate.clock())`;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('an object is an orphan when no row of its own tenant names it', async () => {
  const [mine, other] = await Promise.all(
    ['sweep-a', 'sweep-b'].map((name) => ensureTenant(database.db, ids, { name, cell: 'local', region: 'local' })),
  );
  const [kept, lost] = [ids.next(), ids.next()];
  await withTenant(database.db, mine!, (tx) => tx.query(insertSegment, [tx.tenantId, kept, ids.next()]));
  const nameOf = (tenantId: string, objectId: string) => objectName('local', { tenantId, objectId, kind: 'output', label: 'job-1' });
  const names = [nameOf(mine!, kept), nameOf(mine!, lost), nameOf(other!, kept), 'local/not-ours'];
  expect([...(await findReferenced(database.db, 'local', names))].sort()).toEqual([nameOf(mine!, kept), 'local/not-ours'].sort());
});

test('what another cell keeps in the same place is none of ours to remove', async () => {
  const name = objectName('elsewhere', { tenantId: ids.next(), objectId: ids.next(), kind: 'raw' });
  expect([...(await findReferenced(database.db, 'local', [name]))]).toEqual([name]);
});
