/**
 * What is left of a file's warnings when records are excluded, because warnings belong to valid records. A record that stays
 * is read again only where the first of a group was an excluded one: to find which is the first now.
 */
import type { ChunkSummary, FindingGroup } from '../chunk.ts';
import { detailedGroupsMax } from '../finding-groups.ts';
import { outcomeStatus, warnedFlag } from '../outcomes/outcome-columns.ts';
import type { RecordFinding } from '../records/record-finding.ts';
import type { Exclusion } from './duplicates.ts';
import type { FinishedChunks } from './finished-chunks.ts';

type OpenGroup = { -readonly [Name in keyof FindingGroup]: FindingGroup[Name] };
type Warnings = Pick<ChunkSummary, 'warned' | 'warnings'>;

export class ExcludedWarnings {
  /** Numbers of the excluded records that have warnings. */
  readonly #records = new Set<number>();
  readonly #groups = new Map<string, OpenGroup>();

  /** In record order. */
  add({ record, offset }: Exclusion, warnings: readonly RecordFinding[]): void {
    if (warnings.length === 0) return;
    this.#records.add(record);
    for (const { code, field, rule, message } of warnings) {
      const key = JSON.stringify([code, field, rule]);
      const known = this.#groups.get(key);
      if (known === undefined) this.#groups.set(key, { code, field, rule, count: 1, firstOffset: offset, message });
      else known.count++;
    }
  }

  /** `all`: those of the whole file, without a look at who is excluded. */
  takeFrom(all: Warnings, chunks: FinishedChunks): Warnings {
    if (this.#records.size === 0) return { warned: all.warned, warnings: all.warnings };
    const left = all.warnings.map((group): OpenGroup => ({ ...group }));
    const headless = new Set<OpenGroup>();
    for (const excluded of this.#groups.values())
      for (const group of subtract(left, excluded)) if (group.firstOffset === excluded.firstOffset) headless.add(group);
    const warnings = left.filter(({ count }) => count > 0);
    this.#findFirsts(new Set(warnings.filter((group) => headless.has(group))), chunks);
    return { warned: all.warned - this.#records.size, warnings: warnings.sort((a, b) => a.firstOffset - b.firstOffset) };
  }

  #findFirsts(wanted: Set<OpenGroup>, chunks: FinishedChunks): void {
    const from = Math.min(...[...wanted].map(({ firstOffset }) => firstOffset));
    for (const chunk of chunks.all) {
      if (wanted.size === 0) return;
      if (chunk.spec.end <= from) continue;
      const { outcomes } = chunk;
      for (let position = 0; position < outcomes.header.records && wanted.size > 0; position++) {
        if (outcomes.statusOf(position) !== (outcomeStatus.valid | warnedFlag)) continue;
        const { record, offset } = outcomes.outcome(position);
        if (offset < from || this.#records.has(record)) continue;
        const { warnings } = chunks.fetch(chunk, offset);
        for (const group of wanted) {
          const first = warnings.find((warning) => isOf(group, warning));
          if (first === undefined) continue;
          group.firstOffset = offset;
          group.message = first.message;
          wanted.delete(group);
        }
      }
    }
  }
}

/** Returns the groups that it was counted in: its own or, of a file with very many groups, that of its code too. */
function subtract(groups: readonly OpenGroup[], excluded: FindingGroup): OpenGroup[] {
  const own = groups.filter((group) => isOf(group, excluded));
  const ofCode = groups.length < detailedGroupsMax ? [] : groups.filter(({ code }) => code === excluded.code);
  let rest = excluded.count;
  return [...own, ...ofCode].filter((group) => {
    const taken = Math.min(rest, group.count);
    group.count -= taken;
    rest -= taken;
    return taken > 0;
  });
}

function isOf(group: FindingGroup, { code, field, rule }: RecordFinding): boolean {
  return group.code === code && group.field === field && group.rule === rule;
}
