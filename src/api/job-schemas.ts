/** What the API says of jobs and their records, as JSON Schema. */
import { type TSchema, Type } from 'typebox';
import { jobActions } from '../control/jobs/job-actions.ts';
import { jobStates } from '../control/jobs/job-state.ts';
import { choice, count, id, instant, named, nullable, object, text } from './answers.ts';

const counts = { read: count, valid: count, rejected: count, filtered: count };

/** Sums by field and currency, exact: as many digits after the point as the field has. */
const amounts = Type.Object(
  {},
  {
    additionalProperties: object({
      byCurrency: Type.Object({}, { additionalProperties: Type.String({ pattern: '^-?[0-9]+(\\.[0-9]+)?$' }) }),
      unreadable: count,
    }),
    $id: 'Amounts',
  },
);

const stageAmounts = nullable(
  object({ read: named('Amounts'), valid: named('Amounts'), rejected: named('Amounts'), filtered: named('Amounts') }),
);

const controlTotals = object(
  {
    declared: Type.Object({}, { additionalProperties: nullable(text) }),
    computed: Type.Object({}, { additionalProperties: text }),
    balanced: nullable(Type.Boolean()),
  },
  { $id: 'ControlTotals' },
);

const findingGroup = object(
  { code: text, field: nullable(text), rule: nullable(text), count, firstOffset: count, message: text },
  { $id: 'FindingGroup' },
);

const reason = object({ code: text, message: text, verdict: Type.Optional(text), rule: Type.Optional(nullable(text)) }, { $id: 'Reason' });

const jobSummaryFields = {
  jobId: id,
  flow: text,
  flowVersion: text,
  file: text,
  fileId: id,
  redriveOf: nullable(id),
  state: choice(jobStates),
  verdict: nullable(text),
  reasonCode: nullable(text),
  records: object({ ...counts, warned: count }),
  createdAt: instant,
  closedAt: nullable(instant),
};

const job = object(
  {
    ...jobSummaryFields,
    bytes: count,
    chunks: object({ total: count, done: count }),
    lineageId: id,
    acceptedNumber: count,
    startedAt: nullable(instant),
    reason: nullable(text),
    next: nullable(text),
    allowed: Type.Array(choice(jobActions)),
    decidedBy: nullable(text),
    traceId: nullable(text),
    targets: Type.Object(
      {},
      {
        additionalProperties: object({
          routed: count,
          delivered: count,
          refused: count,
          dead: count,
          cancelled: count,
          held: count,
          lastRefusal: nullable(object({ batchId: id, code: text, message: nullable(text), tries: count })),
          behindHeld: count,
          behindJob: nullable(id),
          parked: count,
          waitingForWindow: count,
          windowEndsAt: nullable(instant),
          via: Type.Record(text, count),
          heldFor: Type.Array(text),
          heldReasons: Type.Array(object({ code: text, message: nullable(text), next: nullable(text) })),
          answers: nullable(
            object({
              batches: object({ awaited: count, overdue: count, complete: count }),
              accepted: count,
              refused: count,
              pending: count,
              unanswered: count,
            }),
          ),
          blockedKeys: count,
          inFlight: count,
        }),
      },
    ),
    amounts: stageAmounts,
    controlTotals: nullable(named('ControlTotals')),
    reasons: Type.Array(named('Reason')),
    errors: Type.Array(named('FindingGroup')),
    warnings: Type.Array(named('FindingGroup')),
    balanced: nullable(Type.Boolean()),
    hasReceipt: Type.Boolean(),
  },
  { $id: 'Job' },
);

const decisionPreview = object(
  {
    jobId: id,
    state: choice(jobStates),
    allowed: Type.Array(choice(jobActions)),
    version: text,
    reasons: Type.Array(named('Reason')),
    warnings: Type.Array(object({ code: text, message: text })),
    records: object(counts),
    amounts: stageAmounts,
    targets: Type.Array(
      object({
        id: text,
        records: count,
        amounts: named('Amounts'),
        delivered: count,
        withdrawable: object({ records: count, amounts: named('Amounts') }),
        underWay: count,
      }),
    ),
  },
  { $id: 'DecisionPreview' },
);

const finding = object(
  {
    record: count,
    finding: count,
    offset: count,
    severity: choice(['error', 'warn'] as const),
    code: text,
    field: nullable(text),
    rule: nullable(text),
    message: text,
  },
  { $id: 'Finding' },
);

const recordSummaryFields = {
  recordId: text,
  record: count,
  status: choice(['valid', 'rejected', 'filtered'] as const),
  warned: Type.Boolean(),
  offset: count,
  targets: Type.Array(text),
};
const recordFindings = Type.Array(object({ code: text, field: nullable(text), rule: nullable(text), message: text }));

const record = object(
  {
    ...recordSummaryFields,
    type: nullable(text),
    fields: Type.Object({}, { additionalProperties: nullable(text) }),
    findings: recordFindings,
    warnings: recordFindings,
  },
  { $id: 'Record' },
);

export const jobSchemas: readonly TSchema[] = [
  amounts,
  controlTotals,
  reason,
  findingGroup,
  object(jobSummaryFields, { $id: 'JobSummary' }),
  job,
  decisionPreview,
  finding,
  object(recordSummaryFields, { $id: 'RecordSummary' }),
  record,
];
