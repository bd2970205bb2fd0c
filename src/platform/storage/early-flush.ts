/**
 * Sends what is written to the disk while more is written, so that the fsync at the end finds little left. Only a hint: whether everything
 * arrived is for that fsync to say. It has a descriptor of its own, because an error of writing back is told once to each open file: what is
 * told here is still told there (Linux 4.13 and later, errseq).
 */
import { close, fdatasync, openSync } from 'node:fs';

const flushedBytes = 4 * 1024 * 1024;
/** Of less, the fsync at the end is as fast alone. */
const lastBytesMin = 256 * 1024;

export class EarlyFlush {
  readonly #path: string;
  #descriptor: number | null = null;
  #unflushed = 0;
  #underWay = 0;
  #isEnded = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** So many more bytes were written. */
  wrote(bytes: number): void {
    this.#unflushed += bytes;
    if (this.#unflushed >= flushedBytes) this.flush();
  }

  /** Of all that was written until now. */
  flush(): void {
    if (this.#unflushed === 0) return;
    this.#unflushed = 0;
    try {
      this.#descriptor ??= openSync(this.#path, 'r');
    } catch {
      return;
    }
    this.#underWay++;
    fdatasync(this.#descriptor, () => {
      this.#underWay--;
      this.#closeUnused();
    });
  }

  /** Something else is done before the fsync at the end. */
  beforeLast(): void {
    if (this.#unflushed >= lastBytesMin) this.flush();
  }

  end(): void {
    this.#isEnded = true;
    this.#closeUnused();
  }

  /** Not before: its number could be another file's by then. */
  #closeUnused(): void {
    if (!this.#isEnded || this.#underWay > 0 || this.#descriptor === null) return;
    close(this.#descriptor, () => {});
    this.#descriptor = null;
  }
}
