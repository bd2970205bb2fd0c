/**
 * Writes what answers say of one batch: one transaction under the lock of its row, with the event of what changed. The same answers
 * written again change nothing, so that a process that ended may be followed by another that does not know how far it came.
 */
import type { Ids } from '../../../platform/base/ports.ts';
import { recordEvents } from '../../../platform/events/event-log.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { WorkQueue } from '../work-queue-port.ts';
import { answerLevels } from './answer-levels.ts';
import type { AnswerState } from './answer-state.ts';
import type { AnswerTable } from './answer-table.ts';
import type { Hits } from './batch-answers.ts';
import { type LockedAnswer, lockAnswer, unansweredOf } from './expected-answers.ts';
import { type AnswerCounts, RecordAnswers, type RecordWord, recordWords, type Told, unclearBit } from './record-answers.ts';

/** Where the answers come from. */
export interface AnswerOrigin {
  /** The batch of answers. */
  readonly batchId: string;
  readonly jobId: string;
  readonly traceId: string | null;
  /** Record number of an answer in its job. */
  recordOf(answer: number): number;
}

/** A batch of answers tells of a batch in two parts, one after the other: answers that name its file, and those that name none. */
export const toldParts = { named: 0, others: 1 } as const;

export interface BatchWords {
  readonly batchId: string;
  readonly part: (typeof toldParts)[keyof typeof toldParts];
  /** About the file as a whole, in the order of the answers. */
  readonly whole: readonly number[];
  readonly hits: Hits;
  /** Of answers that may be about these positions: they leave them open. */
  readonly unclear: Hits;
  /** How many answers say the same of the same, this one among them. */
  readonly timesSaid: (answer: number) => number;
}

/** What came of it. */
export interface ToldBatch {
  /** Answers that say otherwise than was said before. */
  readonly contradicting: ReadonlySet<number>;
  /** Records for which that is new, by word. */
  readonly changed: AnswerCounts;
  /** Positions that are refused one by one now, and the answer that says so; ascending. */
  readonly refused: readonly { readonly position: number; readonly answer: number }[];
  /** Positions that are not refused any more: the file that refused many at once says so of them. */
  readonly takenBack: readonly number[];
}

/**
 * Groups that are told of one by one first, then words about many at once, in the order of the answers, then what is not clear, then
 * those about single records. Changes `known`.
 */
export function tellRecords(
  known: RecordAnswers,
  { whole, hits, unclear }: Pick<BatchWords, 'whole' | 'hits' | 'unclear'>,
  table: Pick<AnswerTable, 'word' | 'level' | 'partial'>,
): Pick<ToldBatch, 'contradicting' | 'refused' | 'takenBack'> {
  const contradicting = new Set<number>();
  const refusedBy = new Map<number, number>();
  const takenBack = new Set<number>();
  const wordOf = (answer: number) => table.word[answer] as RecordWord;
  const shared = (answer: number, of: 'group' | 'file') => ({ of, isPartial: table.partial[answer] === 1 });
  const note = (told: Told, answer: number): Told => {
    if (told === 'contradicts') contradicting.add(answer);
    return told;
  };
  const isUnclear = (answer: number) => table.word[answer]! >= unclearBit;
  const takeBack = (position: number): void => {
    refusedBy.delete(position);
    takenBack.add(position);
  };
  const leaveOpen = (answer: number, position: number): void => {
    if (known.tellUnclear(position, table.word[answer]! & ~unclearBit) === 'taken back') takeBack(position);
  };
  const leaveOpenAll = (): void => {
    for (const answer of whole.filter(isUnclear))
      for (let position = 0; position < known.bytes.length; position++) leaveOpen(answer, position);
    for (const { answers, positions, length } of [hits, unclear])
      for (let index = 0; index < length; index++)
        if (answers !== hits.answers || isUnclear(answers[index]!)) leaveOpen(answers[index]!, positions[index]!);
  };
  for (let index = 0; index < hits.length; index++) {
    const [answer, position] = [hits.answers[index]!, hits.positions[index]!];
    const isListed = table.level[answer] === answerLevels.group && table.word[answer] === recordWords.none;
    if (isListed && known.tellListed(position) === 'taken back') takeBack(position);
  }
  for (const answer of whole.filter((each) => !isUnclear(each)))
    for (let position = 0; position < known.bytes.length; position++)
      note(known.tellShared(position, wordOf(answer), shared(answer, 'file')), answer);
  for (const isShared of [true, false]) {
    if (!isShared) leaveOpenAll();
    for (let index = 0; index < hits.length; index++) {
      const [answer, position] = [hits.answers[index]!, hits.positions[index]!];
      if ((table.level[answer] !== answerLevels.record) !== isShared || isUnclear(answer)) continue;
      const word = wordOf(answer);
      const told = note(isShared ? known.tellShared(position, word, shared(answer, 'group')) : known.tell(position, word), answer);
      if (told === 'taken back') takeBack(position);
      else if (word === recordWords.refused && (told === 'changed' || (!isShared && told === 'nothing new')))
        refusedBy.set(position, answer);
    }
  }
  const refused = [...refusedBy].map(([position, answer]) => ({ position, answer })).sort((a, b) => a.position - b.position);
  return { contradicting, refused, takenBack: [...takenBack] };
}

const updateRow = `/* write answers of batch */
  update headgate.answers a set state = $3, outcomes = $4, accepted = $5, refused = $6, pending = $7, shared_by = $8, told_by = $9, told_part = $13, contradicting = $14,
    contradicted = a.contradicted + $10, refused_as_whole = coalesce($11, a.refused_as_whole), is_late = a.is_late or $12, answered_at = (select headgate.clock()), changed_at = (select headgate.clock())
  where a.tenant_id = $1 and a.batch_id = $2`;

/** Writes nothing where nothing is new. What these answers said before is not said again: its contradictions are known. */
export async function tellBatch(
  tx: TenantTx,
  { queue, ids }: { readonly queue: WorkQueue; readonly ids: Ids },
  words: BatchWords,
  { table, origin }: { readonly table: AnswerTable; readonly origin: AnswerOrigin },
): Promise<ToldBatch> {
  const row = await lockAnswer(tx, words.batchId);
  const isToldOn = row.toldBy === origin.batchId;
  if (isToldOn && row.toldPart >= words.part)
    return { contradicting: new Set(row.contradicting), changed: { accepted: 0, refused: 0, pending: 0 }, refused: [], takenBack: [] };
  const known = new RecordAnswers(row.outcomes, row.records, row.sharedBy === origin.jobId);
  const told = tellRecords(known, words, table);
  const counts = known.counts();
  const changed = {
    accepted: Math.max(0, counts.accepted - row.accepted),
    refused: Math.max(0, counts.refused - row.refused),
    pending: Math.max(0, counts.pending - row.pending),
  };
  const contradictions = [...told.contradicting].reduce((sum, answer) => sum + words.timesSaid(answer), 0);
  const result = { ...told, changed };
  if (known.bytes.equals(row.outcomes) && contradictions === 0) return result;
  const state = stateAfter(row, counts);
  if (state === 'awaited' && row.state === 'complete')
    await queue.keepWork(tx, [{ kind: 'answer', referenceId: words.batchId, delayMs: Math.max(0, row.dueInMs) }]);
  const whole = words.whole.find((answer) => table.word[answer] === recordWords.refused && !told.contradicting.has(answer));
  await tx.query(updateRow, [
    tx.tenantId,
    words.batchId,
    state,
    known.bytes,
    counts.accepted,
    counts.refused,
    counts.pending,
    known.isSharer ? origin.jobId : row.sharedBy,
    origin.batchId,
    contradictions,
    whole === undefined ? null : (table.reasons.get(whole) ?? ''),
    row.dueInMs < 0 && known.hasNews,
    words.part,
    [...(isToldOn ? row.contradicting : []), ...told.contradicting],
  ]);
  await recordToldEvents(tx, ids, { row, state, counts, origin, hasNews: known.hasNews, contradictions });
  return result;
}

/** What is late is marked so by the work that is due. */
function stateAfter({ state, records }: LockedAnswer, { accepted, refused }: AnswerCounts): AnswerState {
  if (accepted + refused === records) return 'complete';
  return state === 'complete' ? 'awaited' : state;
}

interface ToldEvent {
  readonly row: LockedAnswer;
  readonly state: AnswerState;
  readonly counts: AnswerCounts;
  readonly origin: AnswerOrigin;
  readonly hasNews: boolean;
  readonly contradictions: number;
}

async function recordToldEvents(tx: TenantTx, ids: Ids, { row, state, counts, origin, hasNews, contradictions }: ToldEvent): Promise<void> {
  const common = { objectId: row.batchId, from: row.state, to: state, actor: 'system', traceId: origin.traceId } as const;
  const detail = { target: row.targetId, answerJobId: origin.jobId };
  const isComplete = state === 'complete' && row.state !== 'complete';
  await recordEvents(tx, ids, [
    ...(hasNews
      ? [
          {
            ...common,
            type: isComplete ? ('answer.completed' as const) : ('answer.received' as const),
            detail: { ...detail, ...counts, unanswered: unansweredOf({ ...row, ...counts }), late: row.dueInMs < 0 },
          },
        ]
      : []),
    ...(contradictions > 0
      ? [{ ...common, from: state, type: 'answer.contradicted' as const, detail: { ...detail, answers: contradictions } }]
      : []),
  ]);
}

const deleteRefusals = `/* take back refusals */ delete from headgate.answer_refusals where tenant_id = $1 and batch_id = $2 and position = any ($3::int[])`;

const insertRefusals = `/* list refused records */
  insert into headgate.answer_refusals (tenant_id, batch_id, position, job_id, record_number, code, answer_job_id, answer_record, created_at)
  select $1, $2, r.position, r.job_id, r.record_number, r.code, $3, r.answer_record, (select headgate.clock())
  from unnest($4::int[], $5::uuid[], $6::bigint[], $7::text[], $8::bigint[]) as r (position, job_id, record_number, code, answer_record)
  on conflict (tenant_id, batch_id, position) do nothing`;

const refusalsAtOnce = 5_000;

export interface RefusedRecord {
  readonly position: number;
  readonly jobId: string;
  readonly record: number;
  readonly code: string | null;
  readonly answerRecord: number;
}

export async function writeRefusals(
  tx: TenantTx,
  { batchId, answerJobId }: { readonly batchId: string; readonly answerJobId: string },
  { refused, takenBack }: { readonly refused: readonly RefusedRecord[]; readonly takenBack: readonly number[] },
): Promise<void> {
  if (takenBack.length > 0) await tx.query(deleteRefusals, [tx.tenantId, batchId, takenBack]);
  for (let at = 0; at < refused.length; at += refusalsAtOnce) {
    const rows = refused.slice(at, at + refusalsAtOnce);
    await tx.query(insertRefusals, [
      tx.tenantId,
      batchId,
      answerJobId,
      rows.map(({ position }) => position),
      rows.map(({ jobId }) => jobId),
      rows.map(({ record }) => record),
      rows.map(({ code }) => code),
      rows.map(({ answerRecord }) => answerRecord),
    ]);
  }
}
