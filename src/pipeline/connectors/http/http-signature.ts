/**
 * Signs requests with a shared secret (HMAC-SHA-256): as HTTP Message Signatures (RFC 9421) over method, address, digest of the
 * body (RFC 9530) and the headers that say what the request is, or in the plain form that many services have made up for
 * themselves: time, method, path and hash of the body. Both are written down in docs/connectors/http.md.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Secret } from '../../../platform/secrets/secret.ts';
import type { SignatureSettings } from './http-connection-settings.ts';

export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body, in hex; null of a request without one. */
  readonly bodySha256: string | null;
}

/** Of these, those that a request has are covered, in this order. */
const coveredHeaders = [
  'content-type',
  'idempotency-key',
  'headgate-batch-id',
  'headgate-job-id',
  'headgate-attempt',
  'headgate-possible-duplicate',
];

const emptySha256 = createHash('sha256').digest('hex');

/** Headers to be added. `nowMs`: wall time, which the service compares with its own. */
export function signatureHeaders(
  settings: SignatureSettings,
  secret: Secret,
  request: SignedRequest,
  nowMs: number,
): Record<string, string> {
  const created = Math.floor(nowMs / 1_000);
  return settings.scheme === 'timestamp'
    ? timestampHeaders(settings, secret, request, created)
    : messageSignatureHeaders(settings, secret, request, created);
}

function messageSignatureHeaders({ keyId }: SignatureSettings, secret: Secret, request: SignedRequest, created: number) {
  const { method, url, bodySha256 } = request;
  const digest: Readonly<Record<string, string>> =
    bodySha256 === null ? {} : { 'content-digest': `sha-256=:${Buffer.from(bodySha256, 'hex').toString('base64')}:` };
  const headers: Readonly<Record<string, string>> = { ...request.headers, ...digest };
  const names = [...Object.keys(digest), ...coveredHeaders.filter((name) => headers[name] !== undefined)];
  const components: readonly (readonly [string, string])[] = [
    ['@method', method],
    ['@target-uri', url.href],
    ...names.map((name) => [name, headers[name]!.trim()] as const),
  ];
  const parameters = `(${components.map(([name]) => `"${name}"`).join(' ')});created=${created};keyid=${quoted(keyId)};alg="hmac-sha256"`;
  const base = [...components, ['@signature-params', parameters]].map(([name, value]) => `"${name}": ${value}`).join('\n');
  return { ...digest, 'signature-input': `headgate=${parameters}`, signature: `headgate=:${hmac(secret, base, 'base64')}:` };
}

/** A string of RFC 9651: the key id is visible ASCII (checked where it is read). */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

function timestampHeaders(settings: SignatureSettings, secret: Secret, request: SignedRequest, created: number) {
  const { method, url, bodySha256 } = request;
  const signed = [created, method, url.pathname + url.search, bodySha256 ?? emptySha256].join('\n');
  return {
    [settings.keyIdHeader]: settings.keyId,
    [settings.timestampHeader]: String(created),
    [settings.signatureHeader]: hmac(secret, signed, 'hex'),
  };
}

function hmac(secret: Secret, text: string, encoding: 'hex' | 'base64'): string {
  return createHmac('sha256', secret.bytes()).update(text).digest(encoding);
}
