/**
 * How many dead letters a process has in memory: whoever is about to make those of a big batch waits until there is room for them,
 * in the order of asking. Else hundreds of batches that a target refuses faster than letters are written would all have theirs.
 * Few letters, as batches have unless a flow asks for bigger ones, wait for nobody: another tenant may have all the room for long.
 */
import type { ClaimedWork } from '../work-queue-port.ts';

export interface LetterRoom {
  /** Resolves when there is room, or nobody else has any; at once for a hundredth of it. Who asks again has it already. */
  enter(work: ClaimedWork, letters: number): Promise<void>;
  leave(work: ClaimedWork): void;
}

/** A letter takes about a kilobyte. */
export const lettersMax = 50_000;

interface Waiting {
  readonly work: ClaimedWork;
  readonly letters: number;
  readonly enter: () => void;
}

export function createLetterRoom(most: number): LetterRoom {
  const entered = new Map<ClaimedWork, number>();
  const waiting: Waiting[] = [];
  let taken = 0;

  function take(work: ClaimedWork, letters: number): void {
    entered.set(work, letters);
    taken += letters;
  }

  function letIn(): void {
    for (let next = waiting[0]; next !== undefined && (taken === 0 || taken + next.letters <= most); next = waiting[0]) {
      waiting.shift();
      take(next.work, next.letters);
      next.enter();
    }
  }

  return {
    enter(work, letters) {
      if (entered.has(work)) return Promise.resolve();
      if (letters * 100 <= most) {
        take(work, letters);
        return Promise.resolve();
      }
      return new Promise((enter) => {
        waiting.push({ work, letters, enter });
        letIn();
      });
    },
    leave(work) {
      taken -= entered.get(work) ?? 0;
      entered.delete(work);
      letIn();
    },
  };
}
