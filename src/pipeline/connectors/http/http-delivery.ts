/** What one attempt at an http target works with, and what it comes to when nothing was sent. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { DeliveryOutcome, OpenOptions, OutgoingBatch } from '../connector.ts';
import type { LoggedIn } from './http-service.ts';
import type { HttpSettings } from './http-settings.ts';
import { TokenBusy } from './http-tokens.ts';

export interface HttpDelivery {
  readonly settings: HttpSettings;
  readonly options: OpenOptions;
  readonly batch: OutgoingBatch;
  readonly login: LoggedIn;
  /** The same for every request of the attempt, without those of the login. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export function unsentOutcome(error: unknown): Extract<DeliveryOutcome, { kind: 'refused' }> {
  if (!(error instanceof HeadgateError)) throw error;
  const retryAfterMs = error instanceof TokenBusy ? error.retryAfterMs : null;
  return { kind: 'refused', retryable: true, ...(retryAfterMs === null ? {} : { retryAfterMs }), code: error.code, message: error.message };
}
