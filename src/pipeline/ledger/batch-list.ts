/**
 * The list of a job's batches as the receipt pins it and the export holds it: canonical NDJSON. A batch is made of byte
 * ranges of output segments, each range whole lines. A divided batch (a partial refusal, a bisection) has children that
 * are made of its lines; only batches that were not divided have an outcome of their own. Where jobs share a batch, each
 * job's list holds its own part of it.
 */
import Type from 'typebox';
import Value from 'typebox/value';
import type { FieldAmounts } from '../engine/chunk.ts';
import { canonicalJson } from './canonical-json.ts';

export interface BatchEntry {
  readonly id: string;
  readonly parentId: string | null;
  /** The target's id in the flow. */
  readonly target: string;
  readonly state: BatchEntryState;
  /** In the order in which they were sent. */
  readonly ranges: readonly SegmentRange[];
  readonly records: number;
  readonly bytes: number;
  /** Of the ranges' bytes, joined. */
  readonly sha256: string;
  /** Of the whole batch as it was sent: more than the ranges where small jobs shared a batch. */
  readonly body: { readonly sha256: string; readonly bytes: number };
  readonly amounts: FieldAmounts;
  /** Attempts that ended unknown: each may have left a duplicate downstream, labelled as one. */
  readonly unknownAttempts: number;
  /** Who decided what became of it and why, where a person said so in place of its target; absent elsewhere. */
  readonly evidence?: string;
}

export type BatchEntryState = 'delivered' | 'refused' | 'dead' | 'cancelled' | 'divided';

/** Whole lines of one chunk's output segment for the batch's target; `end` is exclusive. */
export interface SegmentRange {
  readonly chunk: number;
  readonly start: number;
  readonly end: number;
}

const strict = { additionalProperties: false };
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** UUIDv7. */
const id = Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' });
const entrySchema = Type.Object(
  {
    id,
    parentId: Type.Union([id, Type.Null()]),
    target: Type.String(),
    state: Type.Union([
      Type.Literal('delivered'),
      Type.Literal('refused'),
      Type.Literal('dead'),
      Type.Literal('cancelled'),
      Type.Literal('divided'),
    ]),
    ranges: Type.Array(Type.Object({ chunk: count, start: count, end: count }, strict)),
    records: count,
    bytes: count,
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    amounts: Type.Record(
      Type.String(),
      Type.Object(
        { scale: count, unreadable: count, byCurrency: Type.Record(Type.String(), Type.String({ pattern: '^(0|-?[1-9][0-9]{0,60})$' })) },
        strict,
      ),
    ),
    body: Type.Object({ sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }), bytes: count }, strict),
    unknownAttempts: count,
    evidence: Type.Optional(Type.String({ minLength: 1 })),
  },
  strict,
);

/** Of how a batch's end is known: `key:<id> decided: <reason>`. */
export function isDecidedByPerson(evidence: string | null | undefined): boolean {
  return /^\S+ decided: /.test(evidence ?? '');
}

/** One line, with its line end. Lines are given in ascending order of id. */
export function encodeBatchEntry(entry: BatchEntry): string {
  return `${canonicalJson(entry)}\n`;
}

/** Null when a line is not what `encodeBatchEntry` makes. */
export function decodeBatchEntry(line: string): BatchEntry | null {
  try {
    const value: unknown = JSON.parse(line);
    return Value.Check(entrySchema, value) && canonicalJson(value) === line ? value : null;
  } catch {
    return null;
  }
}
