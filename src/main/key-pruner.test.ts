import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { answerOnce, type KeyedRequest } from '../platform/access/idempotency-keys.ts';
import { ensureTenant } from '../platform/access/tenants.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { withTenant } from '../platform/tenancy/tenant-scope.ts';
import { pruneKeys } from './key-pruner.ts';

let database: TestDatabase;
let tenants: readonly string[];

beforeAll(async () => {
  database = await createTestDatabase();
  tenants = await Promise.all(
    ['keys-a', 'keys-b'].map((name) => ensureTenant(database.db, systemPorts.ids, { name, cell: 'local', region: 'local' })),
  );
});
afterAll(() => database.drop());

const setClock = (days: number) =>
  database.adminDb.query("/* set clock */ update headgate.clock_offset set by = $1 * interval '1 day'", [days]);
const prune = () => pruneKeys(database.db, { signal: new AbortController().signal, rowsMax: 2 });

const ask = (tenantId: string, key: string, answer: string, requestHash = 'same') => {
  const keyed: KeyedRequest = { scope: 'decisions', key, requestHash };
  return withTenant(database.db, tenantId, (tx) => answerOnce(tx, keyed, async () => answer));
};

test('keys older than a week are removed for every tenant, in batches, and younger ones still have their answer', async () => {
  for (const tenantId of tenants) {
    for (const key of ['a', 'b', 'c', 'd', 'e']) await ask(tenantId, key, 'first');
    expect(await ask(tenantId, 'a', 'second')).toBe('first');
  }
  expect(await prune()).toBe(0);
  await setClock(6);
  for (const tenantId of tenants) await ask(tenantId, 'young', 'first');
  expect(await prune()).toBe(0);
  await setClock(8);
  expect(await prune()).toBe(10);
  for (const tenantId of tenants) {
    expect(await ask(tenantId, 'young', 'second')).toBe('first');
    expect(await ask(tenantId, 'a', 'second', 'another request')).toBe('second');
  }
});

test('a signal ends the work between two batches', async () => {
  expect(await pruneKeys(database.db, { signal: AbortSignal.abort(), rowsMax: 2 })).toBe(0);
});
