/** A small pool of frame-sized buffers: readers and writers come and go per chunk, their memory need not. */
import { frameBytes, tagBytes } from './sealed-frames.ts';

const pooledMax = 16;
const pool: Buffer[] = [];

/** Holds one sealed frame; its content is arbitrary. */
export function takeFrameBuffer(): Buffer {
  return pool.pop() ?? Buffer.allocUnsafeSlow(frameBytes + tagBytes);
}

/** The caller must not use it afterwards. */
export function returnFrameBuffer(buffer: Buffer): void {
  if (pool.length < pooledMax) pool.push(buffer);
}
