/** The answers of the API as JSON Schema. Tests hold every answer they see against these; nothing unknown is in them. */
import { type TSchema, Type } from 'typebox';
import { flowVersionStates } from '../control/flows/applying/flow-views.ts';
import { acknowledgementStates } from '../control/jobs/acknowledging/acknowledgement-state.ts';
import { arrivalStates } from '../pipeline/arrivals/arrival-state.ts';
import { deadLetterCauses } from '../pipeline/deliveries/endings/dead-letter-store.ts';
import { acknowledgementLevels } from '../pipeline/ledger/acknowledgement.ts';
import { receiptSchema } from '../pipeline/ledger/receipt-schema.ts';
import { scopes } from '../platform/access/api-keys.ts';
import { errorActors } from '../platform/base/errors.ts';
import { choice, count, id, instant, named, nullable, object, text } from './answers.ts';
import { batchSchemas } from './batch-schemas.ts';
import { deadLetterSchemas } from './dead-letter-schemas.ts';
import { healthSchemas } from './health-schemas.ts';
import { jobSchemas } from './job-schemas.ts';
import { targetSchemas } from './target-schemas.ts';

const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

const problem = object(
  {
    type: text,
    title: text,
    status: Type.Integer(),
    code: Type.String({ pattern: '^E_[A-Z0-9_]+$' }),
    detail: text,
    traceId: Type.String({ pattern: '^[0-9a-f]{32}$|^$' }),
    retryable: Type.Boolean(),
    errors: Type.Optional(
      Type.Array(
        object({
          code: text,
          message: text,
          path: Type.Optional(text),
          line: Type.Optional(count),
          column: Type.Optional(count),
          severity: Type.Optional(text),
        }),
      ),
    ),
    actor: Type.Optional(choice(errorActors)),
    actions: Type.Optional(Type.Array(text)),
  },
  { $id: 'Problem' },
);

const blockedKey = object(
  {
    deadLetterId: id,
    jobId: id,
    flow: text,
    targetId: text,
    recordNumber: count,
    cause: choice(deadLetterCauses),
    code: text,
    isWholeLane: Type.Boolean(),
    blockedAt: instant,
  },
  { $id: 'BlockedKey' },
);

const fileFields = {
  fileId: id,
  arrivalId: id,
  flow: text,
  name: text,
  bytes: count,
  sha256,
  containerName: text,
  containerSha256: sha256,
  containerArrivalId: nullable(id),
  via: Type.Array(text),
  acceptedNumber: count,
  sameNameAs: nullable(id),
  acceptedAt: instant,
  jobIds: Type.Array(id),
  acknowledgements: Type.Array(
    object({
      level: choice(acknowledgementLevels),
      state: choice(acknowledgementStates),
      name: nullable(text),
      attempts: count,
      reasonCode: nullable(text),
      reason: nullable(text),
    }),
  ),
};
const file = object(fileFields, { $id: 'File' });
const fileDetails = object(
  { ...fileFields, warnings: Type.Array(named('FindingGroup')), skippedLines: object({ blank: count, comments: count }) },
  { $id: 'FileDetails' },
);

const arrival = object(
  {
    arrivalId: id,
    flow: text,
    source: text,
    name: text,
    state: choice(arrivalStates),
    bytes: count,
    sha256: nullable(sha256),
    reasonCode: nullable(text),
    reason: nullable(text),
    next: nullable(text),
    fileId: nullable(id),
    duplicateOf: nullable(id),
    containerArrivalId: nullable(id),
    traceId: nullable(text),
    seenAt: instant,
    changedAt: instant,
  },
  { $id: 'Arrival' },
);

const decidedArrival = object(
  {
    arrivalId: id,
    state: choice(['accepted', 'quarantined'] as const),
    fileId: nullable(id),
    acceptedNumber: nullable(count),
    jobId: nullable(id),
  },
  { $id: 'DecidedArrival' },
);

const taken = { arrivalId: id, sha256, bytes: count };

const acceptedUpload = object(
  {
    state: Type.Literal('accepted'),
    ...taken,
    fileId: id,
    acceptedNumber: count,
    duplicateOf: nullable(id),
    sameNameAs: nullable(id),
    jobId: Type.Optional(id),
  },
  { $id: 'AcceptedUpload' },
);
const unpackedUpload = object(
  {
    state: Type.Literal('unpacked'),
    ...taken,
    members: Type.Array(
      object({
        arrivalId: id,
        name: text,
        state: choice(arrivalStates),
        reasonCode: nullable(text),
        fileId: nullable(id),
        duplicateOf: nullable(id),
        jobId: nullable(id),
      }),
    ),
  },
  { $id: 'UnpackedUpload' },
);
const duplicateUpload = object(
  { state: Type.Literal('duplicate'), ...taken, of: id, jobId: Type.Optional(id) },
  { $id: 'DuplicateUpload' },
);
const undecidedUpload = object(
  { state: choice(['held', 'quarantined'] as const), ...taken, code: text, reason: text, next: text },
  { $id: 'UndecidedUpload' },
);

const flowFields = {
  flowId: id,
  name: text,
  service: text,
  subService: nullable(text),
  enabled: Type.Boolean(),
  version: nullable(text),
  flowVersionId: nullable(id),
  hash: nullable(text),
  createdAt: instant,
};

const flowVersionFields = {
  flowVersionId: id,
  version: text,
  hash: text,
  state: choice(flowVersionStates),
  appliedAt: instant,
  appliedBy: text,
};

const flow = object({ ...flowFields, versions: Type.Array(object(flowVersionFields)) }, { $id: 'Flow' });

const documentChanges = Type.Array(
  object({
    change: choice(['added', 'removed', 'changed', 'moved'] as const),
    path: text,
    before: Type.Optional(Type.Unknown()),
    after: Type.Optional(Type.Unknown()),
  }),
);

const flowHistoryEntry = object(
  { ...flowVersionFields, previous: nullable(text), changes: documentChanges, changeCount: count },
  { $id: 'FlowHistoryEntry' },
);

const documentOutcome = object(
  {
    kind: text,
    name: text,
    version: nullable(text),
    hash: text,
    outcome: text,
    changes: documentChanges,
    warnings: Type.Array(object({ code: text, severity: text, path: text, line: count, column: count, message: text })),
  },
  { $id: 'DocumentOutcome' },
);

const definition = object(
  { kind: text, name: text, revision: count, hash: text, document: Type.Unknown(), appliedAt: instant, appliedBy: text },
  { $id: 'Definition' },
);

const event = object(
  {
    seq: count,
    eventId: id,
    envelopeVersion: count,
    type: text,
    objectId: id,
    from: text,
    to: text,
    actor: text,
    traceId: nullable(text),
    detail: nullable(Type.Object({}, { additionalProperties: true })),
    at: instant,
  },
  { $id: 'Event' },
);

const key = object(
  {
    keyId: id,
    name: text,
    scopes: Type.Array(choice(scopes)),
    createdAt: instant,
    expiresAt: nullable(instant),
    revokedAt: nullable(instant),
  },
  { $id: 'Key' },
);

/** In the order in which the document lists them. */
export const namedSchemas: readonly TSchema[] = [
  problem,
  ...jobSchemas,
  ...batchSchemas,
  ...healthSchemas,
  ...targetSchemas,
  ...deadLetterSchemas,
  blockedKey,
  file,
  fileDetails,
  arrival,
  decidedArrival,
  acceptedUpload,
  unpackedUpload,
  duplicateUpload,
  undecidedUpload,
  object(flowFields, { $id: 'FlowSummary' }),
  flow,
  flowHistoryEntry,
  documentOutcome,
  definition,
  event,
  key,
  { ...receiptSchema, $id: 'Receipt' } as TSchema,
];
