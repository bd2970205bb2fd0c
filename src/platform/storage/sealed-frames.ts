/**
 * The sealed format, version 1: header | frames | footer. Each frame is 256 KiB of plaintext (the last one less, maybe
 * empty) under AES-256-GCM with the object's own data key. The nonce is the frame's number; tenant, object, format,
 * number and "last" are authenticated, so a frame that is flipped, moved, dropped, repeated or put into another object
 * does not open. The footer seals the index: size and hash. Frames are equal in size, so the index needs no offsets.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { freeBytes } from '../base/freed-bytes.ts';
import type { ObjectKeyIdentity } from './data-keys.ts';

export const frameBytes = 256 * 1024;
export const tagBytes = 16;
export const headerBytes = 8;
/** Plaintext of the footer: size (8), frames (8), SHA-256 (32). */
const indexBytes = 48;
export const footerBytes = indexBytes + tagBytes;

/** Small enough that the runtime reuses its buffers; measured: twice as fast as whole frames. */
const pieceBytes = 64 * 1024;
const formatVersion = 1;
const header = Buffer.from([0x48, 0x47, 0x53, 0x45, 0x41, 0x4c, formatVersion, Math.log2(frameBytes)]);

export interface SealedIndex {
  readonly bytes: number;
  readonly sha256: string;
}

/** Frames of an object of this size: at least one, so that an empty object is authenticated too. */
export function frameCount(plaintextBytes: number): number {
  return Math.max(1, Math.ceil(plaintextBytes / frameBytes));
}

export function sealedBytes(plaintextBytes: number): number {
  return headerBytes + plaintextBytes + frameCount(plaintextBytes) * tagBytes + footerBytes;
}

export function sealedHeader(): Uint8Array {
  return header;
}

export function isSealedHeader(bytes: Uint8Array): boolean {
  return header.equals(bytes.subarray(0, headerBytes));
}

export interface FrameCipher {
  /** Writes ciphertext and tag at `into[0…]`; returns their length. */
  seal(frame: number, isLast: boolean, plaintext: Uint8Array, into: Uint8Array): number;
  /** Writes plaintext at `into[0…]`. False when the frame is not authentic: `into` must then not be used. */
  open(frame: number, isLast: boolean, sealed: Uint8Array, into: Uint8Array): boolean;
  sealFooter(index: SealedIndex): Uint8Array;
  /** Null when the footer is not authentic. */
  openFooter(sealed: Uint8Array): SealedIndex | null;
}

const parts = { frame: 0, lastFrame: 1, footer: 2 } as const;
type Part = (typeof parts)[keyof typeof parts];

/** A data key seals one object once: a second writer with the same key would repeat nonces. */
export function createFrameCipher(identity: ObjectKeyIdentity, dataKey: Uint8Array): FrameCipher {
  const nonce = Buffer.alloc(12);
  const names = Buffer.from(`${identity.tenantId}\0${identity.objectId}\0`);
  const context = Buffer.concat([header, names, Buffer.alloc(9)]);
  const contextAt = header.length + names.length;

  /** The last frame keeps its number: two parts with the same number are told apart by the nonce's first byte. */
  function address(part: Part, frame: number): void {
    nonce[0] = part === parts.footer ? 1 : 0;
    nonce.writeBigUInt64BE(BigInt(frame), 4);
    context.writeBigUInt64BE(BigInt(frame), contextAt);
    context[contextAt + 8] = part;
  }
  function sealPart(part: Part, frame: number, plaintext: Uint8Array, into: Uint8Array): number {
    address(part, frame);
    const cipher = createCipheriv('aes-256-gcm', dataKey, nonce, { authTagLength: tagBytes });
    cipher.setAAD(context);
    for (let at = 0; at < plaintext.length; at += pieceBytes) moveInto(into, at, cipher.update(plaintext.subarray(at, at + pieceBytes)));
    cipher.final();
    into.set(cipher.getAuthTag(), plaintext.length);
    return plaintext.length + tagBytes;
  }
  function openPart(part: Part, frame: number, sealed: Uint8Array, into: Uint8Array): boolean {
    const length = sealed.length - tagBytes;
    if (length < 0) return false;
    address(part, frame);
    const decipher = createDecipheriv('aes-256-gcm', dataKey, nonce, { authTagLength: tagBytes });
    decipher.setAAD(context);
    decipher.setAuthTag(sealed.subarray(length));
    for (let at = 0; at < length; at += pieceBytes)
      moveInto(into, at, decipher.update(sealed.subarray(at, Math.min(at + pieceBytes, length))));
    try {
      decipher.final();
      return true;
    } catch {
      return false;
    }
  }
  const frameRole = (isLast: boolean) => (isLast ? parts.lastFrame : parts.frame);
  return {
    seal: (frame, isLast, plaintext, into) => sealPart(frameRole(isLast), frame, plaintext, into),
    open: (frame, isLast, sealed, into) => openPart(frameRole(isLast), frame, sealed, into),
    sealFooter(index) {
      const sealed = Buffer.alloc(footerBytes);
      sealPart(parts.footer, 0, encodeIndex(index), sealed);
      return sealed;
    },
    openFooter(sealed) {
      const plain = Buffer.alloc(indexBytes);
      return sealed.length === footerBytes && openPart(parts.footer, 0, sealed, plain) ? decodeIndex(plain) : null;
    },
  };
}

/** The runtime makes a buffer for every piece, and keeps tens of MiB of them until it collects: each is given back at once. */
function moveInto(into: Uint8Array, at: number, piece: Buffer<ArrayBuffer>): void {
  into.set(piece, at);
  freeBytes(piece);
}

function encodeIndex(index: SealedIndex): Buffer {
  const plain = Buffer.alloc(indexBytes);
  plain.writeBigUInt64BE(BigInt(index.bytes), 0);
  plain.writeBigUInt64BE(BigInt(frameCount(index.bytes)), 8);
  plain.write(index.sha256, 16, 'hex');
  return plain;
}

function decodeIndex(plain: Buffer): SealedIndex | null {
  const bytes = Number(plain.readBigUInt64BE(0));
  if (Number(plain.readBigUInt64BE(8)) !== frameCount(bytes)) return null;
  return { bytes, sha256: plain.toString('hex', 16) };
}
