/** Failures of blob services as outcomes. Messages hold no name of an object: they come from senders. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { BlobFailure, type BlobFailureKind } from '../../../platform/blob/blob-failure.ts';
import type { DeliveryOutcome } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';

export type FailedOutcome = Exclude<DeliveryOutcome, { kind: 'acked' }>;

const codes: Readonly<Record<BlobFailureKind, string>> = {
  unreachable: connectorErrors.E_TARGET_UNREACHABLE,
  timeout: connectorErrors.E_TARGET_TIMEOUT,
  credentials: connectorErrors.E_TARGET_FORBIDDEN,
  busy: connectorErrors.E_TARGET_BUSY,
  answer: connectorErrors.E_TARGET_ANSWER,
  lost: connectorErrors.E_TARGET_REPLY_LOST,
  missing: connectorErrors.E_TARGET_SETUP,
  'container-missing': connectorErrors.E_TARGET_SETUP,
  forbidden: connectorErrors.E_TARGET_SETUP,
  changed: connectorErrors.E_TARGET_BUSY,
  exists: connectorErrors.E_TARGET_CONFLICT,
  failed: connectorErrors.E_TARGET_BUSY,
};

/** After these the service may have the object all the same. */
const uncertain: ReadonlySet<BlobFailureKind> = new Set(['timeout', 'busy', 'answer', 'lost']);

/** `creating`: the service was asked to keep the object; `made`: it said that it does, whatever fails afterwards. */
export type Step = 'before' | 'creating' | 'made';

/** Rethrows what is neither a failure of a service nor one of the catalogue. */
export function blobOutcome(error: unknown, { step, signal }: { readonly step: Step; readonly signal: AbortSignal }): FailedOutcome {
  const failure = error instanceof BlobFailure && error.cause instanceof HeadgateError ? error.cause : error;
  const isCertain = failure instanceof BlobFailure && !uncertain.has(failure.kind);
  const isUnknown = step === 'made' || (step === 'creating' && !isCertain);
  const outcome = (code: string, message: string, retryable = true): FailedOutcome =>
    isUnknown ? { kind: 'unknown', code, message } : { kind: 'refused', retryable, code, message };
  if (signal.aborted) return outcome(connectorErrors.E_TARGET_TIMEOUT, 'the object was not written in time');
  if (failure instanceof HeadgateError) return outcome(failure.code, failure.message, failure.retryable);
  if (!(failure instanceof BlobFailure)) throw error;
  if (failure.kind === 'lost' && !isUnknown) return outcome(connectorErrors.E_TARGET_UNREACHABLE, failure.message);
  return outcome(codes[failure.kind], failure.message);
}
