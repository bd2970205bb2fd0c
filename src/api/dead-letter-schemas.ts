/** What the API says of dead letters and of what people decide about them, as JSON Schema. */
import { type TSchema, Type } from 'typebox';
import { jobStates } from '../control/jobs/job-state.ts';
import { deadLetterStates } from '../pipeline/deliveries/endings/dead-letter-state.ts';
import { deadLetterCauses } from '../pipeline/deliveries/endings/dead-letter-store.ts';
import { choice, count, groupIdPattern, id, instant, named, nullable, object, text } from './answers.ts';

/** As `groupId` of a dead letter. */
export const groupId = Type.String({ pattern: groupIdPattern });

const totals = object({ records: count, amounts: named('Amounts') });

const redrive = object({
  id,
  ofJobId: id,
  targets: nullable(Type.Array(text)),
  records: count,
  repair: nullable(Type.Record(text, text)),
  possibleDuplicate: Type.Boolean(),
  reason: text,
  actor: text,
});

const group = {
  groupId,
  flow: text,
  targetId: text,
  code: text,
  causes: Type.Array(choice(deadLetterCauses)),
  shape: text,
  records: count,
  jobs: count,
  amounts: named('Amounts'),
  oldestAt: instant,
  newestAt: instant,
  expiresAt: nullable(instant),
};
const sample = { deadLetterId: id, recordId: text };

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
      amounts: named('Amounts'),
      mayBeThere: Type.Boolean(),
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
      changed: count,
      sent: totals,
      rejected: totals,
      elsewhere: totals,
      jobs: Type.Array(object({ ofJobId: id, file: text, targetId: text, flowVersion: text, records: count, sent: count })),
      members: Type.Array(
        object({
          deadLetterId: id,
          recordId: text,
          fate: choice(['sent', 'rejected', 'elsewhere'] as const),
          changes: Type.Array(object({ field: text, before: nullable(text), after: nullable(text) })),
          findings: Type.Array(object({ code: text, field: nullable(text), rule: nullable(text), message: text })),
        }),
      ),
      warnings: Type.Array(object({ code: text, message: text })),
    },
    { $id: 'RedrivePreview' },
  ),
  object({ ...group, samples: Type.Array(object(sample)) }, { $id: 'DeadLetterGroup' }),
  object(
    {
      ...group,
      samples: Type.Array(
        object({ ...sample, fields: nullable(Type.Object({}, { additionalProperties: nullable(text) })), code: nullable(text) }),
      ),
    },
    { $id: 'SampledDeadLetterGroup' },
  ),
  object(
    { redriveId: id, records: count, jobs: Type.Array(object({ jobId: id, ofJobId: id, targetId: text, records: count })) },
    { $id: 'Redrive' },
  ),
  object(
    {
      lineageId: id,
      jobs: Type.Array(
        object({ jobId: id, state: choice(jobStates), createdAt: instant, closedAt: nullable(instant), redrive: nullable(redrive) }),
      ),
      targets: Type.Object(
        {},
        {
          additionalProperties: object({
            routed: count,
            delivered: count,
            open: count,
            redriving: count,
            discarded: count,
            expired: count,
            cancelled: count,
            inFlight: count,
          }),
        },
      ),
      balanced: Type.Boolean(),
    },
    { $id: 'Lineage' },
  ),
];
