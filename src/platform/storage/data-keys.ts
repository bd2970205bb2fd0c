/**
 * The key hierarchy: master key (versioned) → tenant key (derived, HKDF-SHA-256) → a fresh random data key per object,
 * wrapped under the tenant key with the object's identity authenticated. The wrapped key lives in the row that owns the
 * object; erasing it there makes the bytes unreadable. For a member of a pack it also says where the member lies.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { HeadgateError } from '../base/errors.ts';
import type { Rng } from '../base/ports.ts';
import { keyErrors } from './key-errors.ts';

export const dataKeyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const gcm = { authTagLength: tagBytes };
/** Derived tenant keys kept in memory. */
const cachedTenantsMax = 1024;

/** Plain data, so that a worker thread can be given it. */
export interface MasterKey {
  readonly version: number;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
}

export interface KeyRing {
  /** New objects are sealed under it: the highest version. */
  readonly currentVersion: number;
  /** Fails with E_KEY_VERSION. */
  tenantKey(tenantId: string, version: number): Uint8Array;
}

/** Where the sealed bytes lie inside a shared stored object. */
export interface PackPosition {
  readonly offset: number;
  readonly bytes: number;
  /** Size of the whole stored object, so that an extended one is noticed. */
  readonly packBytes: number;
}

export interface ObjectKeyIdentity {
  readonly tenantId: string;
  readonly objectId: string;
}

/** Fails with E_KEY_FORMAT for keys that are not 32 bytes or versions that repeat. */
export function createKeyRing(keys: readonly MasterKey[]): KeyRing {
  const byVersion = new Map(keys.map((key) => [key.version, key.bytes]));
  const isSound = (key: MasterKey) =>
    key.bytes.length === dataKeyBytes && Number.isInteger(key.version) && key.version > 0 && key.version < 2 ** 32;
  if (keys.length === 0 || byVersion.size !== keys.length || !keys.every(isSound)) {
    throw new HeadgateError(keyErrors.E_KEY_FORMAT, 'master keys must be 32 bytes each, with distinct versions from 1');
  }
  const derived = new Map<string, Uint8Array>();
  return {
    currentVersion: Math.max(...byVersion.keys()),
    tenantKey(tenantId, version) {
      const name = `${version}/${tenantId}`;
      const known = derived.get(name);
      if (known !== undefined) return known;
      const master = byVersion.get(version);
      if (master === undefined) throw new HeadgateError(keyErrors.E_KEY_VERSION, `master key version ${version} is not configured`);
      const key = new Uint8Array(hkdfSync('sha256', master, 'headgate tenant key v1', tenantId, dataKeyBytes));
      if (derived.size >= cachedTenantsMax) derived.clear();
      derived.set(name, key);
      return key;
    },
  };
}

/** Base64 of: format (1 whole object, 2 pack member), key version, [position], nonce, wrapped key, tag. */
export function wrapDataKey(
  ring: KeyRing,
  rng: Rng,
  identity: ObjectKeyIdentity,
  dataKey: Uint8Array,
  position: PackPosition | null,
): string {
  const head = wrapHead(ring.currentVersion, position);
  const nonce = rng.bytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', ring.tenantKey(identity.tenantId, ring.currentVersion), nonce, gcm);
  cipher.setAAD(wrapContext(head, identity));
  const wrapped = Buffer.concat([cipher.update(dataKey), cipher.final()]);
  return Buffer.concat([head, nonce, wrapped, cipher.getAuthTag()]).toString('base64');
}

/** Fails with E_KEY_ERASED for an empty text, E_KEY_VERSION, and E_KEY for a key of another tenant, object or master key. */
export function unwrapDataKey(
  ring: KeyRing,
  identity: ObjectKeyIdentity,
  wrappedKey: string,
): { dataKey: Uint8Array; position: PackPosition | null } {
  if (wrappedKey === '') throw new HeadgateError(keyErrors.E_KEY_ERASED, `the data key of object ${identity.objectId} was erased`);
  const bytes = Buffer.from(wrappedKey, 'base64');
  const headBytes = bytes[0] === 1 ? 5 : bytes[0] === 2 ? 29 : 0;
  if (headBytes === 0 || bytes.length !== headBytes + nonceBytes + dataKeyBytes + tagBytes) throw cannotUnwrap(identity);
  const head = bytes.subarray(0, headBytes);
  const body = bytes.subarray(headBytes);
  const decipher = createDecipheriv(
    'aes-256-gcm',
    ring.tenantKey(identity.tenantId, head.readUInt32BE(1)),
    body.subarray(0, nonceBytes),
    gcm,
  );
  decipher.setAAD(wrapContext(head, identity));
  decipher.setAuthTag(body.subarray(nonceBytes + dataKeyBytes));
  try {
    const dataKey = Buffer.concat([decipher.update(body.subarray(nonceBytes, nonceBytes + dataKeyBytes)), decipher.final()]);
    return { dataKey, position: headBytes === 5 ? null : readPosition(head) };
  } catch {
    throw cannotUnwrap(identity);
  }
}

function wrapHead(version: number, position: PackPosition | null): Buffer {
  const head = Buffer.alloc(position === null ? 5 : 29);
  head[0] = position === null ? 1 : 2;
  head.writeUInt32BE(version, 1);
  if (position !== null) {
    head.writeBigUInt64BE(BigInt(position.offset), 5);
    head.writeBigUInt64BE(BigInt(position.bytes), 13);
    head.writeBigUInt64BE(BigInt(position.packBytes), 21);
  }
  return head;
}

function readPosition(head: Buffer): PackPosition {
  return { offset: Number(head.readBigUInt64BE(5)), bytes: Number(head.readBigUInt64BE(13)), packBytes: Number(head.readBigUInt64BE(21)) };
}

function wrapContext(head: Buffer, identity: ObjectKeyIdentity): Buffer {
  return Buffer.concat([Buffer.from('headgate data key\0'), head, Buffer.from(`${identity.tenantId}\0${identity.objectId}`)]);
}

function cannotUnwrap(identity: ObjectKeyIdentity): HeadgateError {
  return new HeadgateError(keyErrors.E_KEY, `the data key of object ${identity.objectId} cannot be unwrapped`);
}
