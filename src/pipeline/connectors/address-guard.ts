/**
 * Keeps targets from reaching what tenants must not reach: every address behind a host name is judged at the moment of
 * connecting, and the connection goes to one of exactly those. One forbidden address among them refuses all, so a name
 * that answers differently the second time gains nothing.
 */
import { BlockList, isIP, isIPv4 } from 'node:net';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { EgressPolicy, ResolveHost } from './connector.ts';
import { connectorErrors } from './connector-errors.ts';

/** IANA special-purpose registries (RFC 6890 and its updates), plus multicast and reserved space. */
const forbiddenV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
/** Of global unicast, which is all that is public in IPv6: Teredo and other protocol assignments, documentation, 6to4. */
const forbiddenV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/**
 * Where clouds serve the credentials of a machine (link-local; Alibaba, Azure; AWS, Google, Oracle by IPv6), and what only
 * the own link reaches: no policy opens them.
 */
const neverAllowed = rangesOf([
  '169.254.0.0/16',
  '100.100.100.200/32',
  '168.63.129.16/32',
  'fe80::/10',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
  'fd00:c1::a9fe:a9fe/128',
]);

const forbidden = rangesOf([...forbiddenV4, ...forbiddenV6]);
const globalUnicast = rangesOf(['2000::/3']);

export interface AddressGuard {
  /**
   * Addresses of a host name or literal that may be connected to, at least one. Fails with E_SSRF when any of them is
   * forbidden, and with E_TARGET_UNREACHABLE when there is none.
   */
  addressesOf(host: string): Promise<readonly string[]>;
}

/** Fails with E_TARGET when a range of the policy is none. */
export function createAddressGuard(policy: EgressPolicy, resolveHost: ResolveHost): AddressGuard {
  const allowed = rangesOf(policy.allowPrivate);
  return {
    async addressesOf(host) {
      // URLs write IPv6 literals in brackets; a zone index would choose an interface.
      const name = host.startsWith('[') ? host.slice(1, -1) : host;
      const addresses = isIP(name) === 0 ? await resolve(resolveHost, name) : [name];
      if (addresses.some((address) => !isAllowed(address, allowed))) {
        throw new HeadgateError(connectorErrors.E_SSRF, 'the address behind the target is not one that targets may connect to');
      }
      return addresses;
    },
  };
}

/** Of an address that is written out; null for a name, whose addresses are known when it is connected to. Fails with E_TARGET as the guard does. */
export function isLiteralAllowed(host: string, allowPrivate: readonly string[]): boolean | null {
  const address = host.startsWith('[') ? host.slice(1, -1) : host;
  return isIP(address) === 0 ? null : isAllowed(address, rangesOf(allowPrivate));
}

async function resolve(resolveHost: ResolveHost, name: string): Promise<readonly string[]> {
  let addresses: readonly string[];
  try {
    addresses = await resolveHost(name);
  } catch (cause) {
    throw new HeadgateError(connectorErrors.E_TARGET_UNREACHABLE, 'the host name of the target has no address', { cause });
  }
  if (addresses.length === 0) throw new HeadgateError(connectorErrors.E_TARGET_UNREACHABLE, 'the host name of the target has no address');
  return addresses;
}

function isAllowed(address: string, allowed: BlockList): boolean {
  const judged = embeddedV4(address) ?? address;
  if (isIP(judged) === 0 || isIn(neverAllowed, judged)) return false;
  if (isIn(allowed, judged) || isIn(allowed, address)) return true;
  return isPublic(judged);
}

function isPublic(address: string): boolean {
  return isIPv4(address) ? !isIn(forbidden, address) : isIn(globalUnicast, address) && !isIn(forbidden, address);
}

/** The IPv4 address inside a mapped (::ffff:0:0/96) or translated (64:ff9b::/96) one, which is where packets end. */
function embeddedV4(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined;
  const groups = groupsOf(address);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  const isTranslated = groups[0] === 0x64 && groups[1] === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  if (!isMapped && !isTranslated) return undefined;
  return [groups[6]! >> 8, groups[6]! & 0xff, groups[7]! >> 8, groups[7]! & 0xff].join('.');
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const left = groupList(head);
  const right = tail === undefined ? [] : groupList(tail);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function groupList(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a, b, c, d] = group.split('.').map(Number) as [number, number, number, number];
    return [(a << 8) | b, (c << 8) | d];
  });
}

function isIn(ranges: BlockList, address: string): boolean {
  return ranges.check(address.split('%')[0]!, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/** Of a policy: an address, a slash and a length of the prefix. */
export function isAddressRange(cidr: string): boolean {
  try {
    rangesOf([cidr]);
    return true;
  } catch {
    return false;
  }
}

function rangesOf(cidrs: readonly string[]): BlockList {
  const ranges = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', length = ''] = cidr.split('/');
    try {
      // Without a length it would be everything.
      if (!/^\d{1,3}$/.test(length)) throw new RangeError('no prefix length');
      ranges.addSubnet(address, Number(length), isIPv4(address) ? 'ipv4' : 'ipv6');
    } catch (cause) {
      throw new HeadgateError(connectorErrors.E_TARGET, 'an address range of the policy is not one, such as 10.1.0.0/16', { cause });
    }
  }
  return ranges;
}
