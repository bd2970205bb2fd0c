/** What the reference parser says of one record. */
import type { Finding } from '../chunk.ts';
import type { Amount } from './money.ts';

export interface ReferenceRecord {
  readonly record: number;
  /** Of the first byte; `length` includes the line end. */
  readonly offset: number;
  readonly length: number;
  readonly type: string | null;
  readonly status: 'valid' | 'rejected' | 'filtered';
  readonly findings: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly routes: readonly number[];
  /** Texts of the business key's fields; null when there is none. */
  readonly key: readonly (string | null)[] | null;
  /** Texts of the `unique: file` fields by name; absent ones are left out. */
  readonly uniques: ReadonlyMap<string, string>;
  readonly amounts: readonly Amount[];
  readonly outputs: ReadonlyMap<number, Uint8Array>;
}
