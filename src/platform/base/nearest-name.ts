/** "Did you mean": the known name nearest to a mistyped one, for settings, commands, keys of definitions and names in expressions. */

const comparedMax = 64;
const editsMax = 2;

/**
 * Null when nothing is near enough: at most two edits, and at most a third of the longer name's letters but for one edit, which
 * leaves something of the name. Of names as near as each other it is the first. Letters of either case are the same.
 */
export function nearestName(name: string, known: Iterable<string>): string | null {
  const wanted = name.slice(0, comparedMax).toLowerCase();
  let best: { candidate: string; distance: number } | null = null;
  for (const candidate of known) {
    const length = Math.max(wanted.length, candidate.length);
    const limit = Math.min(editsMax, length - 1, Math.max(1, Math.floor(length / 3)));
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance <= limit && (best === null || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate ?? null;
}

/** Edits that insert, delete, replace or swap neighbours. */
function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const cost = left[row - 1] === right[column - 1] ? 0 : 1;
      let distance = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + cost);
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        distance = Math.min(distance, beforePrevious[column - 2]! + 1);
      }
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length]!;
}
