/**
 * Recomputes which records a flow leaves out because an earlier record of the file has the same unique value
 * (docs/record-rules.md, section 7): judged among valid records in their order, and no value of a record that is left out
 * counts for those behind it. Texts are compared as they are; the engine's hashes are not believed.
 */
import { repeatsMax } from '../../engine/file/duplicates.ts';
import { planHashedKeys, uniqueKeys } from '../../engine/outcomes/hashed-keys.ts';
import type { Plan } from '../../engine/plan.ts';
import type { ReferenceRecord } from '../../engine/reference/reference-run.ts';
import { TextSet } from './text-set.ts';

export const duplicateCode = 'E_DUPLICATE_KEY';
export const duplicateMessage = 'an earlier record of the file has the same value';

interface UniqueKey {
  /** Name of the field that holds it, by record type. */
  readonly fields: ReadonlyMap<string, string>;
  /** Of records that stay. */
  readonly seen: TextSet;
  /** Of those that were left out. */
  readonly leftOut: TextSet;
}

export class DuplicateCheck {
  readonly #keys: readonly UniqueKey[];
  readonly #isRejectedForThem: boolean;
  #repeats = 0;

  /** `isRejectedForThem`: the file is said to be rejected because it has too many; no record is left out then. */
  constructor(plan: Plan, isRejectedForThem: boolean) {
    const keys = planHashedKeys(plan);
    this.#keys = uniqueKeys(keys).map((index) => ({
      fields: fieldNames(plan, keys[index]!.fields),
      seen: new TextSet(),
      leftOut: new TextSet(),
    }));
    this.#isRejectedForThem = isRejectedForThem;
  }

  /** Whether more values repeat earlier ones, of records that were left out too, than a file may have. */
  get hasTooMany(): boolean {
    return this.#repeats > repeatsMax;
  }

  /** Of a valid record, in file order: the first field whose value a record before it has that stays, or null. */
  take(record: ReferenceRecord): string | null {
    const own = this.#keys.flatMap(({ fields, seen, leftOut }) => {
      const field = fields.get(record.type ?? '');
      const text = field === undefined ? undefined : record.uniques.get(field);
      return text === undefined ? [] : [{ field: field!, text, seen, leftOut }];
    });
    this.#repeats += own.filter(({ text, seen, leftOut }) => seen.has(text) || leftOut.has(text)).length;
    const repeated = this.#isRejectedForThem ? undefined : own.find(({ text, seen }) => seen.has(text));
    for (const { text, seen, leftOut } of own) (repeated === undefined ? seen : leftOut).add(text);
    return repeated?.field ?? null;
  }
}

function fieldNames(plan: Plan, fields: readonly (readonly number[] | null)[]): Map<string, string> {
  return new Map(
    plan.records.flatMap((record, type) => {
      const [index] = fields[type] ?? [];
      return index === undefined ? [] : [[record.name, record.fields[index]!.name] as const];
    }),
  );
}
