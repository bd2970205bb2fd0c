/** Counts findings by (code, field, rule) with the first offset of each: at most `findingGroupsMax` groups whatever the input. */
import type { Finding, FindingGroup } from './chunk.ts';

/** Beyond this many, findings are grouped by code alone. */
export const detailedGroupsMax = 900;

/** Codes that findings can have: one for each of the 200 rules of a flow, and those of the product. */
const codesMax = 400;

/** One more for each code. */
export const findingGroupsMax = detailedGroupsMax + codesMax;

export class FindingGroups {
  readonly #groups = new Map<
    string,
    { code: string; field: string | null; rule: string | null; count: number; firstOffset: number; message: string }
  >();

  add(finding: Omit<Finding, 'record'>): void {
    this.#count({ ...finding, firstOffset: finding.offset, count: 1 });
  }

  addGroups(groups: readonly FindingGroup[]): void {
    for (const group of groups) this.#count(group);
  }

  #count(group: Omit<FindingGroup, 'message'> & { readonly message: string }): void {
    // Codes hold no NUL, so no two groups share a key.
    let key = `${group.code}\0${group.rule ?? ''}\0${group.field ?? ''}`;
    let known = this.#groups.get(key);
    if (known === undefined && this.#groups.size >= detailedGroupsMax) {
      key = group.code;
      known = this.#groups.get(key);
      group = { ...group, field: null, rule: null };
    }
    if (known === undefined) {
      const { code, field, rule, count, firstOffset, message } = group;
      this.#groups.set(key, { code, field, rule, count, firstOffset, message });
    } else {
      known.count += group.count;
      if (group.firstOffset < known.firstOffset) {
        known.firstOffset = group.firstOffset;
        known.message = group.message;
      }
    }
  }

  /** In the order of their first occurrence. */
  toGroups(): FindingGroup[] {
    return [...this.#groups.values()].sort((a, b) => a.firstOffset - b.firstOffset).map((group) => ({ ...group }));
  }
}
