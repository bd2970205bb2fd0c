/** What the API says of dead letters and of what people decide about them, as JSON Schema. */
import { type TSchema, Type } from 'typebox';
import { deadLetterStates } from '../pipeline/deliveries/endings/dead-letter-state.ts';
import { deadLetterCauses } from '../pipeline/deliveries/endings/dead-letter-store.ts';
import { choice, count, id, instant, named, nullable, object, text } from './answers.ts';

/** As `groupId` of a dead letter. */
export const groupId = Type.String({ pattern: '^[0-9a-f]{32}$' });

const totals = object({ records: count, amounts: named('Amounts') });

export const deadLetterSchemas: readonly TSchema[] = [
  object(
    {
      deadLetterId: id,
      jobId: id,
      flowId: id,
      flowName: text,
      targetId: text,
      batchId: id,
      recordNumber: count,
      cause: choice(deadLetterCauses),
      code: text,
      message: text,
      deliveryKey: text,
      groupId,
      state: choice(deadLetterStates),
      reason: nullable(text),
      decidedBy: nullable(text),
      createdAt: instant,
      blocksKey: Type.Boolean(),
      next: text,
    },
    { $id: 'DeadLetter' },
  ),
  object(
    {
      version: text,
      chosen: totals,
      sent: totals,
      rejected: totals,
      elsewhere: totals,
      jobs: Type.Array(object({ ofJobId: id, file: text, targetId: text, records: count, sent: count })),
      warnings: Type.Array(object({ code: text, message: text })),
    },
    { $id: 'RedrivePreview' },
  ),
  object(
    { redriveId: id, records: count, jobs: Type.Array(object({ jobId: id, ofJobId: id, targetId: text, records: count })) },
    { $id: 'Redrive' },
  ),
];
