/**
 * The errors of both AMQP clients and of the sockets below them, translated once. Texts of brokers are left out; only names of
 * codes are kept, and the queue and virtual host are named as the settings do.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { connectorErrors } from '../connector-errors.ts';
import type { AmqpSettings } from './amqp-settings.ts';

/** Of anything that ends a session or keeps it from being opened. */
export function sessionFailure(error: unknown, { queue, vhost }: Pick<AmqpSettings, 'queue' | 'vhost'>): HeadgateError {
  if (error instanceof HeadgateError) return error;
  const name = nameOf(error);
  const code = codeOf(name);
  const suffix = name === '' ? '' : ` (${name})`;
  const sentence =
    code === connectorErrors.E_TARGET_SETUP
      ? `the broker has no queue "${queue}" or no virtual host "${vhost}", or does not speak this protocol`
      : (sentences[code] ?? 'the connection ended');
  return new HeadgateError(code, sentence + suffix, { cause: error });
}

const sentences: Readonly<Record<string, string>> = {
  [connectorErrors.E_TARGET_FORBIDDEN]: 'the broker refused the credentials or the rights of the connection',
  [connectorErrors.E_TARGET_BUSY]: 'the broker asks to be left alone for a while',
  [connectorErrors.E_TARGET_TIMEOUT]: 'the broker did not answer in time',
};

/** The reply code of AMQP 0-9-1, the condition of AMQP 1.0, or the code of a socket or of TLS; empty where there is none. */
export function nameOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { code, condition } = error as { code?: unknown; condition?: unknown };
  const name = typeof condition === 'string' ? condition : code;
  return typeof name === 'string' && /^[A-Za-z0-9_:.-]{1,60}$/.test(name) ? name : '';
}

function codeOf(name: string): string {
  switch (name) {
    case 'ACCESS_REFUSED':
    case 'amqp:unauthorized-access':
      return connectorErrors.E_TARGET_FORBIDDEN;
    case 'NOT_FOUND':
    case 'NOT_ALLOWED':
    case 'RESOURCE_LOCKED':
    case 'PRECONDITION_FAILED':
    case 'NOT_IMPLEMENTED':
    case 'INVALID_PATH':
    case 'VERSION_MISMATCH':
    case 'amqp:not-found':
    case 'amqp:resource-deleted':
    case 'amqp:not-allowed':
    case 'amqp:invalid-field':
    case 'amqp:not-implemented':
    case 'amqp:precondition-failed':
    case 'amqp:resource-locked':
      return connectorErrors.E_TARGET_SETUP;
    case 'RESOURCE_ERROR':
    case 'INTERNAL_ERROR':
    case 'CONTENT_TOO_LARGE':
    case 'amqp:resource-limit-exceeded':
    case 'amqp:internal-error':
      return connectorErrors.E_TARGET_BUSY;
    case 'ETIMEDOUT':
    case 'CONNECTION_TIMEOUT':
    case 'SOCKET_TIMEOUT':
    case 'TIMEOUT':
      return connectorErrors.E_TARGET_TIMEOUT;
    default:
      // CONNECTION_FORCED and amqp:connection:forced (a broker that stops), sockets, TLS, and what later versions bring.
      return connectorErrors.E_TARGET_UNREACHABLE;
  }
}
