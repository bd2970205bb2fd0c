/**
 * Which targets a record goes to, as small numbers: a dictionary of target sets that grows as routes decide. Number 0 is
 * the empty set, of records that go nowhere.
 */

import type { RoutesPlan } from '../plan.ts';

export class RouteSets {
  readonly sets: (readonly number[])[] = [[]];
  readonly #byTargets = new Map<string, number>([['', 0]]);

  /** The sets that routes of mode `first` can choose are numbered in the order of the rules, before any record. */
  constructor(routes: RoutesPlan) {
    if (routes.mode === 'all') return;
    for (const rule of routes.rules) this.numberOf(rule.to);
    this.numberOf(routes.default);
  }

  /** Number of the set with these targets, in any order and with repetitions. */
  numberOf(targets: Iterable<number>): number {
    const sorted = [...new Set(targets)].sort((a, b) => a - b);
    const key = sorted.join(',');
    const known = this.#byTargets.get(key);
    if (known !== undefined) return known;
    if (this.sets.length > 0xffff) throw new Error('a chunk has more than 65,535 route sets');
    this.sets.push(sorted);
    this.#byTargets.set(key, this.sets.length - 1);
    return this.sets.length - 1;
  }
}
