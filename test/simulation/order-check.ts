/**
 * Whether the records of a key came in order: within a file in the order of its lines, and never those of a file behind
 * those of another that was begun to be sent only after the first was acknowledged. What came again is left apart.
 */

export interface OrderKnowledge {
  /** Of each record that has one. */
  readonly keys: ReadonlyMap<string, string>;
  /** By number of the file: where its first sending and its first acknowledgement stand in the senders' journal. */
  readonly begunAt: ReadonlyMap<number, number>;
  readonly ackedAt: ReadonlyMap<number, number>;
}

interface KeyState {
  /** Greatest place of a record so far, by file. */
  readonly places: Map<number, number>;
  /** Of the files so far, where the last one to be begun was begun. */
  lastBegunAt: number;
}

/** Ids of records that came behind one that must follow them; `ids` in the order of arrival, repeats included. */
export function findOutOfOrder(ids: Iterable<string>, { keys, begunAt, ackedAt }: OrderKnowledge): string[] {
  const seen = new Set<string>();
  const states = new Map<string, KeyState>();
  const found: string[] = [];
  for (const id of ids) {
    const key = keys.get(id);
    if (key === undefined || seen.has(id)) continue;
    seen.add(id);
    const state = states.get(key) ?? { places: new Map(), lastBegunAt: -1 };
    states.set(key, state);
    const [file, place] = placeOf(id);
    const isBehindItself = (state.places.get(file) ?? -1) >= place;
    const isBehindLater = (ackedAt.get(file) ?? Number.POSITIVE_INFINITY) < state.lastBegunAt;
    if (isBehindItself || isBehindLater) found.push(id);
    state.places.set(file, Math.max(place, state.places.get(file) ?? -1));
    state.lastBegunAt = Math.max(state.lastBegunAt, begunAt.get(file) ?? -1);
  }
  return found;
}

/** `T000012-0003` is the fourth record of file 12. */
function placeOf(id: string): [file: number, place: number] {
  return [Number(id.slice(1, 7)), Number(id.slice(8))];
}
