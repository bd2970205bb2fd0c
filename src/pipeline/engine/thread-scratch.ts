/**
 * Memory that the runs over chunks in one thread use one after the other. A run is synchronous, so there is never more than
 * one that uses it; without it every chunk would leave megabytes to the garbage collector, which is in no hurry.
 */

/** Larger buffers are for one unusual record and not worth keeping. */
const keptBytesMax = 8 * 1024 * 1024;
const kept = new Map<string, ArrayBuffer>();

/** At least so many bytes, of any content. The next call for the same use gives the same memory. */
export function scratchBuffer(use: string, bytes: number): ArrayBuffer {
  const known = kept.get(use);
  if (known !== undefined && known.byteLength >= bytes) return known;
  const made = new ArrayBuffer(bytes);
  if (bytes <= keptBytesMax) kept.set(use, made);
  return made;
}
