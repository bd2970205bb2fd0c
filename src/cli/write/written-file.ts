/**
 * Where a written file goes: to a file that gets its name when it is complete, or to standard output, also only then. What
 * is refused half way, or ended by a signal, leaves nothing behind.
 */
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { PackFileSink } from '../../pipeline/formats/pack.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { cliErrors } from '../cli-errors.ts';
import { removeWhenOver } from '../removed-when-over.ts';
import { OutputFile } from '../run/output-files.ts';

/** Of a file that goes to standard output, which is held until it is complete. */
const heldBytesMax = 64 * 1024 * 1024;

export interface FileIdentity {
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface WrittenFile extends PackFileSink {
  /** Null: it has its name now. Else what goes to standard output. */
  finish(): Uint8Array | null;
  discard(): void;
  /** Leaves nothing of it under its name either. */
  withdraw(): void;
  identity(): FileIdentity;
}

/** `path`: undefined stands for standard output. */
export function openWrittenFile(path: string | undefined): WrittenFile {
  return path === undefined ? new HeldFile() : new NamedFile(path);
}

class NamedFile implements WrittenFile {
  readonly #file: OutputFile;
  readonly #name: string;
  readonly #hash = createHash('sha256');
  #isOpen = true;

  constructor(path: string) {
    this.#name = basename(path);
    // Of its own: another process may be writing a file of that name. Cut: a name has 255 bytes at the most.
    const partName = `${this.#name.slice(0, 50)}.${systemPorts.ids.next()}.part`;
    removeWhenOver(join(dirname(path), partName));
    this.#file = new OutputFile(dirname(path), this.#name, partName);
  }

  bytes(piece: Uint8Array): void {
    this.#hash.update(piece);
    this.#file.write(piece);
  }

  finish(): null {
    this.#isOpen = false;
    try {
      this.#file.finish();
    } catch (error) {
      rmSync(this.#file.partPath, { force: true });
      throw error;
    }
    return null;
  }

  discard(): void {
    if (this.#isOpen) this.#file.discard();
    this.#isOpen = false;
  }

  withdraw(): void {
    rmSync(this.#file.path, { force: true });
  }

  identity(): FileIdentity {
    return { name: this.#name, sha256: this.#hash.digest('hex'), bytes: this.#file.bytes };
  }
}

class HeldFile implements WrittenFile {
  readonly #pieces: Uint8Array[] = [];
  #size = 0;

  bytes(piece: Uint8Array): void {
    this.#size += piece.length;
    if (this.#size > heldBytesMax)
      throw new HeadgateError(
        cliErrors.E_USAGE,
        `a file of more than ${heldBytesMax} bytes does not go to standard output: name it with --out`,
      );
    this.#pieces.push(Uint8Array.from(piece));
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }

  discard(): void {
    this.#pieces.length = 0;
  }

  withdraw(): void {
    this.discard();
  }

  identity(): FileIdentity {
    return { name: '-', sha256: createHash('sha256').update(this.finish()).digest('hex'), bytes: this.#size };
  }
}
