import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { createRedrive, previewRedrive } from '../../src/control/redrives/redrive-creation.ts';
import { cardsFile, eftFile } from '../../src/main/demo/demo-files.ts';
import type { DeliveryOutcome, OutgoingBatch } from '../../src/pipeline/connectors/connector.ts';
import { listDeadLetters } from '../../src/pipeline/deliveries/endings/dead-letter-store.ts';
import { until } from '../support/delivery-scenario.ts';
import { createJobScenario, type JobScenario, type JobScenarioOptions, tenantName } from '../support/job-scenario.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { verifiedWithReceipt } from '../support/verified-job.ts';

let database: TestDatabase;
let scenario: JobScenario | undefined;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 12 });
});
afterEach(async () => {
  await scenario?.stopAll();
  scenario = undefined;
});
afterAll(() => database.drop());

async function start(flow: string, options: Partial<JobScenarioOptions> = {}): Promise<JobScenario> {
  const tenant = tenantName();
  const example = readFileSync(join(import.meta.dirname, '../../examples', flow), 'utf8');
  const source = example.replace(/(?<=\btenant: )[a-z-]+/, tenant);
  const { plan } = loadFlow(source);
  scenario = await createJobScenario({ database, plan: plan!, source, tenant, ...options });
  return scenario;
}

async function closed(jobs: JobScenario, count: number): Promise<void> {
  await until(async () => (await jobs.jobs()).filter((job) => job.closedAt !== null).length >= count, 'the jobs did not close', 25_000);
}

const letters = (jobs: JobScenario) => jobs.inTenant((tx) => listDeadLetters(tx, {}, { limit: 100 }));

/** A target that refuses every fifth record of a batch until it is mended. */
function refusingTarget() {
  let isMended = false;
  const answer = (batch: OutgoingBatch): DeliveryOutcome => {
    const refused = isMended ? [] : Array.from({ length: batch.records }, (_, index) => index).filter((index) => index % 5 === 1);
    return { kind: 'acked', perRecord: refused.map((index) => ({ index, status: 'refused', code: 'ACCOUNT_CLOSED' }) as const) };
  };
  return { answer, mend: () => void (isMended = true) };
}

describe('dead letters that are sent again', () => {
  it.each([
    ['eft.yaml', () => [...eftFile(1, 60)].join('')],
    ['cards.yaml', () => [...cardsFile(2, 40)].join('')],
  ])('of %s are jobs of the lineage of their file, which verify, and the letters end as delivered', async (flow, file) => {
    const target = refusingTarget();
    const jobs = await start(flow, { answer: target.answer });
    const [jobId] = await jobs.accept([file()]);
    jobs.startAll();
    await closed(jobs, 1);
    const given = await letters(jobs);
    expect(given.length).toBeGreaterThan(2);
    expect(new Set(given.map(({ state }) => state))).toEqual(new Set(['open']));
    const before = await verifiedWithReceipt(jobs, jobId!);
    target.mend();
    const selection = { jobId: jobId! };
    const preview = await previewRedrive(jobs.services, jobs.tenantId, selection);
    expect(preview).toMatchObject({ chosen: { records: given.length }, sent: { records: given.length }, rejected: { records: 0 } });
    const decision = { selection, reason: 'the accounts are open again', actor: 'key:ops', previewed: preview.version };
    const redrive = await createRedrive(jobs.services, jobs.tenantId, decision);
    expect(redrive.records).toBe(given.length);
    const targets = [...new Set(given.map(({ targetId }) => targetId))];
    expect(redrive.jobs.map(({ targetId }) => targetId).sort()).toEqual(targets.sort());
    await closed(jobs, 1 + targets.length);
    for (const { jobId: redriven, targetId, records } of redrive.jobs) {
      const { receipt, report } = await verifiedWithReceipt(jobs, redriven);
      expect(report.failures).toEqual([]);
      expect(receipt.job).toMatchObject({ state: 'completed', lineageId: jobId, verdict: 'accepted' });
      const { reason, actor } = decision;
      expect(receipt.job.redrive).toEqual({ id: redrive.redriveId, ofJobId: jobId, targets: [targetId], records, reason, actor });
      for (const { id, routed, delivered } of receipt.targets) {
        const expected = id === targetId ? records : 0;
        expect([id, routed.records, delivered.records]).toEqual([id, expected, expected]);
      }
    }
    expect((await letters(jobs)).map(({ state }) => state)).toEqual(given.map(() => 'redriven'));
    // The first job is as it was.
    expect((await verifiedWithReceipt(jobs, jobId!)).receipt).toEqual(before.receipt);
  });
});
