/**
 * What the product's own books say at the end, held against what the generator knows: a job for each acknowledged file, its
 * counts, what was routed and delivered per target, a receipt, no work left, and an event log without gaps. Read past row-level
 * security, because the soak asks about all tenants.
 */
import type { GeneratedFile } from './generated-files.ts';
import { type TargetName, targetNames } from './soak-flows.ts';
import type { Surroundings } from './surroundings.ts';

export interface LedgerResult {
  /** Accepted twice, counted twice, or delivered more often than routed. */
  readonly doubledInLedger: number;
  /** Closed jobs whose counts are not those of the file, do not add up, or have no receipt. */
  readonly unbalancedJobs: number;
  /** Jobs, arrivals, batches, chunk groups and work that have not ended although nothing disturbs them any more. */
  readonly stuckJobs: number;
  /** Open chunk groups, checks and batches that have no work, so that nobody will ever end them. */
  readonly lostWork: number;
  /** Events that are missing or doubled in the sequence, or do not lead to the present state. */
  readonly eventFaults: number;
  readonly examples: readonly string[];
}

interface JobRow {
  readonly jobId: string;
  readonly fileName: string;
  readonly state: string;
  readonly read: number;
  readonly valid: number;
  readonly rejected: number;
  readonly filtered: number;
  readonly hasReceipt: boolean;
}

interface TargetRow {
  readonly jobId: string;
  readonly targetId: TargetName;
  readonly routed: number;
  readonly delivered: number;
  readonly refused: number;
  readonly dead: number;
  readonly cancelled: number;
  /** Over the batches that ended as acknowledged, from their own members. */
  readonly inAckedBatches: number;
}

const closedStates = ['completed', 'completed_with_failures', 'rejected', 'cancelled'];

const selectJobs = `/* soak jobs */
  select j.job_id as "jobId", f.name as "fileName", j.state, j.records_read as read, j.records_valid as valid, j.records_rejected as rejected,
    j.records_filtered as filtered, exists (select from headgate.receipts r where r.tenant_id = j.tenant_id and r.job_id = j.job_id) as "hasReceipt"
  from headgate.jobs j join headgate.files f on f.tenant_id = j.tenant_id and f.file_id = j.file_id`;

const selectTargets = `/* soak job targets */
  with acked as (
    select b.tenant_id, (m ->> 'jobId')::uuid as job_id, b.target_id, sum((m ->> 'records')::bigint)::bigint as records
    from headgate.batches b cross join lateral jsonb_array_elements(b.members) m where b.state = 'acked' group by 1, 2, 3
  )
  select t.job_id as "jobId", t.target_id as "targetId", t.routed, t.delivered, t.refused, t.dead, t.cancelled, coalesce(a.records, 0)::bigint as "inAckedBatches"
  from headgate.job_targets t left join acked a on a.tenant_id = t.tenant_id and a.job_id = t.job_id and a.target_id = t.target_id`;

const selectOpen = `/* soak open things */
  select 'job ' || state as what, count(*)::int as count from headgate.jobs where state <> all ($1) group by 1
  union all select 'arrival ' || state, count(*)::int from headgate.arrivals where state not in ('accepted', 'duplicate', 'quarantined', 'vanished') group by 1
  union all select 'batch ' || state, count(*)::int from headgate.batches where state not in ('acked', 'refused', 'split', 'dead', 'cancelled') group by 1
  union all select 'acknowledgement ' || state, count(*)::int from headgate.acknowledgements where state <> 'sent' group by 1
  union all select 'chunk group ' || state, count(*)::int from headgate.chunk_groups where state not in ('done', 'cancelled') group by 1
  union all select 'work ' || kind, count(*)::int from headgate.work_items group by 1`;

/** Both at one instant: the event of what ended last may have no number yet. */
const selectLeft = `/* soak left */
  select ((select coalesce(sum(count), 0) from (${selectOpen}) open)
    + (select count(*) from headgate.event_transactions where first_seq is null))::int as count`;

const countLostWork = `/* soak lost work */
  select
    (select count(*) from headgate.chunk_groups g where g.state in ('ready', 'running') and not exists (
      select from headgate.work_items w where w.tenant_id = g.tenant_id and w.kind = 'chunks' and w.reference_id = g.group_id))::int as groups,
    (select count(*) from headgate.jobs j where j.state = 'checking' and not exists (
      select from headgate.work_items w where w.tenant_id = j.tenant_id and w.kind = 'check' and w.reference_id = j.job_id))::int as checks,
    (select count(*) from headgate.batches b where b.state in ('ready', 'sending', 'unknown') and not exists (
      select from headgate.work_items w where w.tenant_id = b.tenant_id and w.kind = 'deliver' and w.reference_id = b.batch_id))::int as batches,
    (select count(*) from headgate.batches b where b.state = 'parked' and not exists (
      select from headgate.breakers k join headgate.work_items w on w.tenant_id = k.tenant_id and w.kind = 'breaker' and w.reference_id = k.breaker_id
      where k.tenant_id = b.tenant_id and k.flow_id = b.flow_id and k.target_id = b.target_id))::int as parked`;

const countDoubles = `/* soak doubles */
  select 'file accepted twice ' || name as what from headgate.files group by tenant_id, flow_id, name, sha256 having count(*) > 1
  union all select 'file with two jobs ' || file_id::text from headgate.jobs group by tenant_id, file_id having count(*) > 1
  union all select 'two dead letters for one delivery ' || delivery_key from headgate.dead_letters group by tenant_id, delivery_key having count(*) > 1`;

const countEventFaults = `/* soak event faults */
  with numbered as (
    select t.tenant_id, t.first_seq + e.ordinal as seq from headgate.event_transactions t
    join headgate.events e on e.tenant_id = t.tenant_id and e.transaction_id = t.transaction_id
  ),
  last as (
    select distinct on (e.tenant_id, e.object_id) e.tenant_id, e.object_id, e.to_state from headgate.events e
    join headgate.event_transactions t on t.tenant_id = e.tenant_id and t.transaction_id = e.transaction_id
    order by e.tenant_id, e.object_id, t.first_seq desc nulls first, e.ordinal desc
  )
  select
    (select count(*) from headgate.event_transactions where first_seq is null)::int as unnumbered,
    (select coalesce(sum(abs(x.most - x.count)), 0) from (select max(seq) as most, count(*) as count from numbered group by tenant_id) x)::int as gaps,
    ((select count(*) from headgate.jobs j left join last l on l.tenant_id = j.tenant_id and l.object_id = j.job_id where l.to_state is distinct from j.state)
    + (select count(*) from headgate.batches b left join last l on l.tenant_id = b.tenant_id and l.object_id = b.batch_id where l.to_state is distinct from b.state)
    + (select count(*) from headgate.acknowledgements k left join last l on l.tenant_id = k.tenant_id and l.object_id = k.acknowledgement_id where l.to_state is distinct from k.state)
    + (select count(*) from headgate.arrivals a left join last l on l.tenant_id = a.tenant_id and l.object_id = a.arrival_id where l.to_state is distinct from a.state))::int as mismatches`;

const examplesMax = 20;

/** Jobs that are open now, for senders and progress. */
export async function countOpenJobs(inspection: Surroundings['inspection']): Promise<number> {
  const { rows } = await inspection.query<{ count: number }>(
    '/* soak open jobs */ select count(*)::int as count from headgate.jobs where state <> all ($1)',
    [closedStates],
  );
  return rows[0]!.count;
}

/** Open things and events without a number; 0 when the product has nothing left to do. */
export async function countLeft(inspection: Surroundings['inspection']): Promise<number> {
  return (await inspection.query<{ count: number }>(selectLeft, [closedStates])).rows[0]!.count;
}

/** What is still open, by kind and state. */
async function listOpen(inspection: Surroundings['inspection']): Promise<{ readonly what: string; readonly count: number }[]> {
  return (await inspection.query<{ what: string; count: number }>(selectOpen, [closedStates])).rows;
}

export async function checkLedger(
  { inspection }: Pick<Surroundings, 'inspection'>,
  files: ReadonlyMap<number, GeneratedFile>,
): Promise<LedgerResult> {
  const examples: string[] = [];
  const note = (example: string) => examples.length < examplesMax && examples.push(example);
  const byName = new Map([...files.values()].map((file) => [file.name, file]));
  const { rows: jobs } = await inspection.query<JobRow>(selectJobs);
  const { rows: targets } = await inspection.query<TargetRow>(selectTargets);
  const targetsOf = Map.groupBy(targets, ({ jobId }) => jobId);

  let unbalancedJobs = 0;
  let doubledInLedger = 0;
  for (const job of jobs) {
    if (!closedStates.includes(job.state)) continue;
    const file = byName.get(job.fileName);
    const faults = file === undefined ? ['its file was never sent'] : faultsOf(job, targetsOf.get(job.jobId) ?? [], file);
    if (faults.length > 0) {
      unbalancedJobs += 1;
      note(`unbalanced: ${job.fileName}, ${job.state}: ${faults.join('; ')}`);
    }
  }
  for (const row of targets) {
    if (row.inAckedBatches <= row.routed && row.inAckedBatches <= row.delivered + row.refused + row.dead) continue;
    doubledInLedger += 1;
    note(
      `doubled: job ${row.jobId} at ${row.targetId}: ${row.routed} routed, ${row.delivered} delivered, ${row.inAckedBatches} in acknowledged batches`,
    );
  }
  for (const { what } of (await inspection.query<{ what: string }>(countDoubles)).rows) {
    doubledInLedger += 1;
    note(`doubled: ${what}`);
  }
  const open = await listOpen(inspection);
  for (const { what, count } of open) note(`stuck: ${count} × ${what}`);
  const { rows: lostRows } = await inspection.query<Record<'groups' | 'checks' | 'batches' | 'parked', number>>(countLostWork);
  const { groups, checks, batches, parked } = lostRows[0]!;
  const lostWork = groups + checks + batches + parked;
  if (lostWork > 0) note(`without work: ${groups} chunk groups, ${checks} checks, ${batches} batches, ${parked} parked batches`);
  const { rows: eventRows } = await inspection.query<{ unnumbered: number; gaps: number; mismatches: number }>(countEventFaults);
  const { unnumbered, gaps, mismatches } = eventRows[0]!;
  if (unnumbered + gaps + mismatches > 0)
    note(`events: ${unnumbered} without a number, ${gaps} gaps, ${mismatches} objects in another state`);
  return {
    doubledInLedger,
    unbalancedJobs,
    stuckJobs: open.reduce((sum, { count }) => sum + count, 0),
    lostWork,
    eventFaults: unnumbered + gaps + mismatches,
    examples,
  };
}

function faultsOf(job: JobRow, rows: readonly TargetRow[], file: GeneratedFile): string[] {
  const faults: string[] = [];
  const compare = (what: string, found: number, wanted: number) => found !== wanted && faults.push(`${what} ${found}, not ${wanted}`);
  for (const count of ['read', 'valid', 'rejected', 'filtered'] as const) compare(count, job[count], file.counts[count]);
  if (!job.hasReceipt) faults.push('no receipt');
  for (const target of targetNames) {
    const delivered = file.delivered[target]?.length ?? 0;
    const refused = file.refused[target]?.length ?? 0;
    const row = rows.find(({ targetId }) => targetId === target);
    if (!row) {
      if (delivered + refused > 0) faults.push(`${target} has no row`);
      continue;
    }
    compare(`${target} routed`, row.routed, delivered + refused);
    compare(`${target} delivered`, row.delivered, delivered);
    compare(`${target} refused and dead`, row.refused + row.dead, refused);
    compare(`${target} in all`, row.delivered + row.refused + row.dead + row.cancelled, row.routed);
  }
  return faults;
}
