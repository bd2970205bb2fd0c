/**
 * Says of a Connection, as far as its text tells, that its tenant's policy closes its address: deliveries to it would be held, and nothing be read from it.
 * Warnings, because a policy may come later; names of hosts are judged whenever they are connected to.
 */
import { isAddressRange, isLiteralAllowed } from '../../../pipeline/connectors/address-guard.ts';
import { connectorErrors } from '../../../pipeline/connectors/connector-errors.ts';
import type { Connection, TenantPolicy } from '../definition.ts';
import type { Path, Report } from '../documents/diagnostics.ts';
import { flowErrors } from '../flow-errors.ts';

export function checkEgress({ spec }: Connection, policy: TenantPolicy | null, report: Report): void {
  if (spec.type === 'folder') return;
  const warn = (code: string, path: Path, message: string): void => report.add({ code, path, message, severity: 'warning', atValue: true });
  const { allowPrivate = [], allowPlain = false } = policy?.spec.egress ?? {};
  const url = spec.type === 'http' ? URL.parse(spec.baseUrl) : null;
  const isPlain = spec.type === 'http' ? url?.protocol === 'http:' : spec.type !== 'sftp' && spec.tls === 'disable';
  const at: Path = ['spec', spec.type === 'http' ? 'baseUrl' : 'host'];
  if (isPlain && !allowPlain)
    warn(
      connectorErrors.E_TARGET,
      spec.type === 'http' ? at : ['spec', 'tls'],
      "connections without TLS need `egress.allowPlain` in the tenant's policy; until then what is delivered here is held",
    );
  const host: string | undefined = spec.type === 'http' ? url?.hostname : spec.host;
  if (host !== undefined && isLiteralAllowed(host, allowPrivate.filter(isAddressRange)) === false)
    warn(
      connectorErrors.E_SSRF,
      at,
      spec.type === 'sftp'
        ? "neither sources nor targets may connect to this address (`egress.allowPrivate` of the tenant's policy); until then nothing is read here, and what is delivered here is held"
        : "targets may not connect to this address (`egress.allowPrivate` of the tenant's policy); until then what is delivered here is held",
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
