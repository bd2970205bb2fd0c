/**
 * The life of a chunk group (what one claim runs) as one total table: state by event. The database refuses every other
 * move by a trigger; its own table is tested to be equal.
 */

export const chunkGroupStates = ['ready', 'running', 'done', 'failed', 'cancelled'] as const;
export type ChunkGroupState = (typeof chunkGroupStates)[number];

export const chunkGroupEvents = ['create', 'claim', 'release', 'finish', 'fail', 'cancel'] as const;
export type ChunkGroupEvent = (typeof chunkGroupEvents)[number];

/** The empty state is that of a group that does not exist yet. */
export const chunkGroupTransitions: Readonly<Record<ChunkGroupState | '', Readonly<Partial<Record<ChunkGroupEvent, ChunkGroupState>>>>> = {
  '': { create: 'ready' },
  ready: { claim: 'running', cancel: 'cancelled' },
  running: { release: 'ready', finish: 'done', fail: 'failed', cancel: 'cancelled' },
  done: {},
  failed: {},
  cancelled: {},
};

/** The state that the event leads to; an event that the state does not have is a programmer's error. */
export function nextChunkGroupState(state: ChunkGroupState | '', event: ChunkGroupEvent): ChunkGroupState {
  const next = chunkGroupTransitions[state][event];
  if (next === undefined) throw new Error(`a chunk group in state "${state}" has no event "${event}"`);
  return next;
}
