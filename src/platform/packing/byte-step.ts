/** Where bytes go from one step of unpacking to the next, and at last to what keeps them. */
export interface ByteStep {
  /** In order. The bytes are valid until it is done. Fails with an UnpackError where the file is at fault; then it is aborted. */
  push(bytes: Uint8Array): void | Promise<void>;
  end(): Promise<void>;
  abort(): void;
}
