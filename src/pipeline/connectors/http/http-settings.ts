/** Settings of http targets and connections, read once when a target is opened. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { EgressPolicy, OpenOptions } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { type ConnectorSetting, readSettings } from '../connector-settings.ts';

export const httpTargetSettings: readonly ConnectorSetting[] = [
  { name: 'path', type: 'text', default: '/', description: "Path below the connection's base address." },
  { name: 'method', type: 'choice', choices: ['POST', 'PUT'], default: 'POST', description: 'HTTP method.' },
  {
    name: 'mode',
    type: 'choice',
    choices: ['batch', 'single'],
    default: 'batch',
    description: 'One request for a batch, or one for each record.',
  },
  {
    name: 'envelope',
    type: 'choice',
    choices: ['none', 'json-array'],
    default: 'none',
    description: 'batch: the records line by line, or as one JSON array.',
  },
  {
    name: 'idempotencyKey',
    type: 'text',
    default: null,
    description: 'single: the output field (`out.name`) that is the Idempotency-Key; else the delivery key is.',
  },
  {
    name: 'requestsInFlight',
    type: 'integer',
    default: 8,
    description: 'single: requests at the same time for one batch; always 1 where order is kept.',
  },
];

export const httpConnectionSettings: readonly ConnectorSetting[] = [
  {
    name: 'baseUrl',
    type: 'text',
    isRequired: true,
    default: null,
    description: 'https address; http where the policy allows plain connections.',
  },
  { name: 'auth', type: 'object', default: null, description: 'none, bearer (token), basic (user, password) or header (name, value).' },
  { name: 'certificateAuthority', type: 'secret', default: null, description: 'PEM of the authority that signed the server.' },
];

export type HttpAuth =
  | { readonly type: 'none' }
  | { readonly type: 'bearer'; readonly token: string }
  | { readonly type: 'basic'; readonly user: string; readonly password: string }
  | { readonly type: 'header'; readonly name: string; readonly value: string };

export interface HttpSettings {
  readonly url: URL;
  readonly method: 'POST' | 'PUT';
  readonly mode: 'batch' | 'single';
  readonly envelope: 'none' | 'json-array';
  /** Name of an output field. */
  readonly idempotencyField: string | null;
  readonly requestsInFlight: number;
  readonly auth: HttpAuth;
  readonly certificateAuthority: string | null;
}

/** The ports that browsers refuse because other protocols are spoken there (Fetch standard), and databases. */
const otherProtocolPorts = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117,
  119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636,
  989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723, 2049, 3306, 3659, 4045, 4190, 5060, 5061, 5432, 6000, 6379, 6566, 6665, 6666, 6667,
  6668, 6669, 6679, 6697, 9042, 10080, 11211, 27017,
]);

/** Fails with E_TARGET, and with E_SSRF for an address of another protocol. */
export function readHttpSettings(options: Pick<OpenOptions, 'target' | 'connection' | 'egress'>): HttpSettings {
  const target = readSettings(httpTargetSettings, options.target.settings);
  const connection = readSettings(httpConnectionSettings, options.connection.settings);
  const isSingle = target['mode'] === 'single';
  if (isSingle && options.target.body.format !== 'ndjson') {
    throw new HeadgateError(connectorErrors.E_TARGET, 'single requests need a body of format ndjson');
  }
  if (target['envelope'] === 'json-array' && (isSingle || options.target.body.format !== 'ndjson')) {
    throw new HeadgateError(connectorErrors.E_TARGET, 'a JSON array needs mode batch and a body of format ndjson');
  }
  return {
    url: targetUrl(connection['baseUrl'] as string, target['path'] as string, options.egress),
    method: target['method'] as 'POST' | 'PUT',
    mode: target['mode'] as 'batch' | 'single',
    envelope: target['envelope'] as 'none' | 'json-array',
    idempotencyField: fieldOf(target['idempotencyKey'] as string | undefined),
    requestsInFlight: options.target.order === 'none' ? Math.max(1, Math.min(64, target['requestsInFlight'] as number)) : 1,
    auth: readAuth(connection['auth'] as Record<string, unknown> | undefined),
    certificateAuthority: (connection['certificateAuthority'] as string | undefined) ?? null,
  };
}

/** Base address and path joined as text, then parsed and compared: a path can't lead to another origin. */
export function targetUrl(baseUrl: string, path: string, egress: EgressPolicy): URL {
  const base = parseUrl(baseUrl);
  const isPlain = base.protocol === 'http:';
  if (base.protocol !== 'https:' && !isPlain) throw new HeadgateError(connectorErrors.E_SSRF, 'a target address begins with https://');
  if (isPlain && !egress.allowPlain) {
    throw new HeadgateError(connectorErrors.E_TARGET, "http without TLS needs `egress.allowPlain` in the tenant's policy");
  }
  if (base.username !== '' || base.password !== '' || base.search !== '' || base.hash !== '') {
    throw new HeadgateError(connectorErrors.E_TARGET, 'a base address holds no user, query or fragment');
  }
  if (base.port !== '' && otherProtocolPorts.has(Number(base.port))) {
    throw new HeadgateError(connectorErrors.E_SSRF, 'the port of the target belongs to another protocol');
  }
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

function fieldOf(reference: string | undefined): string | null {
  return reference === undefined ? null : reference.replace(/^out\./, '');
}

const authParts = { none: [], bearer: ['token'], basic: ['user', 'password'], header: ['name', 'value'] } as const;

function readAuth(given: Record<string, unknown> | undefined): HttpAuth {
  const auth = given ?? { type: 'none' };
  const parts = Object.hasOwn(authParts, String(auth['type'])) ? authParts[auth['type'] as keyof typeof authParts] : undefined;
  if (parts === undefined || parts.some((part) => typeof auth[part] !== 'string')) {
    throw new HeadgateError(
      connectorErrors.E_TARGET,
      'the auth of the connection is none of none, bearer, basic and header, or lacks a part',
    );
  }
  return auth as unknown as HttpAuth;
}
