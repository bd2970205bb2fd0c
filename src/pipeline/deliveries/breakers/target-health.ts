/** What the outcome of an attempt says about its target. Pure. */
import type { DeliveryOutcome } from '../../connectors/connector.ts';
import { connectorErrors } from '../../connectors/connector-errors.ts';
import { deliveryErrors } from '../delivery-errors.ts';
import { isConfigurationFault } from '../held/configuration-codes.ts';

/** `nothing`: it is about settings or about ourselves. */
export type Health =
  | { readonly kind: 'success' }
  | { readonly kind: 'failure'; readonly code: string; readonly pauseMs: number }
  | { readonly kind: 'nothing' };

const nothing: Health = { kind: 'nothing' };
const success: Health = { kind: 'success' };
const ownCodes: readonly string[] = [
  deliveryErrors.E_ATTEMPT_ABANDONED,
  connectorErrors.E_TARGET_ORDER,
  // It answers, and knows of the request.
  connectorErrors.E_TARGET_UNDECIDED,
];

/** A refusal of records is an answer like any other. One that was asked to be sent again, lost or not understood is a failure. */
export function healthOf(
  outcome: DeliveryOutcome,
  { records, isUnreadable }: { readonly records: number; readonly isUnreadable: boolean },
): Health {
  if (isUnreadable) return nothing;
  switch (outcome.kind) {
    case 'acked': {
      const failed = (outcome.perRecord ?? []).filter(({ status }) => status !== 'refused');
      return failed.length < records ? success : failureOf(failed[0]!.code, 0);
    }
    case 'refused':
      if (isConfigurationFault(outcome.code)) return nothing;
      return outcome.retryable ? failureOf(outcome.code, outcome.retryAfterMs ?? 0) : success;
    case 'unknown':
      return failureOf(outcome.code, outcome.retryAfterMs ?? 0);
  }
}

function failureOf(code: string, pauseMs: number): Health {
  return isConfigurationFault(code) || ownCodes.includes(code) ? nothing : { kind: 'failure', code, pauseMs };
}
