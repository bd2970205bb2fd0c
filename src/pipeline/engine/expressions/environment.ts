/**
 * What an expression may name where it stands: the fields of the scopes it can see, and in file rules the totals.
 */
import type { Scope, ValueType } from './expression.ts';

export interface FieldBinding {
  readonly name: string;
  readonly type: ValueType;
  readonly index: number;
}

export interface StatisticsBinding {
  /** Summed fields; those with a currency have `stats.sumBy.field['ZAR']` as well, of these currencies. */
  readonly sums: readonly { readonly field: string; readonly type: ValueType; readonly currencies: readonly string[] | null }[];
  /** Counted record types, for `stats.count.type`. */
  readonly recordTypes: readonly string[];
}

export interface Environment {
  /** A scope that is missing here can not be named. */
  readonly scopes: Readonly<Partial<Record<Scope, readonly FieldBinding[]>>>;
  readonly statistics: StatisticsBinding | null;
  /** What to say of a scope that exists elsewhere: `out` in a filter, `stats` in a record rule. */
  readonly absent: Readonly<Partial<Record<Scope | 'stats', string>>>;
  /** Names of later versions (`calendar`): E_NOT_SUPPORTED_YET. */
  readonly later: readonly string[];
  /** What to say of a field that exists, but not for every record that the expression sees. */
  readonly hiddenFields: ReadonlyMap<string, string>;
}
