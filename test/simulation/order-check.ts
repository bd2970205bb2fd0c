/**
 * Whether records came in order: those of a key, or all of a target that keeps the order of files. Within a file that is the
 * order of its lines, and never do those of a file come behind those of another that was begun to be sent only after the first
 * was acknowledged. Where the order of files is kept no file comes in between another either. What came again is left apart.
 */
import type { KeptOrder } from './soak-flows.ts';

export interface OrderKnowledge {
  /** Of each record that has one. */
  readonly keys: ReadonlyMap<string, string>;
  /** By number of the file: where its first sending and its first acknowledgement stand in the senders' journal. */
  readonly begunAt: ReadonlyMap<number, number>;
  readonly ackedAt: ReadonlyMap<number, number>;
}

/** Of a key, or of all records. */
interface OrderState {
  /** Greatest place of a record so far, by file. */
  readonly places: Map<number, number>;
  /** Of the files so far, where the last one to be begun was begun. */
  lastBegunAt: number;
  /** Number of the file of the record before. */
  lastFile: number;
}

/** Ids of records that came behind one that must follow them; `ids` in the order of arrival, repeats included. */
export function findOutOfOrder(ids: Iterable<string>, order: KeptOrder, { keys, begunAt, ackedAt }: OrderKnowledge): string[] {
  const seen = new Set<string>();
  const states = new Map<string, OrderState>();
  const found: string[] = [];
  for (const id of ids) {
    const [file, place] = placeOf(id);
    const key = order === 'key' ? keys.get(id) : begunAt.has(file) ? '' : undefined;
    if (key === undefined || seen.has(id)) continue;
    seen.add(id);
    const state = states.get(key) ?? { places: new Map(), lastBegunAt: -1, lastFile: file };
    states.set(key, state);
    const isBehindItself = (state.places.get(file) ?? -1) >= place;
    const isBehindLater = (ackedAt.get(file) ?? Number.POSITIVE_INFINITY) < state.lastBegunAt;
    const isTorn = order === 'file' && state.places.has(file) && state.lastFile !== file;
    if (isBehindItself || isBehindLater || isTorn) found.push(id);
    state.places.set(file, Math.max(place, state.places.get(file) ?? -1));
    state.lastBegunAt = Math.max(state.lastBegunAt, begunAt.get(file) ?? -1);
    state.lastFile = file;
  }
  return found;
}

/** `T000012-0003` is the fourth record of file 12. */
function placeOf(id: string): [file: number, place: number] {
  return [Number(id.slice(1, 7)), Number(id.slice(8))];
}
