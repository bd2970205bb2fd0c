/**
 * The compiled code that the bundle keeps: what V8 made of the functions that a process or thread has run so far. Node keeps only
 * what is compiled when a module is loaded, so that each function would be compiled again by every process that calls it.
 */

/** What the loader of the bundle leaves here (`scripts/bundle-loader.cjs`). */
const hook = Symbol.for('headgate.keepCode');

/** Keeps it for those to come, at the first call and only where there is little yet. Whoever runs the sources has nothing to keep. */
export function keepCompiledCode(): void {
  (globalThis as { [hook]?: () => void })[hook]?.();
}

/** For a thread, which is ended without notice: to be called after each piece of its work; keeps the code after so many. */
export function codeKeeper(pieces: number): () => void {
  let left = pieces;
  return () => {
    if (left > 0 && --left === 0) keepCompiledCode();
  };
}
