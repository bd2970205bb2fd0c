/**
 * A fault for tests: with HEADGATE_TEST_POISON set, whatever reads a piece of a file that holds this text dies, as it would
 * of a record that brings down the runtime. Without it, files are read as they are.
 */
import type { ByteSource } from '../../platform/base/byte-source.ts';
import type { WatchSource } from './group-runner.ts';

export function plantedKiller(env: Readonly<Record<string, string | undefined>>, die: () => void): WatchSource {
  const marker = env['HEADGATE_TEST_POISON'];
  if (!marker) return null;
  return (source: ByteSource) => ({
    size: source.size,
    read(into, at, length, position) {
      const count = source.read(into, at, length, position);
      if (Buffer.from(into.buffer, into.byteOffset + at, count).includes(marker)) die();
      return count;
    },
  });
}
