/** How a file whose length is known is divided. */

/**
 * Chunks of one size, an even number of them, so that two threads, or four, end together: a rest that is a chunk of its own keeps one at
 * work while the others have nothing to do. In bytes, at most `chunkBytes`; records make each chunk a little longer.
 */
export function evenChunkBytes(chunkBytes: number, fileBytes: number | undefined): number {
  if (fileBytes === undefined || fileBytes <= chunkBytes) return chunkBytes;
  return Math.ceil(fileBytes / (2 * Math.ceil(fileBytes / chunkBytes / 2)));
}
