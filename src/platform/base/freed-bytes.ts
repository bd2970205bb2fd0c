/**
 * Memory of bytes that nobody needs any more, given back at once. The runtime counts it against no young generation: left to the
 * garbage collector, tens of MiB of it lie about before one looks.
 */

/** Smaller ones may share their memory with others, and cost little. */
const freedBytesMin = 16 * 1024;

/** The caller has no use for them afterwards: bytes that own all of their memory are empty then. */
export function freeBytes(bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.byteLength >= freedBytesMin && bytes.byteLength === bytes.buffer.byteLength) bytes.buffer.transfer(0);
}
