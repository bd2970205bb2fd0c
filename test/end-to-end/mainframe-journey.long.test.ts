import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { createRedrive } from '../../src/control/redrives/redrive-creation.ts';
import type { DeliveryOutcome, OutgoingBatch } from '../../src/pipeline/connectors/connector.ts';
import { closed } from '../support/job-facts.ts';
import { type JobScenario, type JobScenarioOptions, tenantName } from '../support/job-scenario.ts';
import { useJobScenarios } from '../support/job-scenarios.ts';
import { exampleEntries, type MainframeEntry, mainframeFile, mainframeName } from '../support/mainframe-file.ts';
import { verifiedWithReceipt } from '../support/verified-job.ts';

const examples = join(import.meta.dirname, '../../examples');
const scenarios = useJobScenarios();

async function start(options: Partial<JobScenarioOptions> = {}, edit = (text: string) => text): Promise<JobScenario> {
  const tenant = tenantName();
  const source = edit(readFileSync(join(examples, 'mainframe.yaml'), 'utf8').replace(/(?<=\btenant: )[a-z-]+/, tenant));
  const { plan } = loadFlow(source);
  return await scenarios.start({ plan: plan!, source, tenant, ...options });
}

const entries = (count: number): MainframeEntry[] =>
  Array.from({ length: count }, (_, index) => ({
    amount: ((index * 7_919) % 100_000) - 20_000,
    fee: (index % 999) - 400,
    entries: index - 100,
  }));
const amountText = (cents: number) =>
  `${cents < 0 ? '-' : ''}${Math.floor(Math.abs(cents) / 100)}.${String(Math.abs(cents) % 100).padStart(2, '0')}`;
const sent = (jobs: JobScenario) => jobs.delivered.get('ledger')!.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('a file of a mainframe', () => {
  it('is the file that the examples hold', () => {
    expect(readFileSync(join(examples, 'mainframe.bin'))).toEqual(mainframeFile(exampleEntries));
  });

  it.each([1_000, 10_000_000])(
    'is delivered as UTF-8 with its exact amounts, and verifies offline (chunks of %i bytes)',
    async (chunkBytes) => {
      const given = entries(300);
      const jobs = await start({ chunkBytes });
      const [jobId] = await jobs.accept([mainframeFile(given)]);
      jobs.startAll();
      await closed(jobs, 1);
      expect(await jobs.jobs()).toMatchObject([{ state: 'completed', verdict: 'accepted', read: 300, valid: 300 }]);
      const lines = sent(jobs);
      expect(lines.map(({ amount, fee, entries: count, name }) => ({ amount, fee, count, name }))).toEqual(
        given.map(({ amount, fee, entries: count }) => ({ amount: amountText(amount), fee: amountText(fee), count, name: mainframeName })),
      );
      const { receipt, report } = await verifiedWithReceipt(jobs, jobId!);
      expect(report.failures).toEqual([]);
      const total = String(given.reduce((sum, { amount }) => sum + amount, 0));
      const amounts = { amount: { scale: 2, unreadable: 0, byCurrency: { ZAR: total } } };
      expect(receipt.targets.map(({ delivered }) => delivered)).toMatchObject([{ records: 300, amounts }]);
    },
  );

  const withoutAmount: MainframeEntry = { amount: 500, fee: 5, entries: 3, amountBytes: Buffer.from('404040404040', 'hex') };

  it('names a packed amount that is none, and keeps its record out of what is delivered', async () => {
    const jobs = await start({}, (text) => text.replace(/ {2}validate:[\s\S]*?(?= {2}acceptance:)/, ''));
    const [jobId] = await jobs.accept([mainframeFile([...entries(20), withoutAmount])]);
    jobs.startAll();
    await closed(jobs, 1);
    expect(await jobs.jobs()).toMatchObject([{ state: 'completed', verdict: 'partial', read: 21, valid: 20, rejected: 1 }]);
    expect(sent(jobs)).toHaveLength(20);
    const found = await jobs.rows<{ code: string; field: string; number: number }>(
      '/* findings */ select code, field, record_number as number from headgate.rejections where tenant_id = $1',
    );
    expect(found).toEqual([{ code: 'E_PACKED', field: 'amount', number: 21 }]);
    expect((await verifiedWithReceipt(jobs, jobId!)).report.failures).toEqual([]);
  });

  it('delivers nothing when its records do not come to its packed total', async () => {
    const jobs = await start();
    await jobs.accept([mainframeFile([...entries(20), withoutAmount])]);
    jobs.startAll();
    await closed(jobs, 1);
    expect(await jobs.jobs()).toMatchObject([{ state: 'rejected', reasonCode: 'CTL01', read: 21 }]);
    expect(jobs.delivered.size).toBe(0);
  });

  it('has its records sent again as they were, from the bytes of the mainframe', async () => {
    let isMended = false;
    const answer = (batch: OutgoingBatch): DeliveryOutcome => {
      const refused = isMended ? [] : Array.from({ length: batch.records }, (_, index) => index).filter((index) => index % 5 === 1);
      return { kind: 'acked', perRecord: refused.map((index) => ({ index, status: 'refused', code: 'ACCOUNT_CLOSED' }) as const) };
    };
    const given = entries(30);
    const jobs = await start({ answer, chunkBytes: 600 });
    const [jobId] = await jobs.accept([mainframeFile(given)]);
    jobs.startAll();
    await closed(jobs, 1);
    jobs.delivered.clear();
    isMended = true;
    const redrive = await createRedrive(jobs.services, jobs.tenantId, {
      selection: { jobId: jobId! },
      repair: { name: "record.name + '\u00e9'", entries: "'7'" },
      reason: 'the accounts are open again',
      actor: 'key:ops',
    });
    expect(redrive.records).toBeGreaterThan(3);
    await closed(jobs, 2);
    const { report } = await verifiedWithReceipt(jobs, redrive.jobs[0]!.jobId);
    expect(report.failures).toEqual([]);
    const lines = sent(jobs);
    expect(lines).toHaveLength(redrive.records);
    for (const { entryId, ...line } of lines) {
      const { amount, fee } = given[Number(String(entryId).slice(1)) - 1]!;
      expect(line).toMatchObject({ amount: amountText(amount), fee: amountText(fee), name: `${mainframeName}\u00e9`, entries: 7 });
    }
  });
});
