/** Addresses of services, checked as text before anything is resolved or opened: their protocol, port, and what they may hold. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { EgressPolicy } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';

/** The ports that browsers refuse because other protocols are spoken there (Fetch standard), and databases. */
const otherProtocolPorts = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117,
  119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636,
  989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723, 2049, 3306, 3659, 4045, 4190, 5060, 5061, 5432, 6000, 6379, 6566, 6665, 6666, 6667,
  6668, 6669, 6679, 6697, 9042, 10080, 11211, 27017,
]);

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
  if (url.port !== '' && otherProtocolPorts.has(Number(url.port))) {
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
