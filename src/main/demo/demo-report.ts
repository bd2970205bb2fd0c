/** Waits for the demo's jobs and shows them: records, targets, amounts, whether everything balances. */
import { readFileSync } from 'node:fs';
import type { JobAnswer } from '../../cli/job-answer.ts';
import { waitForJob } from '../../cli/job-waiting.ts';
import { table } from '../../cli/terminal-text.ts';
import type { JobView } from '../../control/jobs/views/job-views.ts';
import type { CurrencyTexts, FieldTexts } from '../../pipeline/engine/amount-texts.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { type ArrivedFile, clientOf } from './demo-arrivals.ts';

export interface DemoJob {
  readonly tenant: string;
  readonly flow: string;
  readonly file: string;
  readonly cameBy: ArrivedFile['cameBy'];
  readonly jobId: string;
  readonly state: string;
  readonly records: { readonly read: number; readonly valid: number; readonly rejected: number; readonly filtered: number };
  readonly targets: JobView['targets'];
  /** Decimal text by stage, field and currency. */
  readonly amounts: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>>;
  readonly balanced: boolean;
  /** From acceptance to the closed job. */
  readonly seconds: number;
  readonly recordsPerSecond: number;
}

export interface DemoDocument {
  readonly jobs: readonly DemoJob[];
  readonly balanced: boolean;
  readonly seconds: number;
  readonly peakRssBytes: number;
}

const waitSeconds = 600;

export async function describeJobs(url: string, files: readonly ArrivedFile[], tell: (message: string) => void): Promise<DemoJob[]> {
  return Promise.all(
    files.map(async (file) => {
      const client = clientOf(url, file.tenant);
      const jobId = await findJobOf(url, file);
      let last = '';
      const onProgress = (job: JobAnswer) => {
        const text = `${file.name}: ${job.state}, ${job.records.read} records read`;
        if (text !== last) tell((last = text));
      };
      await waitForJob(client, { jobId, timeoutSeconds: waitSeconds, onProgress });
      return describe(file, await client.get<JobView>(`/v1/jobs/${jobId}`));
    }),
  );
}

async function findJobOf(url: string, file: ArrivedFile): Promise<string> {
  const client = clientOf(url, file.tenant);
  for (let waitedMs = 0; waitedMs < waitSeconds * 1000; waitedMs += 100) {
    const { items } = await client.get<{ items: JobView[] }>('/v1/jobs', { flow: file.flow, limit: '5' });
    const job = items.find((item) => item.file === file.name);
    if (job) return job.jobId;
    await systemPorts.sleep.sleep(100);
  }
  throw new HeadgateError('E_TIMEOUT', `${file.name} did not become a job within ${waitSeconds} s`);
}

function describe(file: ArrivedFile, job: JobView): DemoJob {
  const closedMs = job.closedAt ? new Date(job.closedAt).getTime() : new Date(job.createdAt).getTime();
  const seconds = Math.max(0.001, (closedMs - new Date(job.createdAt).getTime()) / 1000);
  const { read, valid, rejected, filtered } = job.records;
  return {
    tenant: file.tenant.name,
    flow: job.flow,
    file: job.file,
    cameBy: file.cameBy,
    jobId: job.jobId,
    state: job.state,
    records: { read, valid, rejected, filtered },
    targets: job.targets,
    amounts: Object.fromEntries(Object.entries(job.amounts ?? {}).map(([stage, fields]) => [stage, byCurrency(fields)])),
    balanced: job.balanced === true && (job.state === 'completed' || job.state === 'completed_with_failures'),
    seconds,
    recordsPerSecond: Math.round(read / seconds),
  };
}

function byCurrency(fields: FieldTexts): Record<string, CurrencyTexts> {
  return Object.fromEntries(Object.entries(fields).map(([field, amounts]) => [field, amounts.byCurrency]));
}

export function printTable(document: DemoDocument): string {
  const rows = document.jobs.map((job) => [
    job.tenant,
    job.flow,
    job.file,
    job.cameBy,
    job.state,
    String(job.records.read),
    String(job.records.valid),
    String(job.records.rejected),
    Object.entries(job.targets)
      .map(([target, counts]) => `${target} ${counts.delivered}/${counts.routed}`)
      .join(', '),
    Object.values(job.amounts.valid ?? {})
      .flatMap((byCurrency) => Object.entries(byCurrency).map(([currency, amount]) => `${currency} ${amount}`))
      .join(', '),
    job.balanced ? 'yes' : 'NO',
    job.seconds.toFixed(2),
    String(job.recordsPerSecond),
  ]);
  const columns = [
    'tenant',
    'flow',
    'file',
    'came by',
    'state',
    'read',
    'valid',
    'rejected',
    'delivered/routed',
    'valid amounts',
    'balanced',
    's',
    'records/s',
  ];
  return `${table(columns, rows)}\n${document.balanced ? 'Everything balances' : 'SOMETHING DOES NOT BALANCE'}: ${document.jobs.length} jobs in ${document.seconds} s, peak memory ${Math.round(document.peakRssBytes / 2 ** 20)} MiB.\n`;
}

/** VmHWM of this process; its resident size now where the system does not say. */
export function peakRssBytes(): number {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
    if (match) return Number(match[1]) * 1024;
  } catch {
    // Not Linux.
  }
  return process.memoryUsage().rss;
}
