/**
 * Public keys of users, as `ssh-keygen` writes them into `id_*.pub`. Keys of algorithms that are not trusted any more, or that
 * are too short, are none.
 */
import { Buffer } from 'node:buffer';
import { readHostKeyPin } from './host-keys.ts';

export interface UserKey {
  /** `SHA256:…`. */
  readonly fingerprint: string;
  readonly type: string;
}

const rsaBitsMin = 2_048;

/** Null: no public key of type Ed25519, ECDSA or RSA of 2048 bits at least. */
export function readUserKey(text: string): UserKey | null {
  const pin = readHostKeyPin(text);
  if (pin?.type == null) return null;
  const bytes = Buffer.from(text.split(' ')[1]!, 'base64');
  return pin.type === 'ssh-rsa' && rsaBits(bytes) < rsaBitsMin ? null : { fingerprint: pin.fingerprint, type: pin.type };
}

/** Of `string "ssh-rsa", mpint e, mpint n`; 0 where that is not what there is. */
function rsaBits(key: Buffer): number {
  const parts: Buffer[] = [];
  for (let at = 0; at + 4 <= key.length && parts.length < 3; ) {
    const end = at + 4 + key.readUInt32BE(at);
    parts.push(key.subarray(at + 4, end));
    at = end;
  }
  const modulus = parts[2];
  const first = modulus?.findIndex((byte) => byte !== 0) ?? -1;
  if (modulus === undefined || first < 0) return 0;
  return (modulus.length - first) * 8 - Math.clz32(modulus[first]!) + 24;
}
