/** Bounds what comes out of one step of unpacking, over all that it unpacks of one file. */
import { UnpackError } from './unpack-problem.ts';

export interface UnpackLimits {
  readonly unpackedBytesMax: number;
  /** Unpacked bytes for each received one, beyond the first MiB. */
  readonly ratioMax: number;
  /** Entries of archives, folders included. */
  readonly entriesMax: number;
}

/** Small files may unpack to this much whatever their ratio. */
export const ratioFloorBytes = 1024 * 1024;

export class UnpackMeter {
  readonly #limits: UnpackLimits;
  readonly #receivedBytes: () => number;
  #bytes = 0;
  #entries = 0;

  /** `receivedBytes`: of the file as received, so far. */
  constructor(limits: UnpackLimits, receivedBytes: () => number) {
    this.#limits = limits;
    this.#receivedBytes = receivedBytes;
  }

  /** Before they are used. Fails with an UnpackError at the first byte beyond. */
  take(bytes: number): void {
    this.#bytes += bytes;
    this.#check(this.#bytes);
  }

  /** What is said to come, before any of it is unpacked. */
  foresee(bytes: number): void {
    this.#check(this.#bytes + bytes);
  }

  takeEntry(): void {
    this.#entries += 1;
    const { entriesMax } = this.#limits;
    if (this.#entries > entriesMax)
      throw new UnpackError('members', `the archive has more than ${entriesMax} entries, which is as many as its source allows`);
  }

  get entriesLeft(): number {
    return this.#limits.entriesMax - this.#entries;
  }

  #check(bytes: number): void {
    const { unpackedBytesMax, ratioMax } = this.#limits;
    if (bytes > unpackedBytesMax) throw new UnpackError('limits', `the file unpacks to more than ${unpackedBytesMax} bytes`);
    if (bytes > Math.max(ratioFloorBytes, ratioMax * this.#receivedBytes()))
      throw new UnpackError('limits', `the file unpacks to more than ${ratioMax} bytes for each received one`);
  }
}
