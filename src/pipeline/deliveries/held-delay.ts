/** How long a held batch stays out of sight of the workers. */
import { noLane } from './batch.ts';

/** A held batch of an ordered target stays in the queue, so that its lane waits; a decision makes it ready at once. */
const heldAgainMs = 3_600_000;

/** Null: it leaves the queue until a person decides. */
export function heldDelayMs(lane: number): number | null {
  return lane === noLane ? null : heldAgainMs;
}
