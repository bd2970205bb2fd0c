import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../../../../test/support/delivery-scenario.ts';
import type { JobScenario } from '../../../../test/support/job-scenario.ts';
import { useJobScenarios } from '../../../../test/support/job-scenarios.ts';
import { fixtureLines, fixturePlan } from '../../../../test/support/verified-flow.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { cancelJob, releaseJob } from '../job-decisions.ts';
import { findJob } from '../views/job-views.ts';

const scenarios = useJobScenarios();

const fixture = fixturePlan(Buffer.from('a flow'));
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

/** Takes every object of that kind away; gives back what brings them back. */
async function loseSegments(jobs: JobScenario, kind: 'outcome' | 'output'): Promise<() => void> {
  const found = await jobs.rows<{ name: string }>(
    "/* objects */ select distinct object ->> 'name' as name from headgate.segments where tenant_id = $1 and kind = $2",
    [kind],
  );
  const paths = found.map(({ name }) => join(jobs.root, name));
  for (const path of paths) renameSync(path, `${path}.away`);
  return () => {
    for (const path of paths) renameSync(`${path}.away`, path);
  };
}

const row = async (jobs: JobScenario) => (await jobs.jobs())[0]!;

/** Lets time pass on the database's clock until it is so: retries are minutes apart. */
async function passTimeUntil(jobs: JobScenario, condition: () => Promise<boolean>, failure: string): Promise<void> {
  const passing = async () => {
    if (await condition()) return true;
    await jobs.passTime(400);
    return false;
  };
  await until(passing, failure);
}

it('a released job whose segments can not be read says so, is tried again, and goes on once they are restored', async () => {
  const jobs = await scenarios.start({ plan: fixture, leaseMs: 3_600_000 });
  const [jobId] = await jobs.accept([text(fixtureLines.map((line) => (line.startsWith('T') ? 'T,99,1.00' : line)))]);
  jobs.startAll();
  await until(async () => (await row(jobs)).state === 'held', 'the job was not held');
  const restore = await loseSegments(jobs, 'outcome');
  await releaseJob(jobs.services, jobs.tenantId, { jobId: jobId!, reason: 'agreed with the sender', actor: 'key:ops' });
  await passTimeUntil(jobs, async () => (await row(jobs)).reasonCode === 'E_OBJECT_MISSING', 'the job does not say why it waits');
  expect((await row(jobs)).state).toBe('delivering');
  expect((await jobs.events()).filter(({ type }) => type === 'job.obstructed')).toMatchObject([{ objectId: jobId }]);
  restore();
  await passTimeUntil(jobs, async () => (await row(jobs)).closedAt !== null, 'the job did not close');
  expect(await row(jobs)).toMatchObject({ state: 'completed', reasonCode: null });
  expect((await jobs.events()).filter(({ type }) => type === 'job.obstructed')).toHaveLength(1);
});

it('a job whose receipt needs a segment that can not be read says so, and closes once it is restored', async () => {
  const jobs = await scenarios.start({ plan: fixture, leaseMs: 3_600_000 });
  await jobs.accept([text(fixtureLines), text(fixtureLines)]);
  jobs.startWorker();
  jobs.startDeliveries();
  const closing = "/* work */ select 1 from headgate.work_items where tenant_id = $1 and kind = 'close'";
  await until(async () => (await jobs.rows(closing)).length === 2, 'the jobs were not delivered');
  const restore = await loseSegments(jobs, 'output');
  jobs.startCloser();
  await passTimeUntil(
    jobs,
    async () => (await jobs.jobs()).every(({ reasonCode }) => reasonCode === 'E_OBJECT_MISSING'),
    'the jobs do not say why they wait',
  );
  restore();
  await passTimeUntil(jobs, async () => (await jobs.jobs()).every(({ closedAt }) => closedAt !== null), 'the jobs did not close');
  expect((await jobs.jobs()).map(({ state, reasonCode }) => [state, reasonCode])).toEqual(Array(2).fill(['completed', null]));
});

/** Nothing can be written to the store until the returned function was called. */
function blockStore(jobs: JobScenario): () => void {
  const incoming = join(jobs.root, '.incoming');
  renameSync(incoming, `${incoming}.away`);
  writeFileSync(incoming, '');
  return () => {
    rmSync(incoming);
    renameSync(`${incoming}.away`, incoming);
  };
}

const view = (jobs: JobScenario, jobId: string) =>
  withTenant(jobs.services.db, jobs.tenantId, (tx) => findJob(tx, jobId), { readOnly: true });

it.each([
  ['one chunk', 1_000_000, 'queued'],
  ['several chunks', 60, 'running'],
])('a job of %s that waits for its storage says why and what to do, until it goes on', async (_many, chunkBytes, state) => {
  const jobs = await scenarios.start({ plan: fixture, chunkBytes, leaseMs: 3_600_000 });
  const [jobId, cancelled] = await jobs.accept([text(fixtureLines), text(fixtureLines)]);
  const restore = blockStore(jobs);
  jobs.startAll();
  const isTold = async () => (await jobs.jobs()).every(({ reasonCode }) => reasonCode === 'E_STORAGE_IO');
  await until(isTold, 'the jobs do not say why they wait');
  expect(await view(jobs, jobId!)).toMatchObject({ state, reasonCode: 'E_STORAGE_IO', next: expect.stringContaining('headgate doctor') });
  expect((await jobs.events()).filter(({ type }) => type === 'job.obstructed')).toHaveLength(2);
  await cancelJob(jobs.services, jobs.tenantId, { jobId: cancelled!, reason: 'sent by hand', actor: 'key:ops' });
  restore();
  await until(async () => (await jobs.jobs()).every(({ closedAt }) => closedAt !== null), 'the jobs did not close');
  expect((await jobs.jobs()).map((job) => [job.state, job.reasonCode])).toEqual([
    ['completed', null],
    ['cancelled', null],
  ]);
});
