/**
 * The rows of answers that batches expect: written in the transaction in which a batch is delivered, marked overdue when their time
 * is over, changed by what answers say. A row for a batch and a byte for each of its records; no row for a record that is accepted.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Ids } from '../../../platform/base/ports.ts';
import { type NewEvent, recordEvents } from '../../../platform/events/event-log.ts';
import { parseTraceparent } from '../../../platform/telemetry/trace-context.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { fileNameOf } from '../../connectors/output-files/file-name.ts';
import type { Plan, TargetPlan } from '../../engine/plan.ts';
import { recordsByJob } from '../batch.ts';
import type { LoadedBatch } from '../batch-load.ts';
import { numberOf, partOf } from '../batch-number.ts';
import type { ClaimedWork, WorkQueue } from '../work-queue-port.ts';
import type { AnswerState } from './answer-state.ts';

/** What a batch expects once it is delivered. */
export interface ExpectedAnswer {
  readonly batchId: string;
  readonly flowId: string;
  readonly targetId: string;
  /** Of the file that was sent; null where a batch is none. */
  readonly name: string | null;
  readonly records: number;
  readonly withinMs: number;
  readonly traceParent: string | null;
}

/** Null: its target expects none. `part`: the batch itself, or what was split off it. */
export function expectedAnswerOf(
  batch: LoadedBatch,
  plan: Plan,
  part: { readonly batchId: string; readonly records: number } = batch,
): ExpectedAnswer | null {
  const target = plan.targets.find(({ id }) => id === batch.targetId)!;
  if (target.answers === undefined) return null;
  const { flowId, targetId, traceParent } = batch;
  const name = part.batchId === batch.batchId ? sentName(batch, plan, target) : null;
  return { batchId: part.batchId, flowId, targetId, name, records: part.records, withinMs: target.answers.withinMs, traceParent };
}

/** Of a batch that is a file; null for others, and where a person says that one was delivered that could not be named. */
function sentName(batch: LoadedBatch, plan: Plan, { id: targetId, body, settings }: TargetPlan): string | null {
  const template = settings['name'];
  if (typeof template !== 'string') return null;
  const named = {
    flowName: plan.flow.name,
    fileName: batch.fileName,
    jobIds: [...recordsByJob(batch.members).keys()],
    cutAt: batch.cutAt,
    number: numberOf(batch),
    sequence: batch.fileSequence,
    part: partOf(batch),
  };
  try {
    return fileNameOf(template, { targetId, format: body.format, isEncrypted: settings['encrypt'] === true, batch: named });
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    return null;
  }
}

/** Banks name a file with its ending or without. */
export function stemOf(name: string): string {
  return name.replace(/(?<=.)(\.[A-Za-z0-9]{1,10})(\.pgp)?$/, '');
}

const insertAnswers = `/* expect answers */
  insert into headgate.answers (tenant_id, batch_id, flow_id, target_id, name, stem, records, state, due_at, expected_at, changed_at)
  select $1, a.batch_id, a.flow_id, a.target_id, a.name, a.stem, a.records, 'awaited', (select headgate.clock()) + a.within_ms * interval '1 millisecond',
    (select headgate.clock()), (select headgate.clock())
  from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::int[], $8::bigint[]) as a (batch_id, flow_id, target_id, name, stem, records, within_ms)`;

/** They are expected exactly when the caller's transaction commits. */
export async function expectAnswers(
  tx: TenantTx,
  { queue, ids }: { readonly queue: WorkQueue; readonly ids: Ids },
  expected: readonly ExpectedAnswer[],
): Promise<void> {
  if (expected.length === 0) return;
  await tx.query(insertAnswers, [
    tx.tenantId,
    expected.map(({ batchId }) => batchId),
    expected.map(({ flowId }) => flowId),
    expected.map(({ targetId }) => targetId),
    expected.map(({ name }) => name),
    expected.map(({ name }) => (name === null ? null : stemOf(name))),
    expected.map(({ records }) => records),
    expected.map(({ withinMs }) => withinMs),
  ]);
  await queue.addWork(
    tx,
    expected.map(({ batchId, withinMs }) => ({ kind: 'answer', referenceId: batchId, delayMs: withinMs })),
  );
  await recordEvents(
    tx,
    ids,
    expected.map(({ batchId, records, targetId, traceParent }): NewEvent => {
      const move = { type: 'answer.expected', objectId: batchId, from: '', to: 'awaited', actor: 'system' } as const;
      return { ...move, traceId: parseTraceparent(traceParent)?.traceId ?? null, detail: { target: targetId, records } };
    }),
  );
}

export interface OverdueAnswer {
  readonly batchId: string;
  readonly flow: string;
  readonly targetId: string;
  readonly records: number;
  readonly accepted: number;
  readonly refused: number;
  readonly pending: number;
}

const passTime = `/* mark overdue answers */
  update headgate.answers a set state = 'overdue', changed_at = (select headgate.clock()) from headgate.flows f
  where a.tenant_id = $1 and a.batch_id = any ($2::uuid[]) and a.state = 'awaited' and f.tenant_id = a.tenant_id and f.flow_id = a.flow_id
  returning a.batch_id as "batchId", f.name as flow, a.target_id as "targetId", a.records, a.accepted, a.refused, a.pending`;

/** Those that are complete by now stay as they are. Fails with E_FENCED when any of the work is not ours any more. */
export async function markOverdue(
  tx: TenantTx,
  { queue, ids }: { readonly queue: WorkQueue; readonly ids: Ids },
  work: readonly (ClaimedWork & { readonly referenceId: string })[],
): Promise<readonly OverdueAnswer[]> {
  await queue.finishWork(tx, work);
  const { rows } = await tx.query<OverdueAnswer>(passTime, [tx.tenantId, work.map(({ referenceId }) => referenceId)]);
  await recordEvents(
    tx,
    ids,
    rows.map(({ batchId, flow: _, targetId, ...counts }): NewEvent => {
      const move = { type: 'answer.overdue', objectId: batchId, from: 'awaited', to: 'overdue', actor: 'system' } as const;
      return { ...move, detail: { target: targetId, ...counts, unanswered: unansweredOf(counts) } };
    }),
  );
  return rows;
}

export function unansweredOf(counts: Record<'records' | 'accepted' | 'refused' | 'pending', number>): number {
  return counts.records - counts.accepted - counts.refused - counts.pending;
}

/** A batch that may be meant by an answer. */
export interface AnsweredBatch {
  readonly batchId: string;
  readonly flowVersionId: string;
  readonly name: string | null;
  readonly stem: string | null;
}

/** Flow and target, as answers say whose deliveries they are about. */
export type AnsweredTargets = readonly { readonly flow: string; readonly target: string }[];

const answeredTargets = `(select f.flow_id, w.target from unnest($2::text[], $3::text[]) as w (flow, target) join headgate.flows f on f.tenant_id = $1 and f.name = w.flow)`;
const columns = 'a.batch_id as "batchId", b.flow_version_id as "flowVersionId", a.name, a.stem';
const withBatch = 'join headgate.batches b on b.tenant_id = $1 and b.batch_id = a.batch_id';

/** A name that has come more often than this: the newest count. */
const sameNameMax = 20;
const newestOf = (
  condition: string,
) => `(select a.* from headgate.answers a where a.tenant_id = $1 and a.flow_id = t.flow_id and a.target_id = t.target and ${condition}
    order by a.batch_id desc limit ${sameNameMax})`;

const selectNamed = `/* find answered batches by name */ select distinct ${columns} from unnest($4::text[]) as n (name)
  cross join ${answeredTargets} t
  cross join lateral (${newestOf('a.name = n.name')} union all ${newestOf('a.stem = n.name')}) a ${withBatch}
  union select ${columns} from headgate.answers a ${withBatch} where a.tenant_id = $1 and a.batch_id = any ($5::uuid[]) and (a.flow_id, a.target_id) in ${answeredTargets}`;

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const namesAtOnce = 500;

/** The id of a batch with hyphens, where the name is one. */
export function batchIdOf(name: string): string | null {
  return uuid.test(name)
    ? name
        .toLowerCase()
        .replaceAll('-', '')
        .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    : null;
}

/** By the name of the file that was sent, with its ending or without, or the id of the batch; the newest first. */
export async function findNamedBatches(tx: TenantTx, of: AnsweredTargets, names: readonly string[]): Promise<AnsweredBatch[]> {
  const found = new Map<string, AnsweredBatch>();
  for (let at = 0; at < names.length; at += namesAtOnce) {
    const some = names.slice(at, at + namesAtOnce);
    const ids = some.map(batchIdOf).filter((id) => id !== null);
    const parameters = [tx.tenantId, of.map(({ flow }) => flow), of.map(({ target }) => target), some, ids];
    for (const row of (await tx.query<AnsweredBatch>(selectNamed, parameters)).rows) found.set(row.batchId, row);
  }
  return [...found.values()].sort((one, another) => (one.batchId < another.batchId ? 1 : -1));
}

const selectExpecting = `/* find batches that may be answered */ select ${columns} from headgate.answers a ${withBatch}
  where a.tenant_id = $1 and (a.flow_id, a.target_id) in ${answeredTargets} and ($4::uuid is null or a.batch_id < $4) and (a.state <> 'complete' or a.changed_at > (select headgate.clock()) - interval '30 days')
  order by a.batch_id desc limit $5`;

/** Those that expect an answer, and those that were answered in the last thirty days; the newest first. */
export async function findExpectingBatches(
  tx: TenantTx,
  of: AnsweredTargets,
  page: { readonly before: string | null; readonly limit: number },
): Promise<AnsweredBatch[]> {
  const parameters = [tx.tenantId, of.map(({ flow }) => flow), of.map(({ target }) => target), page.before, page.limit];
  return (await tx.query<AnsweredBatch>(selectExpecting, parameters)).rows;
}

const countUnderWay = `/* look for batches under way */ select exists (select from headgate.batches b where b.tenant_id = $1 and b.state in ('sending', 'unknown')
  and (b.flow_id, b.target_id) in ${answeredTargets}) as "isUnderWay"`;

/** Whether an answer may have overtaken the end of a delivery. */
export async function isUnderWay(tx: TenantTx, of: AnsweredTargets): Promise<boolean> {
  const parameters = [tx.tenantId, of.map(({ flow }) => flow), of.map(({ target }) => target)];
  return (await tx.query<{ isUnderWay: boolean }>(countUnderWay, parameters)).rows[0]!.isUnderWay;
}

export interface LockedAnswer {
  readonly batchId: string;
  readonly flowId: string;
  readonly targetId: string;
  readonly state: AnswerState;
  readonly records: number;
  readonly outcomes: Buffer;
  readonly accepted: number;
  readonly refused: number;
  readonly pending: number;
  /** Until it is due; negative: for how long it has been. */
  readonly dueInMs: number;
  /** The job of the answer whose word about many records at once changed some last. */
  readonly sharedBy: string | null;
  /** The batch of answers that told of it last, which part of it, and those of its answers that contradicted. */
  readonly toldBy: string | null;
  readonly toldPart: number;
  readonly contradicting: readonly number[];
}

const lockRow = `/* lock answer */ select a.batch_id as "batchId", a.flow_id as "flowId", a.target_id as "targetId", a.state, a.records, a.outcomes, a.accepted, a.refused, a.pending,
  extract(epoch from a.due_at - (select headgate.clock()))::float8 * 1000 as "dueInMs", a.shared_by as "sharedBy", a.told_by as "toldBy", a.told_part as "toldPart", a.contradicting
  from headgate.answers a where a.tenant_id = $1 and a.batch_id = $2 for update`;

export async function lockAnswer(tx: TenantTx, batchId: string): Promise<LockedAnswer> {
  return (await tx.query<LockedAnswer>(lockRow, [tx.tenantId, batchId])).rows[0]!;
}
