/** What names outside a script mean: where arrays, structures and constants are in memory, and which functions there are. */

export type ValueType = 'int' | 'double';

export type ElementType = 'i8' | 'u8' | 'i16' | 'u16' | 'i32' | 'u32' | 'f64';

/** How many bits an index is shifted by. */
export const elementShift: Readonly<Record<ElementType, number>> = { i8: 0, u8: 0, i16: 1, u16: 1, i32: 2, u32: 2, f64: 3 };

export interface PlacedArray {
  readonly address: number;
  readonly type: ElementType;
}

export interface CallableFunction {
  readonly index: number;
  readonly parameters: readonly ValueType[];
  /** Null: it gives nothing back. */
  readonly result: ValueType | null;
}

export interface ScriptWorld {
  /** Also properties with an index, such as `X.ends`. */
  readonly arrays: ReadonlyMap<string, PlacedArray>;
  /** Addresses that `getInt32` and its like are relative to. */
  readonly views: ReadonlyMap<string, number>;
  /** Structures in a row: `NAME[i]` is the address of one. */
  readonly structures: ReadonlyMap<string, { readonly address: number; readonly bytes: number }>;
  /** Members of every structure: offset and type. */
  readonly members: ReadonlyMap<string, PlacedArray>;
  /** `object.property` at one place. */
  readonly properties: ReadonlyMap<string, PlacedArray>;
  readonly constants: ReadonlyMap<string, number>;
  readonly functions: ReadonlyMap<string, CallableFunction>;
}
