/**
 * Unpacks gzip (RFC 1952, several members too) as it comes, within limits: bytes in all, and unpacked bytes for each received
 * one. It stops at the first byte beyond a limit, so that a bomb costs no more than the limit. A damaged or incomplete
 * stream, and bytes behind its end, are refused: what is taken is the whole file and nothing else.
 */
import { createGunzip, type Gunzip } from 'node:zlib';
import type { ArrivalErrorCode } from './arrival-errors.ts';

export interface UnpackProblem {
  readonly code: ArrivalErrorCode;
  readonly message: string;
}

export interface GzipUnpackerOptions {
  readonly unpackedBytesMax: number;
  readonly ratioMax: number;
  /** Unpacked bytes in order, valid during the call only. */
  readonly onBytes: (bytes: Uint8Array) => void;
}

/** No text begins so: its second byte is none that UTF-8 has there. */
export const gzipMagic = [0x1f, 0x8b];
const notPacked = 'the file is not packed with gzip, as its source or its Content-Encoding says that it is';

/** Small files may unpack to this much whatever their ratio. */
const ratioFloorBytes = 1024 * 1024;
const outputBytes = 64 * 1024;

export class GzipUnpacker {
  readonly #options: GzipUnpackerOptions;
  readonly #gunzip: Gunzip;
  readonly #over = Promise.withResolvers<void>();
  #isOver = false;
  #receivedBytes = 0;
  #unpackedBytes = 0;
  #failure: unknown;
  #problem: UnpackProblem | undefined;
  readonly #head: number[] = [];

  constructor(options: GzipUnpackerOptions) {
    this.#options = options;
    this.#gunzip = createGunzip({ chunkSize: outputBytes });
    const end = () => {
      this.#isOver = true;
      this.#over.resolve();
    };
    this.#gunzip.on('data', (bytes: Uint8Array) => this.#take(bytes));
    this.#gunzip.on('error', (error: NodeJS.ErrnoException) => {
      if (/^Z_/.test(error.code ?? ''))
        this.#problem ??= { code: 'E_ARCHIVE', message: this.#isGzip() ? 'the packed file is damaged or incomplete' : notPacked };
      else this.#failure ??= error;
      end();
    });
    this.#gunzip.on('end', end);
    this.#gunzip.on('close', end);
  }

  /** Resolves when the bytes have been used. What is wrong is known at the latest at `end`. */
  async push(bytes: Uint8Array): Promise<UnpackProblem | undefined> {
    this.#receivedBytes += bytes.length;
    this.#head.push(...bytes.subarray(0, gzipMagic.length - this.#head.length));
    if (!this.#isOver) await Promise.race([this.#over.promise, new Promise<void>((resolve) => this.#gunzip.write(bytes, () => resolve()))]);
    return this.#outcome();
  }

  async end(): Promise<UnpackProblem | undefined> {
    if (!this.#isOver) {
      this.#gunzip.end();
      await this.#over.promise;
    }
    if (!this.#problem && this.#gunzip.bytesWritten !== this.#receivedBytes)
      this.#problem = { code: 'E_ARCHIVE', message: 'there are bytes behind the end of the packed file' };
    this.#gunzip.destroy();
    return this.#outcome();
  }

  abort(): void {
    this.#gunzip.destroy();
  }

  #isGzip(): boolean {
    return this.#head.every((byte, at) => byte === gzipMagic[at]);
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
      this.#problem = { code: 'E_BOMB', message };
      this.#gunzip.destroy();
      return;
    }
    try {
      onBytes(bytes);
    } catch (error) {
      this.#failure = error;
      this.#gunzip.destroy();
    }
  }
}
