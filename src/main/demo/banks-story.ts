/**
 * `headgate demo --story banks`: a Nacha, a pain.001, a BAI2 and an MT940 file, made by the writers of their formats, go through flows
 * that need no schema. Two of them are answered: with a file of returns and with a pain.002. What was written, read, rejected,
 * delivered and answered is compared, each as it is seen from outside.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiClient } from '../../cli/api-client.ts';
import { waitForJob } from '../../cli/job-waiting.ts';
import type { JobView } from '../../control/jobs/views/job-views.ts';
import type { PackName } from '../../pipeline/formats/pack.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Settings } from '../../platform/base/settings-catalogue.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { packs } from '../catalogue.ts';
import type { RunningServer } from '../server.ts';
import { bankFiles, type MadeFile } from './banks-files.ts';
import { type BanksAnswer, type BanksDocument, type BanksFile, fileFailures, type Money, MoneySums } from './banks-report.ts';
import { banksDocuments, banksTenant, flowOf, makeFolders } from './banks-tenant.ts';
import { makeStoryTenant } from './story-tenant.ts';

const waitSeconds = 120;

interface Parts {
  readonly server: RunningServer;
  readonly settings: Settings;
  readonly tell: (message: string) => void;
}

export async function tellBanksStory(parts: Parts): Promise<BanksDocument> {
  const startedMs = systemPorts.clock.monotonicMs();
  const root = join(parts.settings.dataDir, 'tenants', banksTenant);
  makeFolders(root);
  const api = await makeStoryTenant(parts, { name: banksTenant, documents: banksDocuments(root) });
  const made = await bankFiles(systemPorts.clock.nowMs());
  for (const file of made) {
    parts.tell(`wrote ${file.name}: ${file.written.records} records, of which ${file.faulty.length} are to be rejected`);
    const path = join(root, file.name);
    writeFileSync(path, file.bytes);
    renameSync(path, join(root, 'in', file.name));
  }
  const files = await Promise.all(made.map((file) => follow(api, { file, root, tell: parts.tell })));
  const failures = files.flatMap(fileFailures);
  return {
    story: 'banks',
    files,
    folder: root,
    balanced: files.every(({ balanced }) => balanced),
    failures,
    seconds: Math.round(systemPorts.clock.monotonicMs() - startedMs) / 1_000,
  };
}

interface Followed {
  readonly file: MadeFile;
  readonly root: string;
  readonly tell: (message: string) => void;
}

async function follow(api: ApiClient, { file, root, tell }: Followed): Promise<BanksFile> {
  const flow = flowOf[file.format];
  const jobId = await until(async () => {
    const { items } = await api.get<{ items: JobView[] }>('/v1/jobs', { flow, limit: '5' });
    return items.find((job) => job.file === file.name)?.jobId;
  }, `${file.name} did not become a job`);
  await waitForJob(api, { jobId, timeoutSeconds: waitSeconds, onProgress() {} });
  const job = await api.get<JobView>(`/v1/jobs/${jobId}`);
  tell(`${file.name}: ${job.state}, ${job.records.valid} of ${job.records.read} records delivered`);
  const { body } = await api.get<{ body: string }>(`/v1/jobs/${jobId}/receipt`);
  const { controlTotals } = JSON.parse(body) as { controlTotals: BanksFile['controlTotals'] };
  const answer = await answerOf(file, root);
  if (answer !== null) tell(`${file.name} is answered: ${answer.file}`);
  const delivered = deliveredOf(root, file.name);
  const told = {
    format: file.format,
    flow,
    file: file.name,
    jobId,
    state: job.state,
    written: { records: file.written.records, amounts: allSides(file.written.amounts), faulty: file.faulty },
    records: { read: job.records.read, valid: job.records.valid, rejected: job.records.rejected },
    amounts: { read: stageOf(job, 'read'), rejected: stageOf(job, 'rejected'), delivered: delivered.amounts },
    delivered: delivered.records,
    controlTotals: { declared: controlTotals.declared, balanced: controlTotals.balanced },
    answer,
  };
  return { ...told, balanced: job.balanced === true && fileFailures(told).length === 0 };
}

/** Debits and credits together. */
function allSides(amounts: Readonly<Record<string, Money>>): Money {
  const sums = new MoneySums();
  for (const money of Object.values(amounts)) sums.addAll(money);
  return sums.money;
}

function stageOf(job: JobView, stage: 'read' | 'rejected'): Money {
  const money = (job.amounts as unknown as Record<string, Record<string, { byCurrency: Money }>> | null)?.[stage]?.['amount']?.byCurrency;
  return new MoneySums().addAll(money ?? {}).money;
}

interface DeliveredLine {
  readonly amount: string;
  readonly currency: string;
}

function deliveredOf(root: string, name: string): { readonly records: number; readonly amounts: Money } {
  const folder = join(root, 'out');
  const sums = new MoneySums();
  let records = 0;
  for (const file of readdirSync(folder).filter((each) => each.startsWith(`${name}-`))) {
    for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
      if (line === '') continue;
      const { amount, currency } = JSON.parse(line) as DeliveredLine;
      sums.add(currency, amount);
      records++;
    }
  }
  return { records, amounts: sums.money };
}

/** By format: what the name of its answer ends with. */
const answered: Readonly<Partial<Record<PackName, string>>> = { nacha: '.returns.ach', iso20022: '.status.xml' };

async function answerOf({ format, name }: MadeFile, root: string): Promise<BanksAnswer | null> {
  const ending = answered[format];
  if (ending === undefined) return null;
  const path = join(root, 'answers', name + ending);
  await until(async () => existsSync(path), `${name} was not answered`);
  const pack = await packs[format]();
  const settings = new Map(pack.settings.map((setting) => [setting.name, setting.default]));
  let document = '';
  let errors = 0;
  const finding = ({ severity }: { readonly severity: string }) => void (errors += severity === 'error' ? 1 : 0);
  const reader = pack.createReader(settings, { finding, parsed: (text) => void (document += text) });
  reader.push(readFileSync(path));
  const { amounts } = reader.end();
  const { status, records } = format === 'iso20022' ? statusOf(document) : { status: null, records: accountsOf(document) };
  return { file: path, status, records, amounts: status === null ? allSides(amounts) : null, errors };
}

interface StatusReport {
  readonly Document: {
    readonly CstmrPmtStsRpt: {
      readonly OrgnlGrpInfAndSts: { readonly GrpSts: string };
      readonly OrgnlPmtInfAndSts?: readonly {
        readonly TxInfAndSts?: readonly { readonly OrgnlEndToEndId: string; readonly TxSts: string }[];
      }[];
    };
  };
}

function statusOf(document: string): Pick<BanksAnswer, 'status' | 'records'> {
  const { OrgnlGrpInfAndSts, OrgnlPmtInfAndSts = [] } = (JSON.parse(document) as StatusReport).Document.CstmrPmtStsRpt;
  const listed = OrgnlPmtInfAndSts.flatMap(({ TxInfAndSts = [] }) => TxInfAndSts);
  const rejected = listed.filter(({ TxSts }) => TxSts === 'RJCT');
  return { status: OrgnlGrpInfAndSts.GrpSts, records: rejected.map(({ OrgnlEndToEndId }) => OrgnlEndToEndId) };
}

interface ReturnFile {
  readonly batches: readonly { readonly entryDetails: readonly { readonly DFIAccountNumber: string }[] }[];
}

function accountsOf(document: string): string[] {
  return (JSON.parse(document) as ReturnFile).batches.flatMap(({ entryDetails }) =>
    entryDetails.map(({ DFIAccountNumber }) => DFIAccountNumber),
  );
}

async function until<T>(look: () => Promise<T | undefined | false>, failure: string): Promise<T> {
  const endMs = systemPorts.clock.monotonicMs() + waitSeconds * 1_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (systemPorts.clock.monotonicMs() > endMs) throw new HeadgateError('E_TIMEOUT', failure);
    await systemPorts.sleep.sleep(100);
  }
}
