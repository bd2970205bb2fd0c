/**
 * Decrypted frames that readers of this thread keep, so that the next read of the same frame costs nothing. All readers
 * share one limit, whatever their number: who needs room takes the frame that was not used for the longest time.
 */
import { returnFrameBuffer, takeFrameBuffer } from './frame-buffers.ts';

/** 6 MiB in all, and 1 MiB of one reader. */
const framesMax = 24;
const framesOfReaderMax = 4;

export interface CachedFrame {
  readonly owner: OwnFrames;
  readonly frame: number;
  readonly plaintext: Buffer;
}

/** Frames of one reader by number, least recently used first. */
export type OwnFrames = Map<number, CachedFrame>;

/** Of all readers, least recently used first. */
const cached = new Set<CachedFrame>();

/** Undefined when it is not kept, or not any more. The bytes are only valid until the next frame of any reader is asked for. */
export function findFrame(owner: OwnFrames, frame: number): Buffer | undefined {
  const found = owner.get(frame);
  if (found === undefined) return undefined;
  owner.delete(frame);
  owner.set(frame, found);
  cached.delete(found);
  cached.add(found);
  return found.plaintext;
}

/** A buffer for one more frame: `keepFrame` or `returnFrameBuffer` comes next. */
export function takeFrameRoom(owner: OwnFrames): Buffer {
  if (owner.size >= framesOfReaderMax) dropFrame(first(owner.values()));
  else if (cached.size >= framesMax) dropFrame(first(cached.values()));
  return takeFrameBuffer();
}

export function keepFrame(owner: OwnFrames, frame: number, plaintext: Buffer): void {
  const kept = { owner, frame, plaintext };
  owner.set(frame, kept);
  cached.add(kept);
}

export function dropFrames(owner: OwnFrames): void {
  for (const frame of [...owner.values()]) dropFrame(frame);
}

export function dropFrame(frame: CachedFrame): void {
  frame.owner.delete(frame.frame);
  cached.delete(frame);
  returnFrameBuffer(frame.plaintext);
}

function first<Value>(values: Iterator<Value>): Value {
  return values.next().value as Value;
}
