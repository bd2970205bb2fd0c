/**
 * Hashes batch bodies that are not whole segments. What fits is hashed on the thread pool; what is big is hashed piece by
 * piece, in a thread of its own or with pauses, so that the event loop stays free either way.
 */
import { createHash, hash, webcrypto } from 'node:crypto';
import { freeBytes } from '../../../platform/base/freed-bytes.ts';
import type { Sleep } from '../../../platform/base/ports.ts';
import type { SealedReader, SealedStore } from '../../../platform/storage/object-store.ts';
import { type BatchSpan, bytesOfSpans } from '../batch.ts';
import type { BigBody } from './cut-input.ts';
import { readInto, SegmentReaders } from './segment-readers.ts';

const inlineBytesMax = 16 * 1024;
export const wholeBytesMax = 8 * 1024 * 1024;
const pieceBytes = 1024 * 1024;
/** A few milliseconds of reading and hashing. */
const pauseBytes = 4 * pieceBytes;

/** 64 lower-case hex digits. */
export async function hashBody(
  spans: readonly BatchSpan[],
  bytes: number,
  open: (segmentId: string) => SealedReader,
  sleep: Sleep,
): Promise<string> {
  if (bytes <= wholeBytesMax) {
    const body = wholeBody(spans, bytes, open);
    if (bytes <= inlineBytesMax) return hash('sha256', body, 'hex');
    const digest = await webcrypto.subtle.digest('SHA-256', body);
    freeBytes(body);
    return Buffer.from(digest).toString('hex');
  }
  const digest = createHash('sha256');
  let sincePause = 0;
  for (const piece of bodyPieces(spans, open, { isReused: true })) {
    digest.update(piece);
    sincePause += piece.length;
    if (sincePause < pauseBytes) continue;
    sincePause = 0;
    await sleep.sleep(0);
  }
  return digest.digest('hex');
}

/** For a thread that has nothing else to do: it pauses for nobody. 64 lower-case hex digits. */
export function hashBigBody(store: SealedStore, { tenantId, spans, objects }: BigBody): string {
  const readers = new SegmentReaders(store, tenantId);
  try {
    const digest = createHash('sha256');
    for (const piece of bodyPieces(spans, (segmentId) => readers.open(objects.get(segmentId)!), { isReused: true })) digest.update(piece);
    return digest.digest('hex');
  } finally {
    readers.close();
  }
}

function wholeBody(spans: readonly BatchSpan[], bytes: number, open: (segmentId: string) => SealedReader): Buffer<ArrayBuffer> {
  const body = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const { segmentId, ranges } of spans) {
    const reader = open(segmentId);
    for (let index = 0; index < ranges.length; index += 2) {
      const length = ranges[index + 1]! - ranges[index]!;
      readInto(reader, body, at, { position: ranges[index]!, length });
      at += length;
    }
  }
  return body;
}

/**
 * The exact bytes of a body, in pieces of 1 MiB and a rest: lanes by key have thousands of small ranges, which are joined.
 * Reused, a piece is only valid until the next one is asked for: a buffer for each would keep the garbage collector busy.
 */
export function* bodyPieces(
  spans: readonly BatchSpan[],
  open: (segmentId: string) => SealedReader,
  { isReused = false }: { readonly isReused?: boolean } = {},
): Generator<Buffer> {
  let left = bytesOfSpans(spans);
  let piece = Buffer.allocUnsafe(Math.min(left, pieceBytes));
  const shared = isReused && piece.length === pieceBytes ? piece : null;
  let filled = 0;
  for (const { segmentId, ranges } of spans) {
    const reader = open(segmentId);
    for (let index = 0; index < ranges.length; index += 2) {
      for (let at = ranges[index]!; at < ranges[index + 1]!; ) {
        const length = Math.min(ranges[index + 1]! - at, piece.length - filled);
        readInto(reader, piece, filled, { position: at, length });
        filled += length;
        at += length;
        if (filled < piece.length) continue;
        yield piece;
        left -= piece.length;
        const nextBytes = Math.min(left, pieceBytes);
        piece = isReused ? piece.subarray(0, nextBytes) : Buffer.allocUnsafe(nextBytes);
        filled = 0;
      }
    }
  }
  if (shared !== null) freeBytes(shared);
}
