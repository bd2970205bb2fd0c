/** What the API says of delivery batches and their attempts, as JSON Schema. */
import { type TSchema, Type } from 'typebox';
import { answerStates } from '../pipeline/deliveries/answers/answer-state.ts';
import { batchStates } from '../pipeline/deliveries/batch-state.ts';
import { heldDecisions } from '../pipeline/deliveries/held/held-batches.ts';
import { choice, count, id, instant, named, nullable, object, text } from './answers.ts';

const summaryFields = {
  batchId: id,
  flow: text,
  targetId: text,
  state: choice(batchStates),
  awaitsDecision: Type.Boolean(),
  outcomeUnknown: Type.Boolean(),
  mayHaveArrived: Type.Boolean(),
  jobIds: Type.Array(id),
  records: count,
  bytes: count,
  attempts: count,
  fileSequence: nullable(count),
  via: nullable(text),
  answerState: nullable(choice(answerStates)),
  reasonCode: nullable(text),
  message: nullable(text),
  next: nullable(text),
  createdAt: instant,
  changedAt: instant,
};

const attempt = object(
  {
    attemptId: id,
    number: count,
    possibleDuplicate: Type.Boolean(),
    via: nullable(text),
    startedAt: instant,
    endedAt: nullable(instant),
    outcome: nullable(choice(['acked', 'refused', 'unknown'] as const)),
    reasonCode: nullable(text),
    message: nullable(text),
    resolvedAs: nullable(text),
    evidence: nullable(text),
  },
  { $id: 'Attempt' },
);

const answer = object(
  {
    state: choice(answerStates),
    name: nullable(text),
    accepted: count,
    refused: count,
    pending: count,
    unanswered: count,
    contradictions: count,
    refusedAsWhole: nullable(text),
    isLate: Type.Boolean(),
    dueAt: instant,
    answeredAt: nullable(instant),
    next: nullable(text),
  },
  { $id: 'BatchAnswer' },
);

const refusal = object(
  { position: count, jobId: id, record: count, code: nullable(text), answerJobId: id, answerRecord: count, createdAt: instant },
  { $id: 'Refusal' },
);

export const batchSchemas: readonly TSchema[] = [
  object(summaryFields, { $id: 'BatchSummary' }),
  attempt,
  answer,
  refusal,
  object(
    {
      ...summaryFields,
      parentBatchId: nullable(id),
      bodySha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
      evidence: nullable(text),
      answer: nullable(named('BatchAnswer')),
      amounts: named('Amounts'),
      attemptHistory: Type.Array(named('Attempt')),
    },
    { $id: 'Batch' },
  ),
  object({ batchId: id, decision: choice(heldDecisions), state: choice(['acked', 'ready', 'dead'] as const) }, { $id: 'DecidedBatch' }),
];
