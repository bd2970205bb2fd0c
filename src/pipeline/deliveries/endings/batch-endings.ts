/** Builds the ending of a batch from what was decided about it. Reads single records where dead letters or splits need them. */
import type { Plan } from '../../engine/plan.ts';
import { type ExpectedAnswer, expectedAnswerOf } from '../answers/expected-answers.ts';
import type { AttemptEnding } from '../attempts/attempt-store.ts';
import type { Decision, SplitPart } from '../attempts/outcome-decision.ts';
import type { NewBatch } from '../batch.ts';
import type { BatchChange } from '../batch-changes.ts';
import type { LoadedBatch } from '../batch-load.ts';
import type { BatchEvent, BatchState } from '../batch-state.ts';
import { deliveryErrors } from '../delivery-errors.ts';
import type { NewBlockedKey } from '../held/blocked-key-store.ts';
import { delayAfterHeldMs, heldLookMs } from '../held/held-delay.ts';
import type { ClaimedWork } from '../work-queue-port.ts';
import { type Asked, exhaustedEvidence } from './asked-evidence.ts';
import type { BatchEnding } from './batch-ending.ts';
import { type BatchRecord, readGivenUpRecords, recordsOfPageMax } from './batch-records.ts';
import { type SplitServices, splitBatch, splitByMembers } from './batch-split.ts';
import type { DeadLetterCause, NewDeadLetter } from './dead-letter-store.ts';
import { type GivenUpLetters, type LetterReason, letterGivenUp } from './given-up-letters.ts';
import type { LetterRoom } from './letter-room.ts';
import { type CountDelta, type CountedAs, countBatch } from './target-counts.ts';

export interface EndingContext {
  readonly batch: LoadedBatch;
  readonly plan: Plan;
  readonly work: ClaimedWork;
  readonly actor: string;
  /** The backup that it is sent to; null: its own target. */
  readonly via: string | null;
  readonly services: SplitServices & { readonly letterRoom: LetterRoom };
}

export interface EndedAttempt {
  readonly attemptId: string;
  readonly attempt: number;
}

/** After an attempt; the batch is `sending`. */
export async function endingOfAttempt(context: EndingContext, decision: Decision, ended: EndedAttempt): Promise<BatchEnding> {
  const { batch } = context;
  const attempt = (outcome: AttemptEnding['outcome'], reasonCode: string | null): AttemptEnding => ({
    attemptId: ended.attemptId,
    outcome,
    reasonCode,
    message: 'message' in decision ? decision.message : decision.kind === 'split' ? decision.refusal?.message : undefined,
  });
  const change = (event: BatchEvent, more: Partial<BatchChange> = {}) => changeOf(context, 'sending', event, more);
  switch (decision.kind) {
    case 'acked':
      return {
        ...emptyEnding(context),
        attempt: attempt('acked', null),
        changes: [change('acknowledge', { evidence: decision.evidence, detail: { records: batch.records } })],
        expected: expectedOf(context, batch),
        counts: countBatch(batch, 'delivered'),
      };
    case 'retry':
      return {
        ...emptyEnding(context),
        againAfterMs: decision.delayMs,
        attempt: attempt('refused', decision.code),
        changes: [change('retry', { reasonCode: decision.code, detail: { attempt: ended.attempt } })],
      };
    case 'held':
      return {
        ...emptyEnding(context),
        againAfterMs: delayAfterHeldMs(decision.code, ended.attempt),
        attempt: attempt('refused', decision.code),
        changes: [
          change('retry', { reasonCode: decision.code, detail: { attempt: ended.attempt } }),
          changeOf(context, 'ready', 'hold', { reasonCode: decision.code }),
        ],
      };
    case 'unknown':
      return {
        ...emptyEnding(context),
        againAfterMs: decision.delayMs,
        attempt: attempt('unknown', decision.code),
        changes: [change('lose', { reasonCode: decision.code, unknownAttempts: 1, detail: { attempt: ended.attempt } })],
      };
    case 'refused':
    case 'exhausted': {
      const cause = decision.kind;
      return {
        ...emptyEnding(context),
        attempt: attempt('refused', decision.code),
        changes: [change(cause === 'refused' ? 'refuse' : 'exhaust', { reasonCode: decision.code, detail: { records: batch.records } })],
        counts: countBatch(batch, countedAs[cause]),
        ...(await deadLetters(context, cause, { code: decision.code, message: decision.message })),
      };
    }
    case 'split':
      return await endingOfSplit(context, decision, attempt);
  }
}

/** Without an attempt: the batch waits as `unknown`, `ready` or `held`, and ends here. */
export async function endingWithoutAttempt(
  context: EndingContext,
  end: {
    readonly as: 'acked' | 'dead' | 'cancelled';
    readonly events: readonly BatchEvent[];
    readonly code: string | null;
    readonly message: string;
    readonly evidence: string;
    /** Of one that ends as dead: its target has nothing of it. */
    readonly isAbsent?: boolean;
  },
): Promise<BatchEnding> {
  const { batch } = context;
  const changes: BatchChange[] = [];
  let from: BatchState = batch.state;
  for (const event of end.events) {
    const change = changeOf(context, from, event, { reasonCode: end.code, evidence: end.evidence });
    changes.push(change);
    from = stateAfter(change);
  }
  const counted: CountedAs = end.as === 'acked' ? 'delivered' : end.as;
  return {
    ...emptyEnding(context),
    resolution: { batchId: batch.batchId, resolvedAs: end.as, evidence: end.evidence },
    changes,
    counts: countBatch(batch, counted),
    expected: end.as === 'acked' ? expectedOf(context, batch) : [],
    ...(end.as === 'dead'
      ? await deadLetters(context, 'exhausted', { code: end.code ?? '', message: end.message, ...(end.isAbsent && { mayBeThere: false }) })
      : {}),
  };
}

/** No tries are left after an attempt that was lost. */
export async function endingOfLastLost(context: EndingContext, asked: Asked | null): Promise<BatchEnding> {
  const isAbsent = asked?.isAbsent === true;
  const evidence = isAbsent ? exhaustedEvidence(asked) : 'no tries are left and nobody knows whether the last one arrived';
  const code = (isAbsent ? context.batch.reasonCode : null) ?? deliveryErrors.E_OUTCOME_UNKNOWN;
  return await endingWithoutAttempt(context, { as: 'dead', events: ['exhaust'], code, message: evidence, evidence, isAbsent });
}

/** Of a shared batch that is to be sent again: the records of jobs that were cancelled meanwhile are not, the others go on. */
export async function endingOfCancelledJobs(context: EndingContext): Promise<BatchEnding> {
  const { batch, services } = context;
  const isCancelled = ({ jobId }: { readonly jobId: string }) => batch.cancelledJobs.includes(jobId);
  const positions = (areCancelled: boolean) => batch.members.flatMap((member, at) => (isCancelled(member) === areCancelled ? [at] : []));
  const [child, cancelled] = [
    await splitByMembers(services, batch, positions(false)),
    await splitByMembers(services, batch, positions(true)),
  ];
  return {
    ...emptyEnding(context),
    changes: [
      changeOf(context, batch.state, 'split', { detail: { children: 2 } }),
      changeOf(context, 'ready', 'cancel', { batchId: cancelled.batchId, detail: { records: cancelled.records } }),
    ],
    children: [child, cancelled],
    childWork: [{ batchId: child.batchId, delayMs: 0 }],
    counts: countBatch(cancelled, 'cancelled'),
  };
}

/** A person has to decide. */
export function endingAsHeld(context: EndingContext): BatchEnding {
  return {
    ...emptyEnding(context),
    againAfterMs: heldLookMs,
    changes: [changeOf(context, 'unknown', 'hold', { reasonCode: context.batch.reasonCode })],
  };
}

/** Settings are at fault, as others found out: it is held without a try. */
export function endingAsFoundOut(context: EndingContext, code: string): BatchEnding {
  return {
    ...emptyEnding(context),
    againAfterMs: heldLookMs,
    changes: [changeOf(context, 'ready', 'hold', { reasonCode: code })],
  };
}

/** Held because settings are at fault: it is ready again, and its next attempt tells whether they were mended. */
export function endingAsRechecked(context: EndingContext): BatchEnding {
  return {
    ...emptyEnding(context),
    againAfterMs: 0,
    changes: [changeOf(context, 'held', 'retry', { reasonCode: context.batch.reasonCode })],
  };
}

/** Nothing changes but the work item. */
export function endingOfWork(context: Pick<EndingContext, 'batch' | 'work'>, againAfterMs: number | null): BatchEnding {
  return { ...emptyEnding(context), againAfterMs };
}

export function changeOf(context: EndingContext, from: BatchState, event: BatchEvent, more: Partial<BatchChange>): BatchChange {
  const { batch, actor } = context;
  return { batchId: batch.batchId, from, event, actor, traceParent: batch.traceParent, ...more };
}

const countedAs = { refused: 'refused', exhausted: 'dead' } as const satisfies Record<string, CountedAs>;

function expectedOf({ batch, plan }: EndingContext, part: { readonly batchId: string; readonly records: number }): ExpectedAnswer[] {
  return [expectedAnswerOf(batch, plan, part)].filter((each) => each !== null);
}

function stateAfter({ event }: BatchChange): BatchState {
  return event === 'hold' ? 'held' : event === 'send' ? 'sending' : 'unknown';
}

function emptyEnding({ batch, work }: Pick<EndingContext, 'batch' | 'work'>): BatchEnding {
  const { flowId, flowVersionId, traceParent } = batch;
  return {
    work,
    againAfterMs: null,
    origin: { flowId, flowVersionId, traceParent },
    attempt: null,
    resolution: null,
    changes: [],
    children: [],
    childWork: [],
    deadLetters: [],
    letterPages: null,
    blockedKeys: [],
    counts: [],
    expected: [],
    breakerWork: [],
  };
}

/** What moves a child from `ready` to where its records are. */
const partEvents: Record<SplitPart['becomes'], readonly [BatchEvent, BatchState][]> = {
  acked: [
    ['send', 'ready'],
    ['acknowledge', 'sending'],
  ],
  refused: [
    ['send', 'ready'],
    ['refuse', 'sending'],
  ],
  exhausted: [
    ['send', 'ready'],
    ['exhaust', 'sending'],
  ],
  retry: [],
  held: [['hold', 'ready']],
  unknown: [
    ['send', 'ready'],
    ['lose', 'sending'],
  ],
};

async function endingOfSplit(
  context: EndingContext,
  { parts, delayMs, refusal }: Extract<Decision, { kind: 'split' }>,
  attempt: (outcome: AttemptEnding['outcome'], code: string | null) => AttemptEnding,
): Promise<BatchEnding> {
  const { batch, plan, services } = context;
  const attempts = batch.attempts + 1;
  const isDecidedInPart = parts.some(({ becomes }) => becomes === 'acked' || becomes === 'refused');
  const sent = { ...batch, attempts, decidedAttempts: isDecidedInPart ? attempts : batch.decidedAttempts };
  const children = await splitBatch(
    services,
    sent,
    plan,
    parts.map(({ indexes }) => indexes),
  );
  const isUnknown = parts.some(({ becomes }) => becomes === 'unknown');
  const evidence = refusal
    ? `half of batch ${batch.batchId}, which was refused as a whole`
    : `results per record in the answer to batch ${batch.batchId}`;
  const changes = [changeOf(context, 'sending', 'split', { detail: { children: children.length } })];
  const counts: CountDelta[] = [];
  const expected: ExpectedAnswer[] = [];
  const letters: NewDeadLetter[] = [];
  const blockedKeys: NewBlockedKey[] = [];
  const areGivenUp = parts.some(({ becomes }) => becomes === 'refused' || becomes === 'exhausted');
  if (areGivenUp) await services.letterRoom.enter(context.work, batch.records);
  const records = areGivenUp ? await readGivenUpRecords(services, batch, plan) : [];
  for (const [at, part] of parts.entries()) {
    const child = children[at]!;
    for (const [event, from] of partEvents[part.becomes]) {
      const more = {
        batchId: child.batchId,
        reasonCode: part.reason ?? part.codes[0] ?? null,
        evidence,
        unknownAttempts: event === 'lose' ? 1 : 0,
      };
      changes.push(changeOf(context, from, event, event === 'send' ? { ...more, via: context.via } : more));
    }
    if (part.becomes === 'acked') {
      counts.push(...countBatch(child, 'delivered'));
      expected.push(...expectedOf(context, child));
    }
    if (part.becomes !== 'refused' && part.becomes !== 'exhausted') continue;
    counts.push(...countBatch(child, countedAs[part.becomes]));
    for (const [place, index] of part.indexes.entries()) {
      const record = records[index]!;
      const letter = {
        ...letterBasics(context, part.becomes, child),
        jobId: record.member.jobId,
        recordNumber: record.record,
        deliveryKey: record.deliveryKey,
        amounts: record.amounts,
        code: part.codes[place]!,
        message: part.messages[place] ?? 'the target refused the record',
      };
      letters.push(letter);
      blockedKeys.push(...blockedBy(batch, letter, record));
    }
  }
  const childWork = children.flatMap(({ batchId }, at) => {
    const { becomes } = parts[at]!;
    if (becomes === 'retry' || becomes === 'unknown') return [{ batchId, delayMs }];
    return becomes === 'held' ? [{ batchId, delayMs: delayAfterHeldMs(parts[at]!.reason ?? parts[at]!.codes[0]!, sent.attempts) }] : [];
  });
  return {
    ...emptyEnding(context),
    attempt: attempt(
      isUnknown ? 'unknown' : refusal ? 'refused' : 'acked',
      parts.find(({ becomes }) => becomes !== 'acked')!.codes[0] ?? null,
    ),
    resolution: isUnknown
      ? { batchId: batch.batchId, resolvedAs: 'resent', evidence: 'the records without an answer are in a batch of their own' }
      : null,
    changes,
    children,
    childWork,
    counts,
    expected,
    deadLetters: letters,
    blockedKeys,
  };
}

async function deadLetters(
  { batch, plan, services, work }: EndingContext,
  cause: DeadLetterCause,
  reason: Omit<LetterReason, 'cause'>,
): Promise<GivenUpLetters> {
  await services.letterRoom.enter(work, Math.min(batch.records, recordsOfPageMax));
  return await letterGivenUp(services, batch, plan, { cause, ...reason });
}

/** Later records of its key are held back, where the target keeps the order of keys (decisions 19). */
function blockedBy({ flowId, targetId, lane, laneScheme }: LoadedBatch, letter: NewDeadLetter, { orderKey }: BatchRecord): NewBlockedKey[] {
  if (orderKey === null) return [];
  return [{ flowId, targetId, lane, laneScheme, keyHash: orderKey, jobId: letter.jobId, deadLetterId: letter.deadLetterId }];
}

function letterBasics(context: EndingContext, cause: DeadLetterCause, batch: Pick<NewBatch, 'batchId' | 'targetId'>) {
  const { services } = context;
  const { flowId, unknownAttempts } = context.batch;
  const mayBeThere = unknownAttempts > 0;
  return { deadLetterId: services.ports.ids.next(), flowId, targetId: batch.targetId, batchId: batch.batchId, cause, mayBeThere };
}
