/**
 * Faults for tests: whatever reads a piece of a file that holds the text of HEADGATE_TEST_POISON dies, as it would of a
 * record that brings down the runtime; of HEADGATE_TEST_STALL, it never comes back. Without them, files are read as they are.
 */
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import type { WatchSource } from '../groups/group-runner.ts';

export function plantedKiller(env: Readonly<Record<string, string | undefined>>, die: () => void): WatchSource {
  const faults = (
    [
      [env['HEADGATE_TEST_POISON'], die],
      [env['HEADGATE_TEST_STALL'], stall],
    ] as const
  ).filter(([marker]) => marker);
  if (faults.length === 0) return null;
  return (source: ByteSource) => ({
    size: source.size,
    read(into, at, length, position) {
      const count = source.read(into, at, length, position);
      const bytes = Buffer.from(into.buffer, into.byteOffset + at, count);
      for (const [marker, fault] of faults) if (bytes.includes(marker!)) fault();
      return count;
    },
  });
}

function stall(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
