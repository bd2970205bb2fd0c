import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import type { Candidate } from '../pipeline/arrivals/candidate.ts';
import { proveStored } from '../pipeline/arrivals/late-rows.ts';
import { ensureTenant } from '../platform/access/tenants.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { objectName } from '../platform/storage/object-name.ts';
import type { ObjectIdentity } from '../platform/storage/object-store.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { findReferenced, mayWait, removeUnnamed } from './storage-sweep.ts';

const { clock, ids } = systemPorts;
const insertSegment = `/* plant segment */ insert into headgate.segments (tenant_id, segment_id, object_id, group_id, kind, bytes, sha256, object, fence, created_at)
  values ($1, $2, $2, $3, 'output', 1, '', '{}', 1, headgate.clock())`;
const cell = 'local';
const hourMs = 60 * 60_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const addTenant = (name: string) => ensureTenant(database.db, ids, { name, cell: 'local', region: 'local' });
const nameOf = (tenantId: string, objectId: string, kind: ObjectIdentity['kind'] = 'output') =>
  objectName('local', { tenantId, objectId, kind, label: 'job-1' });

test('an object is an orphan when no row of its own tenant names it', async () => {
  const [mine, other] = await Promise.all(['sweep-a', 'sweep-b'].map(addTenant));
  const [kept, lost] = [ids.next(), ids.next()];
  await withTenant(database.db, mine!, (tx) => tx.query(insertSegment, [tx.tenantId, kept, ids.next()]));
  const names = [nameOf(mine!, kept), nameOf(mine!, lost), nameOf(other!, kept), 'local/not-ours'];
  expect([...(await findReferenced({ db: database.db, cell }, names))].sort()).toEqual([nameOf(mine!, kept), 'local/not-ours'].sort());
  const removed: string[] = [];
  await removeUnnamed({ db: database.db, cell, clock }, names, (name) => removed.push(name));
  expect(removed.toSorted()).toEqual([nameOf(mine!, lost), nameOf(other!, kept)].toSorted());
});

test('what another cell keeps in the same place is none of ours to remove', async () => {
  const name = objectName('elsewhere', { tenantId: ids.next(), objectId: ids.next(), kind: 'raw' });
  expect([...(await findReferenced({ db: database.db, cell }, [name]))]).toEqual([name]);
});

test('an orphan whose row is late is not removed while that is committed, nor after it', async () => {
  const tenantId = await addTenant('sweep-late');
  const objectId = ids.next();
  const name = nameOf(tenantId, objectId);
  const candidates = [{ container: { object: { name } }, member: null, members: null }] as unknown as Candidate[];
  const committing = Promise.withResolvers<void>();
  const proved = Promise.withResolvers<void>();
  const committed = withTenant(database.db, tenantId, async (tx) => {
    await proveStored(tx, { clock, store: { isStored: async () => true }, sinceMs: clock.monotonicMs() - hourMs, candidates });
    proved.resolve();
    await tx.query(insertSegment, [tx.tenantId, objectId, ids.next()]);
    await committing.promise;
  });
  await proved.promise;
  const removed: string[] = [];
  const removing = removeUnnamed({ db: database.db, cell, clock }, [name], (each) => removed.push(each));
  const waiting = "/* waiting */ select 1 from pg_locks where locktype = 'advisory' and not granted";
  await vi.waitUntil(async () => (await database.adminDb.query(waiting)).rowCount === 1, { timeout: 15_000, interval: 10 });
  committing.resolve();
  await Promise.all([committed, removing]);
  expect(removed).toEqual([]);
});

test('a pass that takes long gives way, and removes the rest another time', async () => {
  const tenantId = await addTenant('sweep-slow');
  const names = [1, 2, 3].map(() => nameOf(tenantId, ids.next()));
  let nowMs = 0;
  const removed: string[] = [];
  await removeUnnamed({ db: database.db, cell, clock: { monotonicMs: () => nowMs } }, names, (name) => {
    removed.push(name);
    nowMs += 8_000;
  });
  expect(removed).toEqual(names.slice(0, 2));
});

test('what arrivals keep may wait for its row for a day, whatever the clock of the store', () => {
  const [tenantId, objectId] = [ids.next(), ids.next()];
  const raw = { name: nameOf(tenantId, objectId, 'raw'), modifiedMs: 100 * hourMs };
  expect([50, 100, 123.9, 124].map((hours) => mayWait(raw, hours * hourMs))).toEqual([true, true, true, false]);
  expect(mayWait({ ...raw, name: nameOf(tenantId, objectId, 'pack') }, 100 * hourMs)).toBe(false);
});
