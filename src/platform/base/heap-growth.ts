/**
 * How far the old memory of this process may grow before it is collected. By the runtime's own measure what little of a chunk outlives two
 * collections of young memory would stay until there is four times as much as at the start.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * By half of what is left after a collection, and 8 MB at the least; or as the runtime will. Changed while nothing is loaded: code that was
 * compiled before under other flags is compiled again.
 */
export function growSlowly(isSlow: boolean): void {
  setFlagsFromString(`--heap-growing-percent=${isSlow ? 50 : 0}`);
}
