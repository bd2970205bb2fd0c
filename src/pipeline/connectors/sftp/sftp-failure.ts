/** Failures of SFTP as outcomes. Messages name the folder, which is a setting, and no file: their names come from senders. */
import { posix } from 'node:path';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { SftpFailure, type SftpFailureKind } from '../../../platform/sftp/sftp-failure.ts';
import type { DeliveryOutcome } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import type { SftpSettings } from './sftp-settings.ts';

export type FailedOutcome = Exclude<DeliveryOutcome, { kind: 'acked' }>;

const codes: Readonly<Record<SftpFailureKind, string>> = {
  unreachable: connectorErrors.E_TARGET_UNREACHABLE,
  timeout: connectorErrors.E_TARGET_TIMEOUT,
  slow: connectorErrors.E_TARGET_TIMEOUT,
  'host-key': connectorErrors.E_TARGET_HOST_KEY,
  algorithms: connectorErrors.E_TARGET_SETUP,
  credentials: connectorErrors.E_TARGET_FORBIDDEN,
  lost: connectorErrors.E_TARGET_REPLY_LOST,
  answer: connectorErrors.E_TARGET_ANSWER,
  missing: connectorErrors.E_TARGET_SETUP,
  forbidden: connectorErrors.E_TARGET_SETUP,
  failed: connectorErrors.E_TARGET_BUSY,
};

/** `naming`: the server was asked to give the file its name, so that it may have it unless the server said no; `named`: it said that it has it, whatever fails afterwards. */
export type NamingStep = 'before' | 'naming' | 'named';

/** Rethrows what is neither a failure of SFTP nor one of the catalogue. */
export function sftpFailure(
  error: unknown,
  { step, signal, settings }: { step: NamingStep; signal: AbortSignal; settings: Pick<SftpSettings, 'root' | 'path'> },
): FailedOutcome {
  const isUnknown = step === 'named' || (step === 'naming' && !(error instanceof SftpFailure && !error.isOfConnection));
  const outcome = (code: string, message: string, retryable = true): FailedOutcome =>
    isUnknown ? { kind: 'unknown', code, message } : { kind: 'refused', retryable, code, message };
  const folder = posix.join(settings.root, settings.path);
  if (signal.aborted) return outcome(connectorErrors.E_TARGET_TIMEOUT, 'the file was not written in time');
  if (error instanceof HeadgateError) return outcome(error.code, error.message, error.retryable);
  if (!(error instanceof SftpFailure)) throw error;
  if (error.kind === 'missing') return outcome(codes.missing, `the folder "${folder}" or a file in it is not there`);
  if (error.kind === 'forbidden') return outcome(codes.forbidden, `${error.message}, in the folder "${folder}"`);
  // Nothing can have arrived: that the connection ended says only that the server could not be used.
  if (error.kind === 'lost' && !isUnknown) return outcome(connectorErrors.E_TARGET_UNREACHABLE, error.message);
  return outcome(codes[error.kind], error.message);
}
