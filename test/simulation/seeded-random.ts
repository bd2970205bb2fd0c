/** Random choices of a soak from a seed: the same seed makes the same files and the same plan of faults. */
export interface SeededRandom {
  /** In [0, 1). */
  fraction(): number;
  /** An integer in [min, max]. */
  between(min: number, max: number): number;
  isTrue(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
  /** A generator of its own, so that what one part draws does not move the others. */
  fork(): SeededRandom;
}

/** A 32-bit mixing generator (splitmix32): good enough to choose with, never for secrets. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const random: SeededRandom = {
    fraction: () => next() / 2 ** 32,
    between: (min, max) => min + Math.floor(random.fraction() * (max - min + 1)),
    isTrue: (probability) => random.fraction() < probability,
    pick: (choices) => choices[random.between(0, choices.length - 1)]!,
    fork: () => seededRandom(next()),
  };
  return random;
}
