/** Settings of http connections: how requests are authenticated and signed, and with which certificates. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { EgressPolicy } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { type ConnectorSetting, readSettings } from '../connector-settings.ts';
import { serviceUrl, targetUrl } from './http-url.ts';

export const httpConnectionSettings: readonly ConnectorSetting[] = [
  {
    name: 'baseUrl',
    type: 'text',
    isRequired: true,
    default: null,
    description: 'https address; http where the policy allows plain connections.',
  },
  {
    name: 'auth',
    type: 'object',
    default: null,
    description:
      'none, bearer (token), basic (user, password), header (name, value) or oauth2 (tokenUrl, clientId, clientSecret, and, if needed, scope, audience, clientAuth, certificateAuthority).',
  },
  {
    name: 'signature',
    type: 'object',
    default: null,
    description:
      'HMAC of each request: keyId, secret, scheme (message-signature or timestamp), and for timestamp the names of the headers (signatureHeader, timestampHeader, keyIdHeader).',
  },
  { name: 'certificateAuthority', type: 'secret', default: null, description: 'PEM of the authority that signed the server.' },
  {
    name: 'clientCertificate',
    type: 'secret',
    default: null,
    description: 'PEM of the certificate, and its chain, that is shown to the server.',
  },
  { name: 'clientKey', type: 'secret', default: null, description: 'PEM of the private key of the client certificate.' },
  {
    name: 'healthPath',
    type: 'text',
    default: null,
    description:
      'Path below the base address that answers GET with 2xx while the service is well; without it OPTIONS asks the address of the target.',
  },
];

export interface OauthSettings {
  readonly type: 'oauth2';
  readonly tokenUrl: URL;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string | null;
  readonly audience: string | null;
  readonly clientAuth: 'basic' | 'body';
  /** Of the token endpoint, where it is another than that of the service. */
  readonly certificateAuthority: string | null;
}

/** Secrets are references. */
export type HttpAuth =
  | { readonly type: 'none' }
  | { readonly type: 'bearer'; readonly token: string }
  | { readonly type: 'basic'; readonly user: string; readonly password: string }
  | { readonly type: 'header'; readonly name: string; readonly value: string }
  | OauthSettings;

export interface SignatureSettings {
  readonly scheme: 'message-signature' | 'timestamp';
  readonly keyId: string;
  readonly secret: string;
  readonly signatureHeader: string;
  readonly timestampHeader: string;
  readonly keyIdHeader: string;
}

export interface HttpConnectionSettings {
  readonly baseUrl: string;
  readonly auth: HttpAuth;
  readonly signature: SignatureSettings | null;
  readonly certificateAuthority: string | null;
  /** Both or none. */
  readonly clientCertificate: string | null;
  readonly clientKey: string | null;
  readonly healthUrl: URL | null;
}

/** Fails with E_TARGET, and with E_SSRF for an address of another protocol. */
export function readHttpConnection(given: Readonly<Record<string, unknown>>, egress: EgressPolicy): HttpConnectionSettings {
  const settings = readSettings(httpConnectionSettings, given);
  const text = (name: string) => (settings[name] as string | undefined) ?? null;
  const baseUrl = settings['baseUrl'] as string;
  const healthPath = text('healthPath');
  if ((text('clientCertificate') === null) !== (text('clientKey') === null)) {
    throw new HeadgateError(connectorErrors.E_TARGET, 'clientCertificate and clientKey of the connection go together');
  }
  return {
    baseUrl,
    auth: readAuth(settings['auth'] as Parts | undefined, egress),
    signature: readSignature(settings['signature'] as Parts | undefined),
    certificateAuthority: text('certificateAuthority'),
    clientCertificate: text('clientCertificate'),
    clientKey: text('clientKey'),
    healthUrl: healthPath === null ? null : targetUrl(baseUrl, healthPath, egress),
  };
}

type Parts = Readonly<Record<string, unknown>>;

const authParts = {
  none: [],
  bearer: ['token'],
  basic: ['user', 'password'],
  header: ['name', 'value'],
  oauth2: ['tokenUrl', 'clientId', 'clientSecret'],
} as const;

function readAuth(given: Parts | undefined, egress: EgressPolicy): HttpAuth {
  const auth = given ?? { type: 'none' };
  const type = String(auth['type']);
  const parts = Object.hasOwn(authParts, type) ? authParts[type as keyof typeof authParts] : undefined;
  if (parts === undefined || parts.some((part) => typeof auth[part] !== 'string')) {
    throw new HeadgateError(
      connectorErrors.E_TARGET,
      'the auth of the connection is none of none, bearer, basic, header and oauth2, or lacks a part',
    );
  }
  if (type !== 'oauth2') return auth as unknown as HttpAuth;
  return {
    type: 'oauth2',
    tokenUrl: serviceUrl(auth['tokenUrl'] as string, egress),
    clientId: auth['clientId'] as string,
    clientSecret: auth['clientSecret'] as string,
    scope: optional(auth, 'scope'),
    audience: optional(auth, 'audience'),
    clientAuth: auth['clientAuth'] === 'body' ? 'body' : 'basic',
    certificateAuthority: optional(auth, 'certificateAuthority'),
  };
}

function readSignature(given: Parts | undefined): SignatureSettings | null {
  if (given === undefined) return null;
  const [keyId, secret] = [optional(given, 'keyId'), optional(given, 'secret')];
  if (keyId === null || secret === null) {
    throw new HeadgateError(connectorErrors.E_TARGET, 'the signature of the connection lacks its keyId or secret');
  }
  return {
    scheme: given['scheme'] === 'timestamp' ? 'timestamp' : 'message-signature',
    keyId,
    secret,
    signatureHeader: (optional(given, 'signatureHeader') ?? 'x-signature').toLowerCase(),
    timestampHeader: (optional(given, 'timestampHeader') ?? 'x-timestamp').toLowerCase(),
    keyIdHeader: (optional(given, 'keyIdHeader') ?? 'x-key-id').toLowerCase(),
  };
}

function optional(parts: Parts, name: string): string | null {
  const value = parts[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
