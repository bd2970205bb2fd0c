/**
 * The shape of a receipt as data: checks what comes from outside before anything believes it, and documents it in the API.
 * Nothing unknown is accepted, so that a verifier never passes over a statement that it does not check.
 */
import Type, { type Static, type TSchema } from 'typebox';
import Value from 'typebox/value';
import { HeadgateError } from '../../platform/base/errors.ts';
import { unpackStepNames, unpackStepsMax } from '../../platform/packing/packings.ts';
import { findingGroupsMax } from '../engine/finding-groups.ts';
import { canonicalJson } from './canonical-json.ts';
import { ledgerErrors } from './ledger-errors.ts';
import type { Receipt } from './receipt.ts';

const strict = { additionalProperties: false };
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const text = Type.String();
const hash = Type.String({ pattern: '^[0-9a-f]{64}$' });
const instant = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?Z$' });
/** UUIDv7. */
const id = Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const segment = Type.Object({ sha256: hash, bytes: count }, strict);
const file = Type.Object({ name: text, sha256: hash, bytes: count }, strict);
const via = Type.Array(Type.Union(unpackStepNames.map((step) => Type.Literal(step))), { maxItems: unpackStepsMax });
const recordCounts = Type.Object({ read: count, valid: count, rejected: count, filtered: count }, strict);
const amounts = Type.Record(
  Type.String(),
  Type.Object(
    {
      scale: Type.Integer({ minimum: 0, maximum: 38 }),
      unreadable: count,
      byCurrency: Type.Record(Type.String({ pattern: '^[A-Z]{3}$' }), Type.String({ pattern: '^(0|-?[1-9][0-9]{0,60})$' })),
    },
    strict,
  ),
);
const stage = Type.Object({ records: count, amounts }, strict);
const findingGroup = Type.Object(
  { code: text, field: nullable(text), rule: nullable(text), count, firstOffset: count, message: text },
  strict,
);

const decision = Type.Object(
  {
    kind: Type.Union([Type.Literal('release'), Type.Literal('reject'), Type.Literal('cancel')]),
    reason: Type.String({ pattern: '\\S' }),
    actor: Type.String({ pattern: '\\S' }),
    eventId: id,
    at: instant,
  },
  strict,
);

const redrive = Type.Object(
  {
    id,
    ofJobId: id,
    targets: nullable(Type.Array(text, { minItems: 1 })),
    records: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    repair: nullable(Type.Record(text, text)),
    possibleDuplicate: Type.Boolean(),
    reason: Type.String({ pattern: '\\S' }),
    actor: Type.String({ pattern: '\\S' }),
  },
  strict,
);

const chunk = Type.Object(
  {
    number: count,
    start: count,
    end: count,
    firstRecord: count,
    context: Type.Object({ version: Type.Literal(1), columns: nullable(Type.Array(text)) }, strict),
    records: recordCounts,
    outcomes: segment,
    rejections: nullable(segment),
    outputs: Type.Array(nullable(segment)),
  },
  strict,
);

export const receiptSchema = Type.Object(
  {
    receiptVersion: Type.Literal(1),
    cell: text,
    region: text,
    tenant: Type.Object({ id, name: text }, strict),
    job: Type.Object(
      {
        id,
        lineageId: id,
        state: Type.Union([
          Type.Literal('completed'),
          Type.Literal('completed_with_failures'),
          Type.Literal('rejected'),
          Type.Literal('cancelled'),
        ]),
        verdict: Type.Union([Type.Literal('accepted'), Type.Literal('partial'), Type.Literal('rejected'), Type.Literal('cancelled')]),
        checked: Type.Boolean(),
        decision: nullable(decision),
        redrive: Type.Optional(redrive),
      },
      strict,
    ),
    reasons: Type.Array(
      Type.Object(
        { verdict: Type.Union([Type.Literal('held'), Type.Literal('rejected')]), code: text, rule: nullable(text), message: text },
        strict,
      ),
    ),
    flow: Type.Object(
      {
        tenant: text,
        service: text,
        subService: nullable(text),
        name: text,
        version: text,
        hash: Type.String({ pattern: '^sha256:[0-9a-f]{64}$' }),
      },
      strict,
    ),
    definition: segment,
    environment: Type.Object({ name: text, hash: text }, strict),
    versions: Type.Object(
      { headgate: text, kernel: text, code: text, codec: text, referenceData: Type.Record(Type.String(), text) },
      strict,
    ),
    file: Type.Object({ container: file, via, member: file }, strict),
    records: recordCounts,
    warned: count,
    excluded: count,
    amounts: Type.Object({ read: amounts, valid: amounts, rejected: amounts, filtered: amounts }, strict),
    targets: Type.Array(Type.Object({ id: text, routed: stage, delivered: stage, refused: stage, dead: stage, cancelled: stage }, strict)),
    controlTotals: Type.Object(
      {
        declared: Type.Record(Type.String(), nullable(text)),
        computed: Type.Record(Type.String(), text),
        balanced: nullable(Type.Boolean()),
      },
      strict,
    ),
    errors: Type.Array(findingGroup, { maxItems: findingGroupsMax }),
    warnings: Type.Array(findingGroup, { maxItems: findingGroupsMax }),
    chunks: Type.Array(chunk),
    exclusions: nullable(segment),
    batches: Type.Object({ sha256: hash, bytes: count, count }, strict),
    times: Type.Object({ acceptedAt: instant, startedAt: instant, closedAt: instant }, strict),
  },
  { ...strict, title: 'Receipt' },
);

/** Fails with E_RECEIPT_FORMAT unless the bytes are the canonical form of a receipt of a version known here. */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  const value = parse(bytes);
  if (!Value.Check(receiptSchema, value)) {
    const first = Value.Errors(receiptSchema, value)[0];
    throw new HeadgateError(
      ledgerErrors.E_RECEIPT_FORMAT,
      `not a receipt of version 1: ${first?.instancePath ?? ''} ${first?.message ?? ''}`,
    );
  }
  const receipt: Static<typeof receiptSchema> = value;
  if (!Buffer.from(canonicalJson(receipt)).equals(bytes))
    throw new HeadgateError(ledgerErrors.E_RECEIPT_FORMAT, 'the receipt is not in canonical form');
  return receipt;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new HeadgateError(ledgerErrors.E_RECEIPT_FORMAT, 'the receipt is not JSON', { cause });
  }
}
