/** Synchronous random access to plaintext. Returns the number of bytes read; 0 only at the end. */
export interface ByteSource {
  readonly size: number;
  read(into: Uint8Array, at: number, length: number, position: number): number;
}

/** Receives plaintext in order. The bytes are only valid during the call. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
}

/** A sink that keeps bytes: it lends the memory for them, so that they are not copied. */
export interface LendingSink extends ByteSink {
  /** At least so many bytes, of any content. */
  lend(bytes: number): Buffer;
  /** Gives back what was lent; its first `length` bytes follow what was written before. */
  giveBack(lent: Buffer, length: number): void;
}
