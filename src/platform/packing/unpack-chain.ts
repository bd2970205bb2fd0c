/**
 * Undoes the ways in which a file is packed, one step after the other, in the order in which its source names them. Every step
 * passes on what it unpacks as it comes; only a zip archive is read from the store, because its directory is at its end. The
 * limits hold for what comes out of each step, so that a bomb ends in the step in which it goes off.
 */
import type { ByteSource } from '../base/byte-source.ts';
import type { ByteStep } from './byte-step.ts';
import type { Packing, UnpackStep } from './packings.ts';
import { type PgpReadingKeys, PgpStep } from './pgp-reading.ts';
import { TarStep } from './tar-step.ts';
import { type UnpackLimits, UnpackMeter } from './unpack-meter.ts';
import { UnpackError, type UnpackProblem } from './unpack-problem.ts';
import { Unpacker } from './unpacker.ts';
import { unzip } from './zip-members.ts';

export interface ClosableBytes extends ByteSource {
  close(): void;
}

/** Keeps what must be read at random, until it is closed. */
export interface ScratchStep {
  push(bytes: Uint8Array): void;
  end(): ClosableBytes;
  abort(): void;
}

export interface UnpackChainOptions {
  readonly limits: UnpackLimits;
  /** Of the file as received, so far. */
  readonly receivedBytes: () => number;
  /** The file as received, once it has ended. */
  readonly openReceived: () => ClosableBytes;
  readonly openScratch: () => ScratchStep;
  /** Where a step is `pgp`. */
  readonly pgpKeys: PgpReadingKeys | null;
  /** Of `PgpStepParts`. */
  readonly pgpStuckMs?: number;
  /** `name` is null where no archive gave one. Fails with an UnpackError for a name that is not taken. */
  readonly openMember: (name: string | null) => ByteStep;
}

/** Takes the file as received. It ends after that has ended. */
export function createUnpackChain(steps: readonly UnpackStep[], options: UnpackChainOptions): ByteStep {
  if (steps.includes('pgp') && options.pgpKeys === null) throw new Error('there are no keys to decrypt with');
  const meters = steps.map(() => new UnpackMeter(options.limits, options.receivedBytes));
  const open = (depth: number, name: string | null): ByteStep => {
    const step = steps[depth];
    if (step === undefined) return options.openMember(name);
    const meter = meters[depth]!;
    switch (step) {
      case 'gzip':
      case 'zstd':
        return new PackingStep(step, meter, open(depth + 1, name));
      case 'pgp':
        return new PgpStep({ keys: options.pgpKeys!, meter, next: open(depth + 1, name), stuckMs: options.pgpStuckMs });
      case 'tar':
        return new TarStep(meter, (member) => open(depth + 1, member));
      case 'zip': {
        const scratch = depth === 0 ? receivedAsScratch(options.openReceived) : options.openScratch();
        return new ZipStep(scratch, meter, (member) => open(depth + 1, member));
      }
    }
  };
  return open(0, null);
}

class PackingStep implements ByteStep {
  readonly #unpacker: Unpacker;
  readonly #next: ByteStep;

  constructor(packing: Packing, meter: UnpackMeter, next: ByteStep) {
    this.#next = next;
    const onBytes = (bytes: Uint8Array) => {
      meter.take(bytes.length);
      return next.push(bytes);
    };
    this.#unpacker = new Unpacker(packing, { unpackedBytesMax: Number.MAX_SAFE_INTEGER, ratioMax: Number.MAX_SAFE_INTEGER, onBytes });
  }

  async push(bytes: Uint8Array): Promise<void> {
    assertSound(await this.#unpacker.push(bytes));
  }

  async end(): Promise<void> {
    assertSound(await this.#unpacker.end());
    await this.#next.end();
  }

  abort(): void {
    this.#unpacker.abort();
    this.#next.abort();
  }
}

function assertSound(problem: UnpackProblem | undefined): void {
  if (problem !== undefined) throw new UnpackError(problem.kind, problem.message);
}

class ZipStep implements ByteStep {
  readonly #scratch: ScratchStep;
  readonly #meter: UnpackMeter;
  readonly #openMember: (name: string) => ByteStep;

  constructor(scratch: ScratchStep, meter: UnpackMeter, openMember: (name: string) => ByteStep) {
    this.#scratch = scratch;
    this.#meter = meter;
    this.#openMember = openMember;
  }

  push(bytes: Uint8Array): void {
    this.#scratch.push(bytes);
  }

  async end(): Promise<void> {
    const source = this.#scratch.end();
    try {
      await unzip(source, this.#meter, this.#openMember);
    } finally {
      source.close();
    }
  }

  abort(): void {
    this.#scratch.abort();
  }
}

/** The file as received is kept in any case. */
function receivedAsScratch(openReceived: () => ClosableBytes): ScratchStep {
  return { push() {}, end: openReceived, abort() {} };
}
