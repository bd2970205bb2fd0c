import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { withTenant } from './tenant-scope.ts';

const alpha = '01900000-0000-7000-8000-00000000000a';
const beta = '01900000-0000-7000-8000-00000000000b';
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
  const make = (sql: string) => database.adminDb.query(`/* make */ ${sql}`);
  await make('create table notes (tenant_id uuid not null, id int not null, body text, primary key (tenant_id, id))');
  await make('alter table notes enable row level security');
  await make('alter table notes force row level security');
  await make("create policy tenant on notes using (tenant_id = nullif(current_setting('headgate.tenant', true), '')::uuid)");
  await make('grant select, insert, update, delete on notes to headgate_app');
});

afterAll(() => database.drop());

const insert = '/* insert note */ insert into notes (tenant_id, id, body) values ($1, $2, $3)';
const list = '/* list notes */ select tenant_id, id from notes order by id';

it('a scope sees its own tenant only', async () => {
  await withTenant(database.db, alpha, (tx) => tx.query(insert, [alpha, 1, 'a']));
  await withTenant(database.db, beta, (tx) => tx.query(insert, [beta, 1, 'b']));
  const seen = await withTenant(database.db, alpha, async (tx) => [tx.tenantId, (await tx.query(list)).rows] as const, { readOnly: true });
  expect(seen).toEqual([alpha, [{ tenant_id: alpha, id: 1 }]]);
});

it("a row of another tenant cannot be written, and the refusal is not that tenant's constraint", async () => {
  const foreign = withTenant(database.db, alpha, (tx) => tx.query(insert, [beta, 1, 'planted']));
  await expect(foreign).rejects.toMatchObject({ code: 'E_DATABASE_FORBIDDEN' });
});

it('without a scope there are no rows, before and after others used the connection', async () => {
  expect((await database.db.query(list)).rows).toEqual([]);
  await withTenant(database.db, alpha, async () => {});
  await withTenant(database.db, alpha, () => Promise.reject(new Error('failed'))).catch(() => {});
  expect((await database.db.query(list)).rows).toEqual([]);
});

it.each(['', 'null', "' or true --", alpha.toUpperCase(), `${alpha}\n`, `{${alpha}}`, '*'])(
  'the id %j is refused before anything is sent',
  async (id) => {
    await expect(withTenant(database.db, id, async () => {})).rejects.toMatchObject({ code: 'E_TENANT_ID' });
  },
);

it('a scope inside a scope is refused, and the outer one fails with it', async () => {
  const nested = withTenant(database.db, alpha, () => withTenant(database.db, beta, async () => 'inside'));
  await expect(nested).rejects.toMatchObject({ code: 'E_TENANT_NESTED' });
});

it('work that was started inside a scope may open its own after the first has ended', async () => {
  const first = Promise.withResolvers<void>();
  let later: Promise<string> | undefined;
  await withTenant(database.db, alpha, async () => {
    later = first.promise.then(() => withTenant(database.db, beta, async (tx) => tx.tenantId));
  });
  first.resolve();
  expect(await later).toBe(beta);
});

it('scopes side by side do not disturb each other', async () => {
  const tenants = Array.from({ length: 40 }, (_, index) => (index % 2 ? alpha : beta));
  const seen = await Promise.all(
    tenants.map((tenant) => withTenant(database.db, tenant, async (tx) => (await tx.query<{ tenant_id: string }>(list)).rows)),
  );
  for (const [index, rows] of seen.entries()) expect(rows.map((row) => row.tenant_id)).toEqual([tenants[index]]);
});
