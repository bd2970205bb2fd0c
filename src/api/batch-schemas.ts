/** What the API says of delivery batches and their attempts, as JSON Schema. */
import { type TSchema, Type } from 'typebox';
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

export const batchSchemas: readonly TSchema[] = [
  object(summaryFields, { $id: 'BatchSummary' }),
  attempt,
  object(
    {
      ...summaryFields,
      parentBatchId: nullable(id),
      bodySha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
      evidence: nullable(text),
      amounts: named('Amounts'),
      attemptHistory: Type.Array(named('Attempt')),
    },
    { $id: 'Batch' },
  ),
  object({ batchId: id, decision: choice(heldDecisions), state: choice(['acked', 'ready', 'dead'] as const) }, { $id: 'DecidedBatch' }),
];
