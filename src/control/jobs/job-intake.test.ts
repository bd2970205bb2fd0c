import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import type { AcceptedFile } from '../../pipeline/arrivals/accepted-file.ts';
import { ensureTenant } from '../../platform/access/tenants.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { withTenant } from '../../platform/tenancy/tenant-scope.ts';
import { createJobIntake, groupBytesMax, groupFilesMax } from './job-intake.ts';

const { ids } = systemPorts;
let database: TestDatabase;
let tenants = 0;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

interface Shape {
  readonly version: number;
  readonly chunkBytes: readonly number[];
}

interface GroupRow {
  readonly groupId: string;
  readonly version: string;
  readonly bytes: number;
  readonly chunks: number;
  readonly jobs: readonly string[];
  readonly numbers: readonly number[];
  readonly cost: number;
}

/** Two versions of one flow; nothing else is asked of the database. */
async function take(shapes: readonly Shape[]) {
  const { db } = database;
  const tenantId = await ensureTenant(db, ids, { name: `intake-${++tenants}`, cell: 'local', region: 'test' });
  const flowId = ids.next();
  const versions = [ids.next(), ids.next()];
  return await withTenant(db, tenantId, async (tx) => {
    await tx.query(
      "/* plant flow */ insert into headgate.flows (tenant_id, flow_id, service, name, created_at) values ($1, $2, 's', 'f', headgate.clock())",
      [tenantId, flowId],
    );
    for (const [index, versionId] of versions.entries()) {
      await tx.query(
        `/* plant version */ insert into headgate.flow_versions (tenant_id, flow_version_id, flow_id, version, hash, source, document, state, applied_at, applied_by)
         values ($1, $2, $3, $4, 'h', '', '{}', 'active', headgate.clock(), 'test')`,
        [tenantId, versionId, flowId, String(index)],
      );
    }
    const files = shapes.map(({ version, chunkBytes }, index): AcceptedFile => {
      let start = 0;
      const chunks = chunkBytes.map((bytes, number) => {
        const spec = { number, start, end: start + bytes, firstRecord: number + 1, context: { version: 1 as const, columns: null } };
        start += bytes;
        return spec;
      });
      return {
        fileId: ids.next(),
        arrivalId: ids.next(),
        flowId,
        flowVersionId: versions[version]!,
        acceptedNumber: index + 1,
        bytes: start,
        chunks,
        records: 1,
        damage: index % 3 === 0 ? [{ record: 1, offset: 0, code: 'E_TRUNCATED', field: null, rule: null, message: 'cut' }] : [],
        warnings: [],
        blankLines: 0,
        comments: 0,
        traceParent: null,
        traceId: null,
        actor: 'test',
      };
    });
    await createJobIntake(ids)(tx, files);
    const groups = await tx.query<GroupRow>(
      `/* look at groups */ select g.group_id as "groupId", g.flow_version_id as version, g.bytes, g.chunks,
         array_agg(c.job_id order by j.accepted_number, c.chunk_number) as jobs, array_agg(c.chunk_number order by j.accepted_number, c.chunk_number) as numbers,
         (select w.cost from headgate.work_items w where w.tenant_id = g.tenant_id and w.kind = 'chunks' and w.reference_id = g.group_id) as cost
       from headgate.chunk_groups g join headgate.chunks c on c.tenant_id = g.tenant_id and c.group_id = g.group_id
       join headgate.jobs j on j.tenant_id = c.tenant_id and j.job_id = c.job_id
       where g.tenant_id = $1 group by g.tenant_id, g.group_id, g.flow_version_id, g.bytes, g.chunks`,
      [tenantId],
    );
    const jobs = await tx.query<{ jobId: string; lineageId: string; chunks: number; damage: number; version: string }>(
      `/* look at jobs */ select job_id as "jobId", lineage_id as "lineageId", chunks, coalesce(json_array_length(totals -> 'splitDamage'), 0) as damage, flow_version_id as version
       from headgate.jobs where tenant_id = $1 order by accepted_number`,
      [tenantId],
    );
    const usage = await tx.query<{ stored: number; inFlight: number }>(
      '/* look at usage */ select stored_bytes as stored, chunks_in_flight as "inFlight" from headgate.tenant_usage where tenant_id = $1',
      [tenantId],
    );
    const events = await tx.query<{ type: string }>('/* look at events */ select type from headgate.events where tenant_id = $1', [
      tenantId,
    ]);
    return { files, groups: groups.rows, jobs: jobs.rows, usage: usage.rows[0]!, events: events.rows };
  });
}

describe('accepted files', () => {
  it('become jobs whose chunks lie in bounded groups of one flow version, whatever comes together', async () => {
    const shape = fc.record({
      version: fc.integer({ min: 0, max: 1 }),
      chunkBytes: fc.oneof(
        fc.tuple(fc.integer({ min: 0, max: 500_000 })),
        fc.array(fc.integer({ min: 1, max: 500_000 }), { minLength: 2, maxLength: 5 }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(shape, { minLength: 1, maxLength: 60 }), async (shapes) => {
        const { files, groups, jobs, usage, events } = await take(shapes);
        expect(jobs.map((job) => job.chunks)).toEqual(shapes.map(({ chunkBytes }) => chunkBytes.length));
        expect(jobs.every((job) => job.lineageId === job.jobId)).toBe(true);
        expect(jobs.map((job) => job.damage)).toEqual(files.map((file) => file.damage.length));
        const versionOf = new Map(jobs.map((job) => [job.jobId, job.version]));
        const seen: string[] = [];
        for (const group of groups) {
          expect(group.jobs.length).toBe(group.chunks);
          expect(group.jobs.every((jobId) => versionOf.get(jobId) === group.version)).toBe(true);
          expect(group.chunks).toBeLessThanOrEqual(groupFilesMax);
          if (group.chunks > 1) {
            expect(group.bytes).toBeLessThanOrEqual(groupBytesMax);
            expect(group.numbers.every((number) => number === 0)).toBe(true);
          }
          expect(group.cost).toBeGreaterThanOrEqual(group.chunks);
          seen.push(...group.jobs.map((jobId, index) => `${jobId} ${group.numbers[index]}`));
        }
        const expected = jobs.flatMap((job) => Array.from({ length: job.chunks }, (_, number) => `${job.jobId} ${number}`));
        expect(seen.sort()).toEqual(expected.sort());
        const chunks = shapes.reduce((sum, { chunkBytes }) => sum + chunkBytes.length, 0);
        expect(usage).toEqual({ stored: files.reduce((sum, file) => sum + file.bytes, 0), inFlight: chunks });
        expect(events.filter(({ type }) => type === 'job.created').length).toBe(jobs.length);
        expect(events.filter(({ type }) => type === 'chunk_group.created').length).toBe(groups.length);
      }),
      { numRuns: 12 },
    );
  });

  it('that are many fill one group after the other', async () => {
    const { groups } = await take(Array.from({ length: groupFilesMax + 10 }, () => ({ version: 0, chunkBytes: [10] })));
    expect(groups.map((group) => group.chunks).sort((a, b) => a - b)).toEqual([10, groupFilesMax]);
  });

  it('that are none leave nothing', async () => {
    expect((await take([])).groups).toEqual([]);
  });
});
