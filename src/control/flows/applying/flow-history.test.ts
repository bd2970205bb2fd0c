import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { ensureTenant } from '../../../platform/access/tenants.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { type TenantTx, withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { loadFlow } from '../load-flow.ts';
import { readFlowHistory } from './flow-history.ts';
import { applyFlow } from './flow-store.ts';

const { ids } = systemPorts;
let database: TestDatabase;
let tenantId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  tenantId = await ensureTenant(database.db, ids, { name: 'bank-za', cell: 'local', region: 'here' });
});
afterAll(() => database.drop());

const inTenant = <T>(work: (tx: TenantTx) => Promise<T>) => withTenant(database.db, tenantId, work);
const example = readFileSync(new URL('../../../../examples/eft.yaml', import.meta.url), 'utf8');
const history = (page: { before?: string; limit: number }) => inTenant((tx) => readFlowHistory(tx, 'eft-credit-inbound', page));

async function apply(text: string): Promise<void> {
  const { definition, canonical, hash } = loadFlow(text);
  const { service, name, version } = definition!.metadata;
  const applied = { service, subService: null, name, version, hash: hash!, source: text, document: canonical!, polledSources: [] };
  await inTenant((tx) => applyFlow(tx, ids, applied, `author of ${version}`));
}

it('says of each version what it changed against the one before, page by page', async () => {
  await apply(example);
  await apply(example.replace('version: 1.0.0', 'version: 1.1.0').replace('maxInvalidRatio: 0.02', 'maxInvalidRatio: 0.05'));
  await apply(example.replace('version: 1.0.0', 'version: 1.2.0').replace('record.amount >= 0', 'record.amount > 0'));
  const all = await history({ limit: 10 });
  expect(all.map(({ version, previous, state, appliedBy }) => [version, previous, state, appliedBy])).toEqual([
    ['1.2.0', '1.1.0', 'active', 'author of 1.2.0'],
    ['1.1.0', '1.0.0', 'superseded', 'author of 1.1.0'],
    ['1.0.0', null, 'superseded', 'author of 1.0.0'],
  ]);
  expect(all.map(({ changes }) => changes)).toEqual([
    [
      { change: 'changed', path: 'spec.validate[amount-not-negative].assert', before: 'record.amount >= 0', after: 'record.amount > 0' },
      expect.objectContaining({ change: 'changed', path: 'spec.acceptance.maxInvalidRatio' }),
    ],
    [expect.objectContaining({ change: 'changed', path: 'spec.acceptance.maxInvalidRatio' })],
    [{ change: 'added', path: 'spec' }],
  ]);
  // A page ends in the middle: the oldest of it is held against one that is not on it.
  const [first] = await history({ limit: 1 });
  expect(first).toEqual(all[0]);
  expect(await history({ limit: 5, before: first!.flowVersionId })).toEqual(all.slice(1));
});

it('of a flow that is not there is none', async () => {
  await expect(inTenant((tx) => readFlowHistory(tx, 'nothing', { limit: 1 }))).rejects.toMatchObject({ code: 'E_FLOW_UNKNOWN' });
});
