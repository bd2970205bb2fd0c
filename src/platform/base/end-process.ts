/**
 * The end of a process. The runtime waits for its threads then, and one that compiles in the background and finds no room waits for a
 * collection that nobody makes any more: both wait for ever (nodejs/node#54918, #64274). A collection before leaves it room.
 */

/** Of `--expose-gc`, which `bin/headgate` gives. */
const collect = (globalThis as { readonly gc?: () => void }).gc;

export function endProcess(exitCode: number): never {
  collect?.();
  process.exit(exitCode);
}
