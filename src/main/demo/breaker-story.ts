/**
 * `headgate demo --story breaker`: two downstreams die under load. One has a backup, which takes over; for the other, whose
 * order counts, everything is parked. Both come back, and everything goes on by itself. Each step is seen in what the API says
 * and in what the downstreams hold, not in the program's inside.
 */
import type { ApiClient } from '../../cli/api-client.ts';
import { bodyOfBytes } from '../../cli/http-call.ts';
import type { JobView } from '../../control/jobs/views/job-views.ts';
import type { BreakerView } from '../../pipeline/deliveries/breakers/breaker-views.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Settings } from '../../platform/base/settings-catalogue.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import type { RunningServer } from '../server.ts';
import { type Downstream, startDownstream } from './story-downstream.ts';
import { countHeld, type StoryDocument, type StoryStep, type StoryTarget, storyFailures } from './story-report.ts';
import { type StoryConnection as Name, prepareStoryTenant } from './story-tenant.ts';

const recordsPerFile = 200;
const accounts = 40;
const waitSeconds = 120;

export async function tellBreakerStory(parts: {
  readonly server: RunningServer;
  readonly settings: Settings;
  readonly tell: (message: string) => void;
}): Promise<StoryDocument> {
  const startedMs = systemPorts.clock.monotonicMs();
  const seconds = () => Math.round(systemPorts.clock.monotonicMs() - startedMs) / 1_000;
  const downstreams: Record<Name, Downstream> = {
    payments: await startDownstream(),
    'payments-2': await startDownstream(),
    ledger: await startDownstream(),
  };
  const steps: StoryStep[] = [];
  const step = (what: string) => {
    steps.push({ atSeconds: seconds(), what });
    parts.tell(what);
  };
  const stopLoad = new AbortController();
  try {
    const api = await prepareStoryTenant(parts, downstreams);
    const load = createLoad(api, stopLoad.signal);
    const told = await act({ api, downstreams, step, seconds });
    stopLoad.abort();
    const files = await load;
    const jobs = await closedJobs(api, files);
    step(`all ${files} files are closed`);
    const views = await targetsOf(api);
    const targets = describeTargets(jobs, views, downstreams);
    const orderKept = isInOrder(downstreams.ledger.taken, files);
    const areJobsWhole = jobs.every(({ balanced, state }) => balanced === true && state === 'completed');
    const balanced = orderKept && areJobsWhole && targets.every(isWhole);
    return {
      story: 'breaker',
      steps,
      targets,
      files,
      records: files * recordsPerFile,
      ...told,
      orderKept,
      balanced,
      failures: storyFailures({ ...told, targets, orderKept, balanced }),
      seconds: seconds(),
    };
  } finally {
    stopLoad.abort();
    for (const downstream of Object.values(downstreams)) await downstream.die();
  }
}

/** Files one after another, one in about a fifth of a second, until the signal. How many there were. */
async function createLoad(api: ApiClient, signal: AbortSignal): Promise<number> {
  // A second run on the same data folder sends other records.
  const run = systemPorts.clock.nowMs();
  for (let file = 0; ; file++) {
    if (signal.aborted) return file;
    const lines = Array.from({ length: recordsPerFile }, (_, index) =>
      JSON.stringify({
        id: `${run}-${String(file).padStart(5, '0')}-${String(index).padStart(4, '0')}`,
        account: `A${index % accounts}`,
        amount: '1.00',
        currency: 'EUR',
      }),
    );
    const query = new URLSearchParams({ flow: 'story', name: `${run}-${file}.ndjson` });
    const { status } = await api.send(`/v1/files?${query}`, bodyOfBytes(Buffer.from(`${lines.join('\n')}\n`)), {
      'content-type': 'application/x-ndjson',
      'idempotency-key': `${run}-${file}`,
    });
    if (status !== 201) throw new HeadgateError('E_INTERNAL', `the upload of a file was answered ${status}`);
    await systemPorts.sleep.sleep(200, signal);
  }
}

/** The middle of the story. */
async function act({
  api,
  downstreams,
  step,
  seconds,
}: {
  readonly api: ApiClient;
  readonly downstreams: Record<Name, Downstream>;
  readonly step: (what: string) => void;
  readonly seconds: () => number;
}): Promise<Pick<StoryDocument, 'openedAfterSeconds' | 'parkedMost'>> {
  const { payments, ledger, 'payments-2': backup } = downstreams;
  const stateOf = async (target: Name) => (await targetsOf(api)).find(({ targetId }) => targetId === target)!;
  await until(() => payments.taken.length > 0 && ledger.taken.length > 0, 'the downstreams got nothing');
  step('files come in, payments and ledger take their records');

  await Promise.all([payments.die(), ledger.die()]);
  const diedAt = seconds();
  step('payments and ledger die: nothing listens at their addresses');
  const openedAfterSeconds: Record<string, number> = {};
  for (const target of ['payments', 'ledger'] as const) {
    await until(async () => (await stateOf(target)).state === 'open', `the breaker of ${target} did not open`);
    openedAfterSeconds[target] = Math.round((seconds() - diedAt) * 1_000) / 1_000;
    step(`the breaker of ${target} is open`);
  }
  await until(() => backup.taken.length > 0, 'the backup got nothing');
  step('payments-2 takes over what is meant for payments');
  await until(async () => (await stateOf('ledger')).parkedBatches > 0, 'nothing was parked');
  step('what is meant for ledger, which has no backup, is parked in order');
  // An outage of some length, under load.
  await systemPorts.sleep.sleep(3_000);
  const parkedMost = (await stateOf('ledger')).parkedBatches;

  const before = payments.taken.length;
  await Promise.all([payments.comeBack(), ledger.comeBack()]);
  step('payments and ledger come back');
  for (const target of ['payments', 'ledger'] as const) {
    await until(async () => (await stateOf(target)).state === 'closed', `the breaker of ${target} did not close`);
    step(`the breaker of ${target} closed by itself`);
  }
  await until(() => payments.taken.length > before, 'payments got nothing any more');
  step('payments takes its own records again');
  await until(async () => (await stateOf('ledger')).parkedBatches === 0, 'what was parked did not go on');
  step('nothing is parked any more');
  return { openedAfterSeconds, parkedMost };
}

type TargetAnswer = BreakerView & { readonly targetId: Name };

async function targetsOf(api: ApiClient): Promise<readonly TargetAnswer[]> {
  return (await api.get<{ items: TargetAnswer[] }>('/v1/targets', { flow: 'story' })).items;
}

async function closedJobs(api: ApiClient, files: number): Promise<readonly JobView[]> {
  let jobs: readonly JobView[] = [];
  await until(async () => {
    const { items } = await api.list<JobView>('/v1/jobs', { flow: 'story' }, files);
    jobs = items;
    return items.length === files && items.every(({ closedAt }) => closedAt !== null);
  }, 'not every file was closed');
  return await Promise.all(jobs.map(({ jobId }) => api.get<JobView>(`/v1/jobs/${jobId}`)));
}

function describeTargets(jobs: readonly JobView[], views: readonly TargetAnswer[], downstreams: Record<Name, Downstream>): StoryTarget[] {
  return (['payments', 'ledger'] as const).map((target) => {
    const counts = jobs.map(({ targets }) => targets[target]!);
    const via: Record<string, number> = {};
    for (const [id, records] of counts.flatMap((each) => Object.entries(each.via))) via[id] = (via[id] ?? 0) + records;
    const held = target === 'ledger' ? downstreams.ledger.taken : [...downstreams.payments.taken, ...downstreams['payments-2'].taken];
    return {
      target,
      routed: counts.reduce((sum, { routed }) => sum + routed, 0),
      delivered: counts.reduce((sum, { delivered }) => sum + delivered, 0),
      via,
      ...countHeld(held),
      breaker: views.find(({ targetId }) => targetId === target)!.state,
    };
  });
}

function isWhole({ routed, delivered, held, breaker }: StoryTarget): boolean {
  return routed === delivered && held === delivered && breaker === 'closed';
}

/**
 * Every record once, those of an account in the order of the files. Ids are made so that this is their order; one that came
 * again counts once.
 */
function isInOrder(taken: Downstream['taken'], files: number): boolean {
  const first = new Map(taken.map(({ id, account }) => [id, account]));
  const last = new Map<string, string>();
  for (const [id, account] of first) {
    if (id < (last.get(account) ?? '')) return false;
    last.set(account, id);
  }
  return first.size === files * recordsPerFile;
}

async function until(condition: () => Promise<boolean> | boolean, failure: string): Promise<void> {
  const endMs = systemPorts.clock.monotonicMs() + waitSeconds * 1_000;
  while (!(await condition())) {
    if (systemPorts.clock.monotonicMs() > endMs) throw new HeadgateError('E_TIMEOUT', failure);
    await systemPorts.sleep.sleep(100);
  }
}
