import { describe, expect, it } from 'vitest';
import { textOf, threadStorageOf } from '../../../../test/support/job-facts.ts';
import { useJobScenarios } from '../../../../test/support/job-scenarios.ts';
import { testFlow } from '../../../../test/support/running-server.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { loadFlow } from '../../flows/load-flow.ts';
import { type ClaimedGroup, groupRunOf, takeUpGroups } from '../groups/claimed-groups.ts';
import { finishGroup } from '../groups/group-finish.ts';
import { runGroup } from '../groups/group-runner.ts';
import { listFindings } from './finding-views.ts';
import { listRecords } from './record-views.ts';

const scenarios = useJobScenarios();
const source = testFlow()[1]!.replaceAll('TENANT', 'bank');
const recordCount = 14;

/** A job of several chunks, each record of which is rejected; its groups are claimed, in the order of the file. */
async function running() {
  const { plan, hash } = loadFlow(source);
  const jobs = await scenarios.start({ plan: plan!, chunkBytes: 60 });
  const { services, tenantId, flowVersionId } = jobs;
  await scenarios.database.adminDb.query(
    '/* plant the text of the flow */ update headgate.flow_versions set source = $2, hash = $3 where flow_version_id = $1',
    [flowVersionId, source, hash],
  );
  const lines = Array.from({ length: recordCount }, (_, at) => `P${at + 1},6200000000,x`);
  const [jobId] = await jobs.accept([textOf(['id,account,amount', ...lines])]);
  const items = await services.queue.claimWork(services.db, 'chunks', { limit: 50, workerId: jobs.ids.next(), leaseMs: 600_000 });
  const { groups } = await jobs.inTenant((tx) => takeUpGroups(tx, services, items));
  const inOrder = groups.toSorted((a, b) => a.chunks[0]!.chunkNumber - b.chunks[0]!.chunkNumber);
  const [first, second, ...rest] = inOrder as [ClaimedGroup, ClaimedGroup, ...ClaimedGroup[]];
  expect(rest.length).toBeGreaterThan(1);
  const finish = async (...ended: readonly ClaimedGroup[]) => {
    for (const group of ended) await finishGroup(services, group, runGroup(threadStorageOf(jobs), groupRunOf(group)));
  };
  const fail = (group: ClaimedGroup) => {
    const failure = { code: 'E_CHUNK_FAILED', message: 'a part of the file could not be processed' };
    const failed = group.chunks.map(({ chunkNumber }) => ({ jobId: jobId!, number: chunkNumber, failure }));
    return finishGroup(services, group, { chunks: [], failed, segments: [], seconds: 0 });
  };
  /** Both lists, page by page: they name the same records. */
  const list = async (from = 0) =>
    withTenant(
      services.db,
      tenantId,
      async (tx) => {
        const numbers: number[] = [];
        const found: number[] = [];
        let isComplete: boolean;
        let after: number | null = from;
        do {
          const page = await listRecords(tx, services.store, jobId!, { after, limit: 2 });
          numbers.push(...page.items.map(({ record }) => record));
          ({ isComplete, nextAfter: after } = page);
        } while (after !== null);
        for (let last = { record: from, finding: 100 }; ; ) {
          const page = await listFindings(tx, services.store, jobId!, { after: last, limit: 2 });
          found.push(...page.items.map(({ record }) => record));
          expect(page.isComplete).toBe(isComplete);
          if (page.items.length === 0) break;
          last = page.items.at(-1)!;
        }
        expect(found).toEqual(numbers);
        return { numbers, isComplete };
      },
      { readOnly: true },
    );
  const state = async () => (await jobs.jobs())[0]!.state;
  return { first, second, rest, finish, fail, list, state };
}

const upTo = (last: number, from = 1) => Array.from({ length: last - from + 1 }, (_, at) => from + at);

describe('the records and findings of a job', () => {
  it('end before the first chunk that is still to come, and go on behind it without a gap', async () => {
    const { first, second, rest, finish, list } = await running();
    const begin = second.chunks[0]!.firstRecord;
    expect(await list()).toEqual({ numbers: [], isComplete: false });
    await finish(first, ...rest);
    expect(await list()).toEqual({ numbers: upTo(begin - 1), isComplete: false });
    await finish(second);
    expect(await list(begin - 1)).toEqual({ numbers: upTo(recordCount, begin), isComplete: true });
  });

  it('of which a chunk failed are all that were read, also behind it', async () => {
    const { first, second, rest, finish, fail, list, state } = await running();
    const [begin, end] = [second, rest[0]!].map(({ chunks }) => chunks[0]!.firstRecord) as [number, number];
    await finish(first);
    await fail(second);
    expect([await state(), await list()]).toEqual(['held', { numbers: upTo(begin - 1), isComplete: false }]);
    await finish(...rest);
    expect(await list()).toEqual({ numbers: [...upTo(begin - 1), ...upTo(recordCount, end)], isComplete: true });
  });
});
