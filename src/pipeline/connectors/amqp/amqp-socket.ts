/** The socket below a session: to an address that was judged, with TLS by the name of the connection. */
import { isIP } from 'node:net';
import type { AmqpLogin } from './amqp-session.ts';
import type { AmqpSettings } from './amqp-settings.ts';

export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly servername?: string;
  readonly ca?: string;
}

/** Null: without TLS. */
export function tlsOptions({ tls, host }: AmqpSettings, { certificateAuthority }: AmqpLogin): TlsOptions | null {
  if (tls === 'disable') return null;
  return {
    rejectUnauthorized: tls === 'verify-full',
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(certificateAuthority === null ? {} : { ca: certificateAuthority }),
  };
}
