/** Addresses of services, checked as text before anything is resolved or opened: their protocol, port, and what they may hold. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { EgressPolicy } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { isOtherProtocol } from '../other-protocols.ts';

/** Of a service. Fails with E_TARGET, and with E_SSRF for an address of another protocol. */
export function serviceUrl(address: string, egress: EgressPolicy): URL {
  const url = parseUrl(address);
  const isPlain = url.protocol === 'http:';
  if (url.protocol !== 'https:' && !isPlain) throw new HeadgateError(connectorErrors.E_SSRF, 'a target address begins with https://');
  if (isPlain && !egress.allowPlain) {
    throw new HeadgateError(connectorErrors.E_TARGET, "http without TLS needs `egress.allowPlain` in the tenant's policy");
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new HeadgateError(connectorErrors.E_TARGET, 'a base address holds no user, query or fragment');
  }
  if (isOtherProtocol(url)) {
    throw new HeadgateError(connectorErrors.E_SSRF, 'the port of the target belongs to another protocol');
  }
  return url;
}

/** Base address and path joined as text, then parsed and compared: a path can't lead to another origin. */
export function targetUrl(baseUrl: string, path: string, egress: EgressPolicy): URL {
  const base = serviceUrl(baseUrl, egress);
  if (!/^\/(?!\/)/.test(path)) throw new HeadgateError(connectorErrors.E_TARGET, 'the path of the target begins with one /');
  const url = parseUrl(base.origin + base.pathname.replace(/\/$/, '') + path);
  const isBelow = url.pathname.startsWith(base.pathname.replace(/\/$/, ''));
  if (url.origin !== base.origin || !isBelow || url.search !== '' || url.hash !== '' || path.includes('\\')) {
    throw new HeadgateError(connectorErrors.E_TARGET, 'the path of the target leads out of its base address');
  }
  return url;
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw new HeadgateError(connectorErrors.E_TARGET, 'the address of the target is no URL');
  return url;
}
