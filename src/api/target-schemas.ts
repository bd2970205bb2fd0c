/** What the API says of targets and their breakers, as JSON Schema. */
import { type TSchema, Type } from 'typebox';
import { breakerModes, breakerStates } from '../pipeline/deliveries/breakers/breaker-state.ts';
import { choice, count, instant, nullable, object, text } from './answers.ts';

const targetFields = {
  flow: text,
  targetId: text,
  type: text,
  connection: nullable(text),
  state: choice(breakerStates),
  mode: choice(breakerModes),
  since: nullable(instant),
  reasonCode: nullable(text),
  next: nullable(text),
  nextProbeAt: nullable(instant),
  pausedUntil: nullable(instant),
  concurrency: count,
  parkedBatches: count,
  parkedRecords: count,
  heldBatches: count,
  heldRecords: count,
};

const change = object({
  type: text,
  from: choice(breakerStates),
  to: choice(breakerStates),
  at: instant,
  actor: text,
  code: nullable(text),
  reason: nullable(text),
});

export const targetSchemas: readonly TSchema[] = [
  object(targetFields, { $id: 'TargetSummary' }),
  object({ ...targetFields, changes: Type.Array(change) }, { $id: 'Target' }),
];
