/**
 * Writes one sealed object: plaintext in, frames out, hashed on the way. `commit` reads it back from the store, decrypts and hashes
 * it, and makes it durable: a row that names the object is written only after that.
 */
import { createHash } from 'node:crypto';
import type { ByteSource } from '../base/byte-source.ts';
import { HeadgateError } from '../base/errors.ts';
import { returnFrameBuffer, takeFrameBuffer } from './frame-buffers.ts';
import type { RawReader, RawStore, SealedObject, SealedReader, SealedWriter } from './object-store.ts';
import { type FrameCipher, footerBytes, frameBytes, headerBytes, sealedBytes, sealedHeader, tagBytes } from './sealed-frames.ts';
import { storageErrors } from './storage-errors.ts';

export interface SealedWriterParts {
  readonly raw: RawStore;
  readonly name: string;
  readonly objectId: string;
  readonly wrappedKey: string;
  readonly cipher: FrameCipher;
  /** Opens what was written, as any reader would. */
  reopen(open: () => RawReader): SealedReader;
}

export function createSealedWriter(parts: SealedWriterParts): SealedWriter {
  const { raw, name, objectId, wrappedKey, cipher } = parts;
  const hash = createHash('sha256');
  const out = raw.create(name);
  const pending = takeFrameBuffer();
  const sealed = takeFrameBuffer();
  let pendingBytes = 0;
  let frame = 0;
  let bytes = 0;
  let isFinished = false;
  out.write(sealedHeader());

  function sealFrame(plaintext: Uint8Array, isLast: boolean): void {
    const length = cipher.seal(frame++, isLast, plaintext, sealed);
    out.write(sealed.subarray(0, length));
  }
  function finish(): void {
    if (isFinished) throw new Error('this object was committed or aborted before');
    isFinished = true;
    returnFrameBuffer(pending);
    returnFrameBuffer(sealed);
  }
  return {
    write(input) {
      if (isFinished) throw new Error('this object was committed or aborted before');
      hash.update(input);
      bytes += input.length;
      for (let at = 0; at < input.length; ) {
        if (pendingBytes === frameBytes) {
          sealFrame(pending.subarray(0, frameBytes), false);
          pendingBytes = 0;
        }
        const isWholeFrame = pendingBytes === 0 && input.length - at > frameBytes;
        const count = Math.min(frameBytes - pendingBytes, input.length - at);
        if (isWholeFrame) sealFrame(input.subarray(at, at + frameBytes), false);
        else {
          pending.set(input.subarray(at, at + count), pendingBytes);
          pendingBytes += count;
        }
        at += count;
      }
    },
    hashSoFar: () => hash.copy().digest('hex'),
    commit() {
      if (!isFinished) sealFrame(pending.subarray(0, pendingBytes), true);
      finish();
      const sha256 = hash.digest('hex');
      out.write(cipher.sealFooter({ bytes, sha256 }));
      out.commit((open) => readBack(objectId, () => parts.reopen(open), { bytes, sha256 }));
      return { objectId, name, bytes, sha256, storedBytes: sealedBytes(bytes), wrappedKey };
    },
    abort() {
      if (isFinished) return;
      finish();
      out.abort();
    },
  };
}

/** Fails with E_READ_BACK, or with E_STORAGE_IO where it can't be read, unless reading gives exactly what was written. */
export function readBack(objectId: string, open: () => SealedReader, written: Pick<SealedObject, 'bytes' | 'sha256'>): void {
  let cause: unknown;
  try {
    const reader = open();
    try {
      if (reader.size === written.bytes && hashOf(reader) === written.sha256) return;
    } finally {
      reader.close();
    }
  } catch (error) {
    cause = error;
  }
  // Nothing could be read at all: that says nothing about what was written.
  if (cause instanceof HeadgateError && cause.code === storageErrors.E_STORAGE_IO) throw cause;
  throw new HeadgateError(storageErrors.E_READ_BACK, `object ${objectId} did not read back as it was written`, { cause });
}

/** SHA-256 of all of it, 64 hex digits, in constant memory. */
export function hashOf(source: ByteSource): string {
  const hash = createHash('sha256');
  const buffer = takeFrameBuffer();
  try {
    for (let position = 0; position < source.size; ) {
      const count = source.read(buffer, 0, Math.min(frameBytes, source.size - position), position);
      if (count === 0) break;
      hash.update(buffer.subarray(0, count));
      position += count;
    }
  } finally {
    returnFrameBuffer(buffer);
  }
  return hash.digest('hex');
}

/** Layout of one member of a pack, sealed into memory: the same bytes as an object of its own would have. */
export function sealWhole(cipher: FrameCipher, plaintext: Uint8Array, sha256: string, into: Uint8Array): number {
  into.set(sealedHeader(), 0);
  const count = cipher.seal(0, true, plaintext, into.subarray(headerBytes));
  into.set(cipher.sealFooter({ bytes: plaintext.length, sha256 }), headerBytes + count);
  return headerBytes + plaintext.length + tagBytes + footerBytes;
}
