/**
 * Says of a Connection, as far as its text tells, that its tenant's policy closes its address: deliveries to it would be held, and nothing be read from it.
 * Warnings, because a policy may come later; names of hosts are judged whenever they are connected to.
 */
import { isAddressRange, isLiteralAllowed } from '../../../pipeline/connectors/address-guard.ts';
import { connectorErrors } from '../../../pipeline/connectors/connector-errors.ts';
import { isOtherProtocol } from '../../../pipeline/connectors/other-protocols.ts';
import { isBlobConnectionType } from '../../../platform/blob/blob-connection.ts';
import type { Connection, TenantPolicy } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';

export function checkEgress({ spec }: Connection, policy: TenantPolicy | null, report: Report): void {
  if (spec.type === 'folder' || spec.type === 'sftp-server' || spec.type === 'pgp') return;
  const warn = (code: string, path: Path, message: string): void => report.add({ code, path, message, severity: 'warning', atValue: true });
  const { allowPrivate = [], allowPlain = false } = policy?.spec.egress ?? {};
  const url = urlOf(spec);
  const isPlain = url ? url.protocol === 'http:' : 'tls' in spec && spec.tls === 'disable';
  if (isPlain && !allowPlain)
    warn(
      connectorErrors.E_TARGET,
      ['spec', url ? urlKeyOf(spec) : 'tls'],
      "connections without TLS need `egress.allowPlain` in the tenant's policy; until then what is delivered here is held",
    );
  if (spec.type === 'http' && url !== null && isOtherProtocol(url)) warn(connectorErrors.E_SSRF, ['spec', 'baseUrl'], otherProtocolMessage);
  if (spec.type === 'http' && spec.auth?.type === 'oauth2' && spec.auth.tokenUrl !== undefined)
    checkTokenUrl(spec.auth.tokenUrl, { allowPrivate, allowPlain }, warn);
  for (const { host, path } of placesOf(spec, url)) {
    if (isLiteralAllowed(host, allowPrivate.filter(isAddressRange)) !== false) continue;
    warn(
      connectorErrors.E_SSRF,
      path,
      spec.type === 'sftp' || isBlobConnectionType(spec.type)
        ? "neither sources nor targets may connect to this address (`egress.allowPrivate` of the tenant's policy); until then nothing is read here, and what is delivered here is held"
        : "targets may not connect to this address (`egress.allowPrivate` of the tenant's policy); until then what is delivered here is held",
    );
  }
}

/** No policy opens it. */
const otherProtocolMessage =
  'the port belongs to another protocol, and no connection of type http may go there; what is delivered here is held';

function placesOf(
  spec: Exclude<Connection['spec'], { type: 'folder' | 'sftp-server' | 'pgp' }>,
  url: URL | null,
): { readonly host: string; readonly path: Path }[] {
  const known = (host: string | undefined, path: Path) => (host === undefined ? [] : [{ host, path }]);
  if ('host' in spec) return known(spec.host, ['spec', 'host']);
  if (spec.type !== 'kafka') return known(url?.hostname, ['spec', urlKeyOf(spec)]);
  return (spec.brokers ?? []).flatMap((broker, index) => known(broker?.slice(0, broker.lastIndexOf(':')), ['spec', 'brokers', index]));
}

/** Of those that have one; the services' own addresses are public. */
function urlOf(spec: Connection['spec']): URL | null {
  if (spec.type === 'http') return URL.parse(spec.baseUrl);
  return 'endpoint' in spec && spec.endpoint !== undefined ? URL.parse(spec.endpoint) : null;
}

function urlKeyOf(spec: Connection['spec']): 'baseUrl' | 'endpoint' {
  return spec.type === 'http' ? 'baseUrl' : 'endpoint';
}

/** Where tokens come from is connected to as the service is. */
function checkTokenUrl(
  tokenUrl: string,
  { allowPrivate, allowPlain }: { readonly allowPrivate: readonly string[]; readonly allowPlain: boolean },
  warn: (code: string, path: Path, message: string) => void,
): void {
  const url = URL.parse(tokenUrl);
  const path: Path = ['spec', 'auth', 'tokenUrl'];
  if (url?.protocol === 'http:' && !allowPlain)
    warn(
      connectorErrors.E_TARGET,
      path,
      "a token endpoint without TLS needs `egress.allowPlain` in the tenant's policy; until then what is delivered here is held",
    );
  if (url !== null && isOtherProtocol(url)) warn(connectorErrors.E_SSRF, path, otherProtocolMessage);
  if (url !== null && isLiteralAllowed(url.hostname, allowPrivate.filter(isAddressRange)) === false)
    warn(
      connectorErrors.E_SSRF,
      path,
      "no connection may go to this address (`egress.allowPrivate` of the tenant's policy); until then what is delivered here is held",
    );
}

/** Ranges look like ranges by their shape; here they must be some. What could not be read is undefined. */
export function checkRanges({ spec }: TenantPolicy, report: Report): void {
  for (const [index, range] of (spec.egress?.allowPrivate ?? []).entries()) {
    if (range === undefined || isAddressRange(range)) continue;
    report.add({
      code: flowErrors.E_CONFIG_VALUE,
      path: ['spec', 'egress', 'allowPrivate', index],
      message: `spec.egress.allowPrivate[${index}] must be an address range such as 10.1.0.0/16, or 127.0.0.1/32 for one address`,
      atValue: true,
    });
  }
}
