/** Unpacks bytes in memory, for tests of each way of packing. */

import type { UnpackStep } from './packings.ts';
import type { PgpReadingKeys } from './pgp-reading.ts';
import { createUnpackChain } from './unpack-chain.ts';
import type { UnpackLimits } from './unpack-meter.ts';
import { UnpackError, type UnpackProblem } from './unpack-problem.ts';

export interface Unpacked {
  readonly problem: UnpackProblem | undefined;
  /** Names and contents, in order. */
  readonly members: readonly (readonly [string | null, Buffer])[];
  /** Bytes that were unpacked, of members that were not whole too. */
  readonly bytes: number;
}

export const roomyUnpackLimits: UnpackLimits = { unpackedBytesMax: 64 * 1024 * 1024, ratioMax: 200, entriesMax: 256 };

export async function unpackBytes(
  steps: readonly UnpackStep[],
  received: Uint8Array,
  options: {
    readonly limits?: Partial<UnpackLimits>;
    readonly pieceBytes?: number;
    readonly pgpKeys?: PgpReadingKeys;
    readonly pgpStuckMs?: number;
  } = {},
): Promise<Unpacked> {
  const members: [string | null, Buffer][] = [];
  let bytes = 0;
  let receivedBytes = 0;
  const chain = createUnpackChain(steps, {
    limits: { ...roomyUnpackLimits, ...options.limits },
    receivedBytes: () => receivedBytes,
    pgpKeys: options.pgpKeys ?? null,
    pgpStuckMs: options.pgpStuckMs,
    openReceived: () => sourceOf(received),
    openScratch() {
      const parts: Buffer[] = [];
      return { push: (piece) => void parts.push(Buffer.from(piece)), end: () => sourceOf(Buffer.concat(parts)), abort() {} };
    },
    openMember(name) {
      const parts: Buffer[] = [];
      return {
        push(piece) {
          bytes += piece.length;
          parts.push(Buffer.from(piece));
        },
        end: async () => void members.push([name, Buffer.concat(parts)]),
        abort() {},
      };
    },
  });
  const pieceBytes = options.pieceBytes ?? 10_000;
  try {
    for (let at = 0; at < received.length; at += pieceBytes) {
      const piece = received.subarray(at, at + pieceBytes);
      receivedBytes += piece.length;
      await chain.push(piece);
    }
    await chain.end();
    return { problem: undefined, members, bytes };
  } catch (error) {
    chain.abort();
    if (!(error instanceof UnpackError)) throw error;
    return { problem: error.problem, members: [], bytes };
  }
}

function sourceOf(bytes: Uint8Array) {
  return {
    size: bytes.length,
    read(into: Uint8Array, at: number, length: number, position: number) {
      const piece = bytes.subarray(position, position + length);
      into.set(piece, at);
      return piece.length;
    },
    close() {},
  };
}
