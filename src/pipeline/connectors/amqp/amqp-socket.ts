/** The socket below a session: to an address that was judged, with TLS by the name of the connection. */
import { connect, isIP, type Socket } from 'node:net';
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

/** The connection below TLS, which is for the caller to reset. Its errors are those of the socket above it. */
export function openBelowTls(place: { readonly host: string; readonly port: number }): Socket {
  const socket = connect({ ...place, noDelay: true });
  socket.on('error', () => {});
  return socket;
}

/**
 * Ends a connection by a reset: what was sent and not read is dropped. Behind an orderly end a broker that is short of memory or
 * disk would still take it once it is well again.
 */
export function reset(socket: Socket): void {
  if (socket.connecting || socket.destroyed) socket.destroy();
  else socket.resetAndDestroy();
}
