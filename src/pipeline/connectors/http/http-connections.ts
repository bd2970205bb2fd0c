/**
 * Makes connections for requests: to addresses that the guard lets through at that moment, with the certificates of the
 * connection, and, over TLS 1.3, not used before the server has had its look at them.
 */
import { isIP } from 'node:net';
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { AddressGuard } from '../address-guard.ts';
import { connectorErrors } from '../connector-errors.ts';
import { withoutInterimAnswers } from './http-interim.ts';

/** PEM; null for the public authorities, and where no certificate is shown. */
export interface Certificates {
  readonly authority: string | null;
  readonly client: { readonly certificate: string; readonly key: string } | null;
}

/** Before a connection is made, so that it is told from a server that can't be reached. */
export function assertUsable({ authority, client }: Certificates): void {
  const part = (options: SecureContextOptions, what: string) => {
    try {
      createSecureContext(options);
    } catch {
      // What the library says of it may quote it.
      throw new HeadgateError(connectorErrors.E_TARGET, `${what} of the connection can not be used: PEM is expected`);
    }
  };
  if (authority !== null) part({ ca: authority }, 'the certificateAuthority');
  if (client !== null) part({ cert: client.certificate, key: client.key }, 'clientCertificate and clientKey, one of the other,');
}

/** Judges the addresses anew for every connection and tries them in order. */
export function guardedConnector(guard: AddressGuard, timeoutMs: number, { authority, client }: Certificates): buildConnector.connector {
  const connect = buildConnector({
    timeout: timeoutMs,
    ...(authority === null ? {} : { ca: authority }),
    ...(client === null ? {} : { cert: client.certificate, key: client.key }),
  });
  return (options, callback) => {
    const name = options.hostname.startsWith('[') ? options.hostname.slice(1, -1) : options.hostname;
    const servername = isIP(name) === 0 ? name : undefined;
    const tryNext = (addresses: readonly string[], at: number) => {
      connect({ ...options, hostname: addresses[at]!, servername }, (error, socket) => {
        if (error && at + 1 < addresses.length) tryNext(addresses, at + 1);
        else if (error) callback(error, null);
        else whenJudged(withoutInterimAnswers(socket!), callback);
      });
    };
    guard.addressesOf(options.hostname).then(
      (addresses) => tryNext(addresses, 0),
      (error: Error) => callback(error, null),
    );
  };
}

/** For servers that send no tickets. */
const ticketMs = 250;

/**
 * With TLS 1.3 a client is done before the server has looked at its certificate, or at the lack of one. What comes next, a ticket or
 * an alert, tells what it found, before a request is sent whose fate nobody would know.
 */
function whenJudged(socket: NonNullable<Parameters<buildConnector.Callback>[1]>, callback: buildConnector.Callback): void {
  if (!(socket instanceof TLSSocket) || socket.getProtocol() !== 'TLSv1.3') return void callback(null, socket);
  const listeners = {
    session: () => judged(null),
    timeout: () => judged(null),
    // Nothing is read before; this makes an end be seen.
    readable: () => void socket.read(0),
    end: () => judged(new HeadgateError(connectorErrors.E_TARGET_UNREACHABLE, 'the server ended the connection right after the handshake')),
    error: (error: Error) =>
      judged(
        isCertificateRefused(error)
          ? new HeadgateError(connectorErrors.E_TARGET_FORBIDDEN, 'the server refused the client certificate, or wants one', {
              cause: error,
            })
          : error,
      ),
  };
  function judged(error: Error | null): void {
    socket.setTimeout(0);
    for (const [event, listener] of Object.entries(listeners)) socket.off(event, listener);
    if (error === null) return void callback(null, socket);
    socket.on('error', () => {}).destroy();
    callback(error, null);
  }
  for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
  socket.setTimeout(ticketMs);
}

/** Alerts of TLS (RFC 8446, section 6.2) about the certificate that was shown, or was not. */
const certificateAlerts =
  /^ERR_SSL_(?:SSLV3|TLSV1|TLSV13)_ALERT_(?:NO_CERTIFICATE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(?:REVOKED|EXPIRED|UNKNOWN|REQUIRED)|UNKNOWN_CA|ACCESS_DENIED)$/;

function isCertificateRefused(error: Error): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && certificateAlerts.test(code);
}
