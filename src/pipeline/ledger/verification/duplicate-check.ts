/**
 * Recomputes which records a flow leaves out because an earlier record of the file has the same unique value
 * (docs/record-rules.md, section 7): judged among valid records, of equals the lowest record number stays.
 */
import type { Plan } from '../../engine/plan.ts';
import type { ReferenceRecord } from '../../engine/reference/reference-run.ts';

export const duplicateCode = 'E_DUPLICATE_KEY';

export class DuplicateCheck {
  readonly #names: readonly string[];
  readonly #seen: ReadonlyMap<string, Set<string>>;

  constructor(plan: Plan) {
    this.#names = uniqueFields(plan);
    this.#seen = new Map(this.#names.map((name) => [name, new Set<string>()]));
  }

  /** Of a valid record, in file order: the field whose value occurred before, or null. */
  take(record: ReferenceRecord): string | null {
    let duplicate: string | null = null;
    for (const name of this.#names) {
      const text = record.uniques.get(name);
      if (text === undefined) continue;
      const seen = this.#seen.get(name)!;
      if (seen.has(text)) duplicate ??= name;
      else seen.add(text);
    }
    return duplicate;
  }
}

/** The field that is the whole business key first, then the others as the plan lists them. */
function uniqueFields(plan: Plan): string[] {
  const data = plan.records.filter((record) => record.role === 'data');
  const keys = data.flatMap((record) => (record.key.length === 1 ? [record.fields[record.key[0]!]!] : []));
  const fields = [...keys, ...data.flatMap((record) => record.fields)].filter((field) => field.unique === 'file');
  return [...new Set(fields.map((field) => field.name))];
}
