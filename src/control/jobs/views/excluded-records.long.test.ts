import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/delivery-scenario.ts';
import { createJobScenario, type JobScenario } from '../../../../test/support/job-scenario.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { fixturePlan } from '../../../../test/support/verified-flow.ts';
import { encodeExclusions } from '../../../pipeline/ledger/exclusions.ts';
import type { SealedReader, SealedStore } from '../../../platform/storage/object-store.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { ExcludedRecords } from './excluded-records.ts';
import { listFindings } from './finding-views.ts';

const group = { code: 'E_DUPLICATE_KEY', field: 'id', rule: null, count: 1, firstOffset: 0, message: 'the same again' };

/** A list between other bytes, as in a segment, and how much of it was read. */
function listOf(records: readonly number[]) {
  const list = encodeExclusions(records.map((record) => ({ record, code: 'E_DUPLICATE_KEY' })));
  const bytes = Buffer.concat([Buffer.from('{"record":1}\n'), list, Buffer.from('{"record":2}\n')]);
  let readBytes = 0;
  const source: SealedReader = {
    size: bytes.length,
    sha256: '',
    read(into, at, length, position) {
      // Less than was asked for, as storage may.
      const count = bytes.copy(into, at, position, position + Math.min(length, 5_000));
      readBytes += count;
      return count;
    },
    close() {},
  };
  return { excluded: new ExcludedRecords(source, { start: 13, end: 13 + list.length }, [group]), read: () => readBytes };
}

describe('the list of excluded records', () => {
  it('is read from where a record stands, whatever its length', () => {
    const records = Array.from({ length: 60_000 }, (_, at) => 3 * at + 1);
    for (const from of [0, 1, 2, 4, 89_998, 89_999, 179_996, 179_998, 179_999]) {
      const { excluded, read } = listOf(records);
      const found = [];
      for (const { record } of excluded.from(from)) {
        found.push(record);
        if (found.length === 50) break;
      }
      expect(found).toEqual(records.filter((record) => record >= from).slice(0, 50));
      expect(read()).toBeLessThan(100_000);
    }
  });

  it.each([0, 1, 2, 700, 701])('of %i records is given whole', (length) => {
    const records = Array.from({ length }, (_, at) => at + 5);
    expect([...listOf(records).excluded.from(1)].map(({ record }) => record)).toEqual(records);
  });
});

describe('a page of findings', () => {
  let database: TestDatabase;
  let scenario: JobScenario | undefined;
  beforeAll(async () => {
    database = await createTestDatabase({ connectionsMax: 12 });
  });
  afterEach(() => scenario?.stopAll());
  afterAll(() => database.drop());

  it('opens the chunks of its excluded records and no others, and nothing where no record was excluded for the code', async () => {
    scenario = await createJobScenario({ database, plan: fixturePlan(Buffer.from('a flow')), chunkBytes: 60 });
    const { services, tenantId } = scenario;
    const lines = ['H,ACME', ...Array.from({ length: 60 }, (_, at) => `D,u${at >> 1},1.00,ZAR,`), 'T,60,60.00'];
    const [jobId] = await scenario.accept([lines.map((line) => `${line}\n`).join('')]);
    scenario.startAll();
    await until(async () => ['held', 'completed'].includes((await scenario!.jobs())[0]!.state), 'the job was not checked');
    const opened: string[] = [];
    const store = {
      ...services.store,
      open: (...[tenant, object]: Parameters<SealedStore['open']>) => {
        opened.push(object.objectId);
        return services.store.open(tenant, object);
      },
    };
    const page = async (options: { readonly limit: number; readonly code?: string }) => {
      opened.length = 0;
      return (await withTenant(services.db, tenantId, (tx) => listFindings(tx, store, jobId!, options), { readOnly: true })).items;
    };
    const first = await page({ limit: 1 });
    expect([first.map(({ code }) => code), opened.length]).toEqual([['E_DUPLICATE_KEY'], 2]);
    expect(await page({ limit: 100 })).toHaveLength(30);
    expect(opened.length).toBeGreaterThan(10);
    expect([await page({ limit: 100, code: 'E_POISON' }), opened.length]).toEqual([[], 1]);
  });
});
