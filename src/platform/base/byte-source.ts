/** Synchronous random access to plaintext. Returns the number of bytes read; 0 only at the end. */
export interface ByteSource {
  readonly size: number;
  read(into: Uint8Array, at: number, length: number, position: number): number;
}

/** Receives plaintext in order. The bytes are only valid during the call. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
}
