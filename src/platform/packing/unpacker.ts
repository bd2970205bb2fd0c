/**
 * Unpacks a file as it comes, gzip (RFC 1952) or zstd (RFC 8878), several members or frames too, within limits: bytes in all,
 * and unpacked bytes for each received one. It stops at the first byte beyond a limit, so that a bomb costs no more than the
 * limit. A damaged or incomplete file, and bytes behind its end, are refused: what is taken is the whole file and nothing else.
 */
import type { Transform } from 'node:stream';
import type { Zlib } from 'node:zlib';
import { createDecoder, headBytes, mayBegin, type Packing, zstdWindowLogMax } from './packings.ts';
import { ratioFloorBytes } from './unpack-meter.ts';
import type { UnpackProblem } from './unpack-problem.ts';
import { ZstdFrames } from './zstd-frames.ts';

export interface UnpackerOptions {
  readonly unpackedBytesMax: number;
  readonly ratioMax: number;
  /** Unpacked bytes in order, valid until it is done; nothing more is unpacked before. */
  readonly onBytes: (bytes: Uint8Array) => void | Promise<void>;
}

export class Unpacker {
  readonly #packing: Packing | 'deflate';
  readonly #options: UnpackerOptions;
  readonly #decoder: Transform & Zlib;
  readonly #frames: ZstdFrames | null;
  readonly #over = Promise.withResolvers<void>();
  #isOver = false;
  #receivedBytes = 0;
  #unpackedBytes = 0;
  #failure: unknown;
  #problem: UnpackProblem | undefined;
  readonly #head: number[] = [];

  constructor(packing: Packing | 'deflate', options: UnpackerOptions) {
    this.#packing = packing;
    this.#options = options;
    this.#decoder = createDecoder(packing);
    this.#frames = packing === 'zstd' ? new ZstdFrames() : null;
    const end = () => {
      this.#isOver = true;
      this.#over.resolve();
    };
    this.#decoder.on('data', (bytes: Uint8Array) => this.#take(bytes));
    this.#decoder.on('error', (error: NodeJS.ErrnoException) => {
      if (isOfTheFile(error)) this.#problem ??= this.#problemOf(error);
      else this.#failure ??= error;
      end();
    });
    this.#decoder.on('end', end);
    this.#decoder.on('close', end);
  }

  /** Resolves when the bytes have been used. What is wrong is known at the latest at `end`. */
  async push(bytes: Uint8Array): Promise<UnpackProblem | undefined> {
    this.#receivedBytes += bytes.length;
    this.#head.push(...bytes.subarray(0, headBytes - this.#head.length));
    this.#frames?.push(bytes);
    if (!this.#isOver)
      await Promise.race([this.#over.promise, new Promise<void>((resolve) => this.#decoder.write(bytes, () => resolve()))]);
    return this.#outcome();
  }

  async end(): Promise<UnpackProblem | undefined> {
    if (!this.#isOver) {
      this.#decoder.end();
      await this.#over.promise;
    }
    if (this.#decoder.bytesWritten !== this.#receivedBytes)
      this.#problem ??= { kind: 'packing', message: 'there are bytes behind the end of the packed file' };
    if (this.#frames?.areWhole === false) this.#problem ??= damaged;
    this.#decoder.destroy();
    return this.#outcome();
  }

  abort(): void {
    this.#decoder.destroy();
  }

  #problemOf({ code }: NodeJS.ErrnoException): UnpackProblem {
    const windowMiB = 2 ** (zstdWindowLogMax - 20);
    if (code === 'ZSTD_error_frameParameter_windowTooLarge')
      return { kind: 'window', message: `the file can be unpacked only with a window of more than ${windowMiB} MiB` };
    if (code === 'ZSTD_error_dictionary_wrong')
      return { kind: 'packing', message: 'the file is packed with a dictionary, which does not come with it' };
    return mayBegin(this.#packing, this.#head) ? damaged : notPacked(this.#packing);
  }

  #outcome(): UnpackProblem | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#problem;
  }

  #take(bytes: Uint8Array): void {
    if (this.#problem || this.#failure !== undefined) return;
    const { unpackedBytesMax, ratioMax, onBytes } = this.#options;
    this.#unpackedBytes += bytes.length;
    const isTooMuch = this.#unpackedBytes > unpackedBytesMax;
    const isTooDense = this.#unpackedBytes > Math.max(ratioFloorBytes, ratioMax * this.#receivedBytes);
    if (isTooMuch || isTooDense) {
      const message = isTooMuch
        ? `the file unpacks to more than ${unpackedBytesMax} bytes`
        : `the file unpacks to more than ${ratioMax} bytes for each received one`;
      this.#problem = { kind: 'limits', message };
      this.#decoder.destroy();
      return;
    }
    try {
      const using = onBytes(bytes);
      if (using !== undefined) this.#waitFor(using);
    } catch (error) {
      this.#fail(error);
    }
  }

  #waitFor(using: Promise<void>): void {
    this.#decoder.pause();
    using.then(
      () => this.#decoder.resume(),
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#decoder.destroy();
  }
}

const damaged: UnpackProblem = { kind: 'packing', message: 'the packed file is damaged or incomplete' };

function notPacked(packing: string): UnpackProblem {
  return { kind: 'packing', message: `the file is not packed with ${packing}, as its source or its Content-Encoding says that it is` };
}

/** Too little memory is no fault of the file. */
function isOfTheFile({ code }: NodeJS.ErrnoException): boolean {
  return /^(?:Z_|ZSTD_error_)/.test(code ?? '') && code !== 'Z_MEM_ERROR' && code !== 'ZSTD_error_memory_allocation';
}
