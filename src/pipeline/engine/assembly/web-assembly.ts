/** The few parts of the WebAssembly API that the engine uses, typed here because the project compiles without browser types. */

export interface WebAssemblyMemory {
  readonly buffer: ArrayBuffer;
  /** By so many pages; the buffer is another one then. */
  grow(pages: number): number;
}

export interface WebAssemblyApi {
  readonly Memory: new (size: { readonly initial: number }) => WebAssemblyMemory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
}

export const webAssembly: WebAssemblyApi = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly;

export const pageBytes = 65_536;
