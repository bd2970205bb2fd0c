/**
 * The batches of this process that are at their targets or wait for them. From a number on no target keeps more than twice its
 * concurrency of them, and the next ones are given back: else targets that take calls and never answer would keep every place from
 * all others. Claims are made so that few have to be: each costs as much as one that is sent.
 */
import type { TargetGate } from './target-gate.ts';

export interface TargetPlace {
  /** Gives the place at the target to the next batch. */
  passOn(): void;
  /** The batch is done with. Passes on what was not passed on before. */
  leave(): void;
}

export interface TargetCrowd {
  /** Resolves with null when the batch has to be given back, or the signal fires first. */
  enter(gate: TargetGate, signal: AbortSignal): Promise<TargetPlace | null>;
  /**
   * How many batches more, of `inHand` that there are, would not be given back for the sake of targets that soon have room again.
   * What waits for other targets is not counted: nobody knows for how long.
   */
  room(inHand: number): number;
}

export function createTargetCrowd(crowdMax: number): TargetCrowd {
  const gates = new Set<TargetGate>();
  let placed = 0;

  function leave(gate: TargetGate): void {
    placed -= 1;
    if (gate.load === 0) gates.delete(gate);
  }

  return {
    async enter(gate, signal) {
      if (placed >= crowdMax && gate.load >= gate.limits.concurrency * 2) return null;
      placed += 1;
      gates.add(gate);
      const passOn = await gate.enter(signal);
      if (passOn === null) {
        leave(gate);
        return null;
      }
      return {
        passOn,
        leave() {
          passOn();
          leave(gate);
        },
      };
    },
    room(inHand) {
      let atFlowing = 0;
      for (const gate of gates) if (gate.isFlowing) atFlowing += gate.load;
      return crowdMax - atFlowing - (inHand - placed);
    },
  };
}
