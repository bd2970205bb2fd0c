/**
 * The end of a process. The runtime waits for its threads then, and one that compiles in the background and finds no room waits for a
 * collection that nobody makes any more: both wait for ever (nodejs/node#54918, #64274). A collection before leaves it room.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { keepCompiledCode } from './kept-code.ts';

/** Asked for at the end only: with flags that differ, a process may not use the code that comes compiled with the runtime. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** Exit codes of processes that are ended by these. */
export const endingSignals = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export function endProcess(exitCode: number): never {
  keepCompiledCode();
  collect();
  process.exit(exitCode);
}
