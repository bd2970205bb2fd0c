/** What every decision of a person brings: a reason in words, whether it is only shown, and an Idempotency-Key. */
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { reasonMax } from '../platform/access/decision-reason.ts';
import { checkKey, hashOfRequest, type KeyedRequest } from '../platform/access/idempotency-keys.ts';
import { line } from './answers.ts';
import { header, headerOf } from './request-headers.ts';

export interface DecisionBody {
  readonly reason: string;
  readonly dryRun: boolean;
}

export const decisionBody = {
  reason: line(reasonMax, 'In words; kept with what is decided.'),
  dryRun: Type.Optional(Type.Boolean({ default: false, description: 'Show what it would affect, and change nothing.' })),
};

export const decisionHeaders = Type.Object({
  'idempotency-key': header(
    'Makes a repeat safe: the same request again under it has the same answer, for seven days. 1 to 255 visible ASCII characters.',
  ),
});

export const decisionProblems = [404, 409, 413, 415, 422];

/**
 * The request's key, with `parts` as what makes it the same request: not the `version` of a dry run, which is a condition of the decision
 * and no part of it. Fails with E_IDEMPOTENCY_KEY.
 */
export function keyedDecision(request: FastifyRequest, parts: readonly (string | null)[]): KeyedRequest | undefined {
  const key = checkKey(headerOf(request, 'idempotency-key'));
  return key === null ? undefined : { scope: 'decisions', key, requestHash: hashOfRequest(parts) };
}
