/**
 * Reads a sealed object at any position. A frame's plaintext is given out only after its tag was checked; the few frames
 * used last stay decrypted in memory, those of all readers within one limit, but not what was read to its end: whoever reads on
 * needs it no more. Anything that is not exactly what was written fails with E_OBJECT_DAMAGED.
 */
import { HeadgateError } from '../base/errors.ts';
import { returnFrameBuffer, takeFrameBuffer } from './frame-buffers.ts';
import { dropFrame, dropFrames, findFrame, keepFrame, type OwnFrames, takeFrameRoom } from './frame-cache.ts';
import type { RawReader, SealedReader } from './object-store.ts';
import {
  type FrameCipher,
  footerBytes,
  frameBytes,
  frameCount,
  headerBytes,
  isSealedHeader,
  sealedBytes,
  tagBytes,
} from './sealed-frames.ts';
import { storageErrors } from './storage-errors.ts';

export interface SealedReaderParts {
  readonly raw: RawReader;
  readonly cipher: FrameCipher;
  readonly objectId: string;
  /** Where the sealed bytes lie in the stored object, and how many they are. */
  readonly window: { readonly offset: number; readonly bytes: number };
}

/** Checks header, footer and stored size at once. The reader owns `raw` and closes it, also when this fails. */
export function openSealedReader(parts: SealedReaderParts): SealedReader {
  const { raw, cipher, objectId, window } = parts;
  const damaged = (what: string) => new HeadgateError(storageErrors.E_OBJECT_DAMAGED, `object ${objectId} is damaged: ${what}`);
  const cache: OwnFrames = new Map();
  let isOpen = true;

  function close(): void {
    if (!isOpen) return;
    isOpen = false;
    dropFrames(cache);
    raw.close();
  }
  function readIndex() {
    if (window.bytes < sealedBytes(0)) throw damaged('too short');
    const ends = Buffer.alloc(headerBytes + footerBytes);
    const count =
      raw.read(ends, 0, headerBytes, window.offset) + raw.read(ends, headerBytes, footerBytes, window.offset + window.bytes - footerBytes);
    if (count !== ends.length) throw damaged('too short');
    if (!isSealedHeader(ends)) throw damaged('its header');
    const found = cipher.openFooter(ends.subarray(headerBytes));
    if (found === null) throw damaged('its footer');
    if (sealedBytes(found.bytes) !== window.bytes) throw damaged('its length');
    return found;
  }
  function openIndex() {
    try {
      return readIndex();
    } catch (error) {
      close();
      throw error;
    }
  }
  const index = openIndex();
  const frames = frameCount(index.bytes);

  function openFrame(frame: number, into: Uint8Array): void {
    const sealed = takeFrameBuffer();
    try {
      const isLast = frame === frames - 1;
      const length = (isLast ? index.bytes - frame * frameBytes : frameBytes) + tagBytes;
      const count = raw.read(sealed, 0, length, window.offset + headerBytes + frame * (frameBytes + tagBytes));
      if (count === length && cipher.open(frame, isLast, sealed.subarray(0, length), into)) return;
      into.fill(0);
      throw damaged(`frame ${frame}`);
    } finally {
      returnFrameBuffer(sealed);
    }
  }
  function loadFrame(frame: number): Buffer {
    const found = findFrame(cache, frame);
    if (found !== undefined) return found;
    const plaintext = takeFrameRoom(cache);
    try {
      openFrame(frame, plaintext);
    } catch (error) {
      returnFrameBuffer(plaintext);
      throw error;
    }
    keepFrame(cache, frame, plaintext);
    return plaintext;
  }
  /** A whole frame goes where it is wanted. */
  function readFrame(frame: number, into: Uint8Array, start: number, stop: number): void {
    if (stop - start === frameBytes && !cache.has(frame)) openFrame(frame, into);
    else {
      into.set(loadFrame(frame).subarray(start, stop));
      if (stop === frameBytes && frame < frames - 1) dropFrame(cache.get(frame)!);
    }
  }
  return {
    size: index.bytes,
    sha256: index.sha256,
    read(into, at, length, position) {
      if (!isOpen) throw new Error('this reader was closed');
      const end = Math.min(position + length, index.bytes);
      let from = position;
      while (from < end) {
        const frame = Math.floor(from / frameBytes);
        const start = from - frame * frameBytes;
        const stop = Math.min(frameBytes, end - frame * frameBytes);
        const to = at + from - position;
        readFrame(frame, into.subarray(to, to + stop - start), start, stop);
        from += stop - start;
      }
      return Math.max(0, end - position);
    },
    close,
  };
}
