/** E7: a name of a tenant that comes again. Ids are never used again, so nothing of one tenant becomes another's. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { authenticateKey, createApiKey } from '../../src/platform/access/api-keys.ts';
import { ensureTenant, findTenant } from '../../src/platform/access/tenants.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { withTenant } from '../../src/platform/tenancy/tenant-scope.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { temporaryStore } from '../support/temporary-store.ts';

const { ids } = systemPorts;
const place = { cell: 'local', region: 'local' };
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const makeKey = (tenantId: string) =>
  withTenant(database.db, tenantId, (tx) => createApiKey(tx, systemPorts, { name: 'test', scopes: ['jobs:read'], actor: 'test' }));

it('made a second time is the same tenant, and its keys go on', async () => {
  const tenantId = await ensureTenant(database.db, ids, { name: 'twice', ...place });
  const { key } = await makeKey(tenantId);
  expect(await ensureTenant(database.db, ids, { name: 'twice', ...place })).toBe(tenantId);
  expect(await authenticateKey(database.db, key)).toMatchObject({ tenantId, tenantName: 'twice' });
});

it('can be neither deleted nor renamed by the product, nor deleted by anybody while anything of it is there', async () => {
  const tenantId = await ensureTenant(database.db, ids, { name: 'fast', ...place });
  await makeKey(tenantId);
  for (const sql of ["update headgate.tenants set name = 'other'", 'delete from headgate.tenants'])
    await expect(withTenant(database.db, tenantId, (tx) => tx.query(`/* attack */ ${sql}`))).rejects.toMatchObject({
      code: 'E_DATABASE_FORBIDDEN',
    });
  await expect(database.adminDb.query('/* superuser */ delete from headgate.tenants where tenant_id = $1', [tenantId])).rejects.toThrow();
  expect(await findTenant(database.db, 'fast')).toBe(tenantId);
});

it('with the id of another tenant is refused, and renames nobody', async () => {
  const tenantId = await ensureTenant(database.db, ids, { name: 'first', ...place });
  await expect(ensureTenant(database.db, { next: () => tenantId }, { name: 'second', ...place })).rejects.toMatchObject({
    code: expect.stringMatching(/^E_DATABASE/),
  });
  expect([await findTenant(database.db, 'first'), await findTenant(database.db, 'second')]).toEqual([tenantId, undefined]);
});

it('that a superuser removed by hand and that is made again has another id: old keys and old objects stay closed to it', async () => {
  const before = await ensureTenant(database.db, ids, { name: 'again', ...place });
  const { key } = await makeKey(before);
  const storage = temporaryStore();
  const writer = storage.store.create({ tenantId: before, objectId: ids.next(), kind: 'raw' });
  writer.write(Buffer.from('of the first'));
  const object = writer.commit();
  const { rows: tables } = await database.adminDb.query<{ name: string }>(
    `/* tables */ select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' where n.nspname = 'headgate' and c.relkind in ('r', 'p') and not c.relispartition
     order by c.relname = 'tenants'`,
  );
  // Past keys and triggers, as only a superuser can.
  await database.adminDb.transaction(async (tx) => {
    await tx.query("/* by hand */ set local session_replication_role = 'replica'");
    for (const { name } of tables) await tx.query(`/* by hand */ delete from ${name} where tenant_id = $1`, [before]);
  });
  const after = await ensureTenant(database.db, ids, { name: 'again', ...place });
  expect(after).not.toBe(before);
  expect(await authenticateKey(database.db, key)).toBeUndefined();
  expect(() => storage.store.open(after, object)).toThrow(expect.objectContaining({ code: 'E_KEY' }));
});
