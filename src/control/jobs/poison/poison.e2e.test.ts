import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/delivery-scenario.ts';
import { ebcdic } from '../../../../test/support/ebcdic.ts';
import { type JobScenario, type JobScenarioOptions, scenarioKey, tenantName } from '../../../../test/support/job-scenario.ts';
import { useJobScenarios } from '../../../../test/support/job-scenarios.ts';
import { mainframeFile } from '../../../../test/support/mainframe-file.ts';
import type { Plan } from '../../../pipeline/engine/plan.ts';
import { delimitedFormat, fieldPlan, planOf, recordPlan, targetPlan } from '../../../pipeline/engine/plans.fixture.ts';
import { exportEntries, sourceOf } from '../../../pipeline/ledger/export/export-entries.ts';
import { decodeReceipt } from '../../../pipeline/ledger/receipt-schema.ts';
import { parseTrustFile, printTrustFile } from '../../../pipeline/ledger/trust-file.ts';
import { verifyExport } from '../../../pipeline/ledger/verification/verify-export.ts';
import { createLogger } from '../../../platform/telemetry/logger.ts';
import { loadFlow } from '../../flows/load-flow.ts';
import { openJobExport } from '../views/job-export.ts';

const scenarios = useJobScenarios();

const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
const marker = 'KILLS-THE-WORKER';

const tenant = tenantName();

function plan(): Plan {
  const at = (column: number) => ({ column, header: null });
  const record = recordPlan(
    [
      fieldPlan('id', 'string', at(0), { unique: 'file' }),
      fieldPlan('amount', 'decimal', at(1), { sum: true }),
      fieldPlan('note', 'string', at(2), { required: false }),
    ],
    { key: [0] },
  );
  const made = planOf({ format: delimitedFormat, records: [record], targets: [targetPlan('all', undefined, { batchRecords: 100 })] });
  return { ...made, flow: { ...made.flow, tenant } };
}

async function start(options: Partial<JobScenarioOptions> = {}): Promise<JobScenario> {
  return await scenarios.start({ plan: plan(), env: { HEADGATE_TEST_POISON: marker }, ...options });
}

const linesWith = (count: number, killers: readonly number[]) =>
  Array.from({ length: count }, (_, index) => `p${index + 1},1.00,${killers.includes(index + 1) ? `"x\n${marker}"` : 'fine'}`);

async function receiptsOf(jobs: JobScenario, count: number) {
  await until(async () => (await jobs.jobs()).filter((job) => job.closedAt !== null).length >= count, 'the jobs did not close');
  const rows = await jobs.rows<{ body: string }>(
    '/* read receipts */ select body from headgate.receipts where tenant_id = $1 order by job_id',
  );
  return rows.map((row) => decodeReceipt(Buffer.from(row.body)));
}

describe('a record that ends whoever works on it', () => {
  it('is rejected alone, in whatever chunk it lies; everything else is delivered', async () => {
    const lines: string[] = [];
    const logger = createLogger({ level: 'warn', destination: { write: (line) => void lines.push(line) } });
    const jobs = await start({ chunkBytes: 4_000, tenant, logger });
    const [jobId] = await jobs.accept([text(linesWith(900, [123, 124]))]);
    jobs.startAll();
    const [receipt] = await receiptsOf(jobs, 1);
    expect(receipt!.records).toEqual({ read: 900, valid: 898, rejected: 2, filtered: 0 });
    expect(receipt!.errors.map(({ code, count }) => [code, count])).toEqual([['E_POISON', 2]]);
    expect(receipt!.amounts.rejected['amount']).toMatchObject({ unreadable: 2 });
    expect(jobs.delivered.get('all')!.length).toBe(898);
    const samples = await jobs.rows<{ record: number; code: string; message: string }>(
      '/* look */ select record_number as record, code, message from headgate.rejections where tenant_id = $1 order by record_number',
    );
    expect(samples.map(({ record, code }) => [record, code])).toEqual([
      [123, 'E_POISON'],
      [124, 'E_POISON'],
    ]);
    expect(JSON.stringify(samples)).not.toContain(marker);
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => line['recordId'] !== undefined);
    const work = { message: 'a record ended the process that worked on it, and is rejected', tenant, flow: plan().flow.name, jobId };
    expect(told).toMatchObject([
      { ...work, recordId: `${jobId}/123` },
      { ...work, recordId: `${jobId}/124` },
    ]);
    expect(told[0]!['traceId']).toMatch(/^[0-9a-f]{32}$/);
    const { job } = await openJobExport(jobs.services, jobs.tenantId, { jobId: receipt!.job.id, actor: 'key:auditor' });
    const files = new Map<string, Buffer>();
    for (const { name, pieces } of exportEntries(job)) files.set(name, Buffer.concat([...pieces]));
    const trust = parseTrustFile(printTrustFile([scenarioKey]));
    const reader = { names: () => [...files.keys()], open: (name: string) => sourceOf(files.get(name)!) };
    const report = verifyExport({ reader, trust, container: null, compile: () => plan() });
    expect(report.failures).toEqual([]);
    expect(report.notes.some((note) => note.includes('E_POISON'))).toBe(true);
  });

  it('in one of many small files costs the others nothing', async () => {
    const jobs = await start();
    await jobs.accept([text(linesWith(3, [])), text(linesWith(3, [2])), text(linesWith(3, []))]);
    jobs.startAll();
    const receipts = await receiptsOf(jobs, 3);
    expect(receipts.map((receipt) => receipt.records.valid)).toEqual([3, 2, 3]);
    expect(jobs.delivered.get('all')!.length).toBe(8);
  });

  it('is found in EBCDIC too, with line ends and without', async () => {
    const killer = Buffer.from(marker);
    const source = readFileSync(new URL('../../../../examples/mainframe.yaml', import.meta.url), 'utf8');
    const blocks = mainframeFile(Array.from({ length: 40 }, (_, index) => ({ amount: index, fee: 0, entries: 0 })));
    killer.copy(blocks, 60 * 7 + 22);
    const lines = linesWith(40, []).map((line) => ebcdic(`${line}\n`));
    lines[6] = Buffer.concat([ebcdic('p7,1.00,'), killer, ebcdic('\n')]);
    const inLines = { ...plan(), format: { ...delimitedFormat, encoding: 'ibm037' } } as const;
    for (const [ofFile, file] of [
      // Without the rule about totals, which the amount of such a record is missing from.
      [{ ...loadFlow(source).plan!, rules: [] }, blocks],
      [inLines, Buffer.concat(lines)],
    ] as const) {
      const jobs = await start({ plan: { ...ofFile, flow: { ...ofFile.flow, tenant: tenantName() } } });
      await jobs.accept([file]);
      jobs.startAll();
      const [receipt] = await receiptsOf(jobs, 1);
      expect(receipt!.records).toEqual({ read: 40, valid: 39, rejected: 1, filtered: 0 });
      expect(receipt!.errors.map(({ code, count }) => [code, count])).toEqual([['E_POISON', 1]]);
      expect([...jobs.delivered.values()].flat()).toHaveLength(39);
      await jobs.stopAll();
    }
  });

  it('or that never lets go of it, is rejected alone as well', async () => {
    const jobs = await start({ env: { HEADGATE_TEST_STALL: marker }, timeouts: { runMs: 300, childMs: 12_000 } });
    await jobs.accept([text(linesWith(6, [4]))]);
    jobs.startAll();
    const [receipt] = await receiptsOf(jobs, 1);
    expect(receipt!.records).toEqual({ read: 6, valid: 5, rejected: 1, filtered: 0 });
    expect(receipt!.errors.map(({ code }) => code)).toEqual(['E_POISON']);
  });

  it('does not keep another tenant waiting', async () => {
    const jobs = await start();
    await jobs.accept([text(linesWith(3, [2]))]);
    const other = await scenarios.start({ plan: plan(), beside: jobs.storage });
    await other.accept([text(linesWith(5, []))]);
    jobs.startAll();
    other.startDeliveries();
    other.startCloser();
    await until(async () => (await other.jobs())[0]!.closedAt !== null, 'the other tenant waited');
    await other.stopAll();
    await receiptsOf(jobs, 1);
  });
});

describe('what says nothing about a file', () => {
  /** The jobs are run by the loops of a scenario that knows none of its faults. */
  async function expectWholeElsewhere(jobs: JobScenario, records: number) {
    await jobs.stopAll();
    const well = await scenarios.start({ plan: plan(), beside: jobs.storage });
    try {
      for (const start of [well.startWorker, well.startCloser, well.startDeliveries]) start();
      const [receipt] = await receiptsOf(jobs, 1);
      expect(receipt!.records).toEqual({ read: records, valid: records, rejected: 0, filtered: 0 });
    } finally {
      await well.stopAll();
    }
  }
  const waitsForThread = async (jobs: JobScenario) => {
    const [job] = await jobs.jobs();
    expect(job!.state).toBe('queued');
    return job!.reasonCode === 'E_NO_THREAD';
  };

  it('such as a machine that starts no thread and no process, keeps it waiting and says so', async () => {
    const jobs = await start({ env: { NODE_OPTIONS: '--no-such-option' } });
    await jobs.accept([text(linesWith(5, []))]);
    jobs.startWorker();
    const givenBack = async () => (await jobs.events()).filter(({ type }) => type === 'chunk_group.released').length;
    await until(async () => (await waitsForThread(jobs)) && (await givenBack()) > 3, 'it was not tried again', 60_000);
    await expectWholeElsewhere(jobs, 5);
  }, 90_000);

  it('such as SIGTERM to the child process that looks for a record, blames none', async () => {
    const jobs = await start({ env: { HEADGATE_TEST_STALL: marker }, timeouts: { runMs: 300, childMs: 30_000 } });
    await jobs.accept([text(linesWith(6, [4]))]);
    jobs.startWorker();
    let isEnded = false;
    await until(
      async () => {
        const child = children().find((pid) => textOf(`/proc/${pid}/cmdline`).includes('poison-child'));
        if (!isEnded && child !== undefined) isEnded = process.kill(child, 'SIGTERM');
        return isEnded && (await waitsForThread(jobs));
      },
      'the job did not say what it waits for',
      60_000,
    );
    await expectWholeElsewhere(jobs, 6);
  }, 90_000);

  it('such as a store that a thread can not open, fails with what the store says', async () => {
    const { createEngineThreads } = await import('../groups/thread-pool.ts');
    const storage = { root: '/proc/nowhere', cell: 'local', masterKeys: [{ version: 1, bytes: new Uint8Array(32) }] };
    const threads = createEngineThreads({ storage, threads: 1 });
    const body = { tenantId: tenant, spans: [], objects: new Map() };
    await expect(threads.hashBody(body)).rejects.toMatchObject({ code: 'E_STORAGE_IO', retryable: true });
    await threads.stop();
  });
});

/** Of this process. */
const children = (): number[] =>
  readdirSync('/proc/self/task')
    .flatMap((task) => textOf(`/proc/self/task/${task}/children`).split(' '))
    .filter((pid) => pid.trim() !== '')
    .map(Number);

/** Empty of a process or thread that ended meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

describe('a thread that runs out of memory', () => {
  it('ends alone, and the pool goes on with a new one', async () => {
    const { createEngineThreads } = await import('../groups/thread-pool.ts');
    const jobs = await start({ env: {} });
    const [jobId] = await jobs.accept([text(linesWith(20_000, []))]);
    const storage = { root: jobs.root, cell: 'local', masterKeys: [{ version: 1, bytes: new Uint8Array(32).fill(7) }] };
    const { takeUpGroups, groupRunOf } = await import('../groups/claimed-groups.ts');
    const items = await jobs.services.queue.claimWork(scenarios.database.db, 'chunks', {
      limit: 1,
      workerId: jobs.ids.next(),
      leaseMs: 60_000,
    });
    const {
      groups: [group],
    } = await jobs.inTenant((tx) => takeUpGroups(tx, jobs.services, items));
    const run = groupRunOf(group!);
    const small = createEngineThreads({ storage, threads: 1, memoryMb: 4 });
    await expect(small.runGroup(run)).rejects.toMatchObject({ code: 'E_THREAD_DIED' });
    await small.stop();
    const enough = createEngineThreads({ storage, threads: 1 });
    const result = await enough.runGroup(run);
    expect(result.chunks[0]).toMatchObject({ jobId, summary: { records: { read: 20_000 } } });
    await enough.stop();
  });
});
