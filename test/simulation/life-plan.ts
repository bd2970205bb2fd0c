/**
 * Decides how each life of a serving process ends, until there were enough kills. Named points that were hit least come
 * first, so that all of them are.
 */
import type { SeededRandom } from './seeded-random.ts';
import type { Life } from './server-slot.ts';

/** Files acknowledged per kill: less traffic would make kills of idle processes. */
export const acksPerKill = 10;

/** Shares of the ways to end; what is left is a kill at any instant. */
export interface LifeShares {
  readonly point: number;
  readonly pause: number;
  readonly drain: number;
}

export interface LifePlanOptions {
  readonly kills: number;
  readonly points: readonly string[];
  readonly shares: LifeShares;
  readonly random: SeededRandom;
  /** Where pauses begin; at any instant where there are none. */
  readonly pausePoints: readonly string[];
  /** All lives are what `shares` says, however few files have come, and all pauses begin at a point. */
  readonly isAimed?: boolean;
  /** True while the traffic lags behind the kills: lives must be longer then. */
  isBehind(): boolean;
}

export interface LifePlan {
  /** Undefined when enough lives that end in a kill are under way or over. */
  next(): Life | undefined;
  /** A life is over; `wasKilled`: by SIGKILL. */
  end(life: Life, outcome: { readonly wasKilled: boolean; readonly point: string | undefined }): void;
  readonly kills: number;
  readonly hits: Readonly<Record<string, number>>;
}

export function createLifePlan({ kills: killsWanted, points, shares, pausePoints, isAimed, random, isBehind }: LifePlanOptions): LifePlan {
  const hits: Record<string, number> = Object.fromEntries(points.map((point) => [point, 0]));
  const tries: Record<string, number> = { ...hits };
  let kills = 0;
  let underWay = 0;

  function choosePoint(): Life {
    // Points that are tried in vain fall back behind the others, or they would be the only ones tried.
    const rank = (point: string) => hits[point]! + Math.floor(tries[point]! / 3);
    const least = Math.min(...points.map(rank));
    const point = random.pick(points.filter((candidate) => rank(candidate) === least));
    tries[point]! += 1;
    const isRare = hits[point] === 0 && tries[point]! > 3;
    return { end: 'point', point, count: hits[point] === 0 ? 1 : isBehind() ? random.between(5, 25) : random.between(1, 8), isRare };
  }

  function choosePause(): Life {
    if (pausePoints.length === 0 || (!isAimed && random.isTrue(0.3))) return { end: 'pause' };
    // An aimed one has to come by its point, and the first time is the surest.
    return { end: 'pause', point: random.pick(pausePoints), count: isAimed ? 1 : random.between(1, 4) };
  }

  function choose(): Life {
    // A kill at any instant waits for the traffic, one at a point does not: on a slow machine there are more of the former, and the
    // last life is one.
    if (!isAimed && isBehind() && (kills + underWay === killsWanted || random.isTrue(0.5))) return { end: 'instant' };
    const draw = random.fraction();
    if (points.length > 0 && draw < shares.point) return choosePoint();
    if (draw < shares.point + shares.pause) return choosePause();
    if (draw < shares.point + shares.pause + shares.drain) return { end: 'drain' };
    return { end: 'instant' };
  }

  return {
    next() {
      if (kills + underWay >= killsWanted) return undefined;
      underWay += 1;
      return choose();
    },
    end(_life, { wasKilled, point }) {
      underWay -= 1;
      if (wasKilled) kills += 1;
      if (point !== undefined) hits[point] = (hits[point] ?? 0) + 1;
    },
    get kills() {
      return kills;
    },
    hits,
  };
}
