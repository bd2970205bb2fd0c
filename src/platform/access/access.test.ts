import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { systemPorts } from '../base/system-ports.ts';
import { withTenant } from '../tenancy/tenant-scope.ts';
import { authenticateKey, createApiKey, listApiKeys, revokeApiKey, type Scope } from './api-keys.ts';
import { ensureTenant, findOwnTenant, findTenant, listTenants, setTier } from './tenants.ts';

const { ids } = systemPorts;
const place = { cell: 'local', region: 'here' };
let database: TestDatabase;
let alpha: string;
let beta: string;

beforeAll(async () => {
  database = await createTestDatabase();
  alpha = await ensureTenant(database.db, ids, { name: 'alpha', ...place });
  beta = await ensureTenant(database.db, ids, { name: 'beta', tier: 'gold', ...place });
});
afterAll(() => database.drop());

const create = (tenantId: string, scopes: readonly Scope[] = ['files:write'], expiresAt?: Date) =>
  withTenant(database.db, tenantId, (tx) => createApiKey(tx, systemPorts, { name: 'test', scopes, expiresAt, actor: 'administrator' }));

it('a tenant is made once, and keeps its id when its tier changes', async () => {
  expect(await ensureTenant(database.db, ids, { name: 'beta', tier: 'gold', ...place })).toBe(beta);
  expect(await findTenant(database.db, 'alpha')).toBe(alpha);
  expect(await findTenant(database.db, 'nobody')).toBeUndefined();
  expect((await listTenants(database.db)).map((tenant) => tenant.name)).toEqual(['alpha', 'beta']);
  await withTenant(database.db, alpha, (tx) => setTier(tx, 'bronze'));
  expect(await withTenant(database.db, alpha, findOwnTenant)).toEqual({ name: 'alpha', tier: 'bronze', ...place });
  const { rows } = await database.adminDb.query('/* shares */ select distinct weight from headgate.tenant_shares where tenant_id = $1', [
    alpha,
  ]);
  expect(rows).toEqual([{ weight: 1 }]);
});

it.each(['', 'Alpha', '../x', 'a b', 'a'.repeat(64), "a'; drop"])('%j is no name for a tenant', async (name) => {
  await expect(ensureTenant(database.db, ids, { name, ...place })).rejects.toMatchObject({ code: 'E_TENANT_NAME' });
});

it('a key tells its tenant and scopes, and the database keeps neither it nor a part of it', async () => {
  const { key, keyId } = await create(beta, ['files:write', 'jobs:read']);
  expect(key).toMatch(/^hg_live_[A-Za-z0-9_-]{43}$/);
  expect(await authenticateKey(database.db, key)).toEqual({
    tenantId: beta,
    tenantName: 'beta',
    keyId,
    scopes: ['files:write', 'jobs:read'],
  });
  const { rows } = await database.adminDb.query<{ row: string }>('/* stored keys */ select k::text as row from headgate.api_keys k');
  for (const { row } of rows) expect(row).not.toContain(key.slice(8, 20));
});

it('a revoked key is refused at once, and can not be revoked again', async () => {
  const { key, keyId } = await create(alpha);
  const revoke = () => withTenant(database.db, alpha, (tx) => revokeApiKey(tx, ids, { keyId, actor: 'administrator' }));
  await revoke();
  expect(await authenticateKey(database.db, key)).toBeUndefined();
  await expect(revoke()).rejects.toMatchObject({ code: 'E_KEY_UNKNOWN' });
});

it("another tenant can neither revoke nor list a tenant's key", async () => {
  const { key, keyId } = await create(alpha);
  const attack = withTenant(database.db, beta, (tx) => revokeApiKey(tx, ids, { keyId, actor: 'attacker' }));
  await expect(attack).rejects.toMatchObject({ code: 'E_KEY_UNKNOWN' });
  expect((await withTenant(database.db, beta, (tx) => listApiKeys(tx))).map((view) => view.keyId)).not.toContain(keyId);
  expect((await authenticateKey(database.db, key))?.tenantId).toBe(alpha);
});

it('a key ends on the clock of the database', async () => {
  const { rows } = await database.db.query<{ at: Date }>("/* soon */ select headgate.clock() + interval '1 hour' as at");
  const { key } = await create(alpha, ['files:read'], rows[0]!.at);
  expect(await authenticateKey(database.db, key)).toBeDefined();
  await database.adminDb.query("/* later */ update headgate.clock_offset set by = interval '2 hours'");
  expect(await authenticateKey(database.db, key)).toBeUndefined();
  await database.adminDb.query("/* back */ update headgate.clock_offset set by = '0'");
});

it.each(['', 'hg_live_', `hg_live_${'A'.repeat(43)}`, "hg_live_' or true --", `hg_test_${'A'.repeat(43)}`, 'A'.repeat(10_000)])(
  'a guess such as %j is nobody',
  async (key) => {
    expect(await authenticateKey(database.db, key)).toBeUndefined();
  },
);

it('a key needs scopes that exist', async () => {
  await expect(create(alpha, [])).rejects.toMatchObject({ code: 'E_KEY_SCOPE' });
  await expect(create(alpha, ['root' as Scope])).rejects.toMatchObject({ code: 'E_KEY_SCOPE' });
});

it('making and revoking keys leaves events', async () => {
  const { keyId } = await create(alpha);
  await withTenant(database.db, alpha, (tx) => revokeApiKey(tx, ids, { keyId, actor: 'auditor' }));
  const { rows } = await database.adminDb.query(
    '/* key events */ select type, actor from headgate.events where object_id = $1 order by event_id',
    [keyId],
  );
  expect(rows).toEqual([
    { type: 'key.created', actor: 'administrator' },
    { type: 'key.revoked', actor: 'auditor' },
  ]);
});
