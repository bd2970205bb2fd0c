/**
 * The compiled code that the bundle keeps beside itself (`scripts/bundle-loader.cjs`): what V8 made of the functions that a process or thread has
 * run so far, and kernels. Node keeps only what is compiled when a module is loaded, so that each function would be compiled again by every
 * process that calls it. Whoever runs the sources has nothing that is kept.
 */

interface Keeper {
  /** Of the functions that have run. At the first call, and only where little is kept yet. */
  keepCode(): void;
  /** Null: nothing is kept for this key, or it is not whole. */
  readKernel(key: string): Uint8Array<ArrayBuffer> | null;
  writeKernel(key: string, bytes: Uint8Array): void;
  hasKernels(): boolean;
}

function keeper(): Keeper | undefined {
  return (globalThis as { readonly [symbol: symbol]: unknown })[Symbol.for('headgate.keeper')] as Keeper | undefined;
}

/** Keeps the code of what has run for those to come. */
export function keepCompiledCode(): void {
  keeper()?.keepCode();
}

/** For a thread, which is ended without notice: to be called after each piece of its work; keeps the code after so many. */
export function codeKeeper(pieces: number): () => void {
  let left = pieces;
  return () => {
    if (left > 0 && --left === 0) keepCompiledCode();
  };
}

/** A kernel's module that was compiled before from the same `key`, which says everything that it is made of. */
export function keptKernel(key: string): Uint8Array<ArrayBuffer> | null {
  return keeper()?.readKernel(key) ?? null;
}

export function keepKernel(key: string, bytes: Uint8Array): void {
  keeper()?.writeKernel(key, bytes);
}

/** Whether it is worth while to wait for a kernel that may be kept before what all of them need is compiled. */
export function hasKeptKernels(): boolean {
  return keeper()?.hasKernels() ?? false;
}
