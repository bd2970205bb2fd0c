/** Failures of the servers where files lie: which are about the server and not about one file, and when each is tried again. */
import { HeadgateError } from '../../platform/base/errors.ts';
import { arrivalErrors } from './arrival-errors.ts';

const ofServer: ReadonlySet<string> = new Set([
  arrivalErrors.E_SOURCE_UNREACHABLE,
  arrivalErrors.E_SOURCE_TIMEOUT,
  arrivalErrors.E_SOURCE_LOST,
  arrivalErrors.E_SOURCE_BUSY,
  arrivalErrors.E_SOURCE_HOST_KEY,
  arrivalErrors.E_SOURCE_CREDENTIALS,
  arrivalErrors.E_SOURCE_ALGORITHMS,
  arrivalErrors.E_SOURCE_ANSWER,
]);

/** The server is of no use now, whatever file it was about. */
export function isOfServer(error: unknown): boolean {
  return error instanceof HeadgateError && ofServer.has(error.code);
}

const failedSourceMs = 5_000;
const serverAgainMsMax = 60_000;
/** Servers lock users out that try a wrong password too often. */
const credentialsAgainMsMax = 300_000;

/** After so many failures in a row, the last one included, until the source is polled again. */
export function againInMs(error: unknown, failures: number): number {
  if (!isOfServer(error)) return failedSourceMs;
  const isRefused = (error as HeadgateError).code === arrivalErrors.E_SOURCE_CREDENTIALS;
  return Math.min(failedSourceMs * 2 ** Math.min(failures - 1, 10), isRefused ? credentialsAgainMsMax : serverAgainMsMax);
}
