/**
 * Host keys that a connection is pinned to: `SHA256:` and 43 characters of base64, as `ssh-keygen -l` prints them, or a
 * public key, as `ssh-keyscan` does. Keys of algorithms that are not trusted any more are none.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';

export interface HostKeyPin {
  /** `SHA256:…`. */
  readonly fingerprint: string;
  /** As in the key; null where only the fingerprint is given. */
  readonly type: string | null;
}

/** Algorithms of signatures by type of key, best first. */
const signaturesOf: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** Of a key as it is sent, RFC 4253 section 6.6. */
export function fingerprintOf(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** Null: neither a fingerprint nor a public key that is taken. */
export function readHostKeyPin(text: string): HostKeyPin | null {
  const fingerprint = /^SHA256:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=?$/.exec(text);
  if (fingerprint) return { fingerprint: text.replace(/=$/, ''), type: null };
  const key = /^([a-z0-9-]+) ([A-Za-z0-9+/]+={0,2})(?: [^\u0000-\u001f]*)?$/.exec(text);
  if (!key || !Object.hasOwn(signaturesOf, key[1]!)) return null;
  const [, type, base64] = key as unknown as [string, string, string];
  const bytes = Buffer.from(base64, 'base64');
  const isWhole =
    bytes.length > 4 + type.length && bytes.readUInt32BE(0) === type.length && bytes.toString('latin1', 4, 4 + type.length) === type;
  return isWhole ? { fingerprint: fingerprintOf(bytes), type } : null;
}

/** Of the keys that the pins let be shown, in words. */
export function keyTypes(pins: readonly HostKeyPin[]): string {
  const types = pins.map(({ type }) => type);
  return Object.keys(signaturesOf)
    .filter((type) => types.includes(null) || types.includes(type))
    .join(', ');
}

/** Those that the pins leave, so that a server with keys of several types shows one that is pinned. */
export function signatureAlgorithms(pins: readonly HostKeyPin[]): string[] {
  const types = pins.map(({ type }) => type);
  const isOpen = types.includes(null);
  return Object.entries(signaturesOf).flatMap(([type, algorithms]) => (isOpen || types.includes(type) ? algorithms : []));
}
