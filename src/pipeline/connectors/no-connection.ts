/** Why no connection to a target could be made: the name of the error of a socket or of TLS. Its text names addresses and is left out. */
import { HeadgateError } from '../../platform/base/errors.ts';
import { connectorErrors } from './connector-errors.ts';

export function noConnection(error: unknown): HeadgateError {
  const { code } = error as { code?: unknown };
  const suffix = typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? ` (${code})` : '';
  return new HeadgateError(connectorErrors.E_TARGET_UNREACHABLE, `no connection could be made${suffix}`, { cause: error });
}
