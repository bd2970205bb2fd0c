/**
 * Proof that the soak sees what it is for: each planted mistake is switched on in the serving processes and the faults that
 * bring it to light are aimed at it. It is caught when the checks that are all zero in a sound product are not.
 */
import { join } from 'node:path';
import { type PlantedFault, plantedFaults } from '../../src/platform/base/planted-faults.ts';
import type { EmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';
import { runSoak, type SoakOptions, type SoakResult } from './soak-run.ts';

type Aim = Pick<
  SoakOptions,
  'kills' | 'points' | 'shares' | 'pausePoints' | 'isAimed' | 'traffic' | 'faults' | 'isSecondSteady' | 'openJobsMax'
> & {
  isCaught(result: SoakResult): boolean;
};

const noFaults = { databaseRestartMs: 0, lostCommitMs: 0, lostRequestMs: 0 };

const aims: Readonly<Record<PlantedFault, Aim>> = {
  'ack-before-commit': {
    kills: 4,
    points: ['arrivals.before-commit'],
    shares: { point: 1, pause: 0, drain: 0 },
    pausePoints: [],
    faults: noFaults,
    isCaught: ({ lost }) => lost > 0,
  },
  'no-fence': {
    kills: 4,
    points: [],
    shares: { point: 0, pause: 1, drain: 0 },
    // A run of a chunk that wakes up when another has its work: it counts the records once more, or takes the work away.
    pausePoints: ['jobs.after-segments'],
    isAimed: true,
    traffic: { flows: ['statements'], isClean: true },
    isSecondSteady: true,
    // So that the other comes to it before this one wakes up.
    openJobsMax: 20,
    faults: noFaults,
    isCaught: ({ doubledInLedger, unbalancedJobs, lostWork }) => doubledInLedger + unbalancedJobs + lostWork > 0,
  },
  'new-key-on-retry': {
    kills: 2,
    points: [],
    shares: { point: 0, pause: 0, drain: 0 },
    pausePoints: [],
    traffic: { flows: ['notices'] },
    faults: { ...noFaults, lostRequestMs: 100, requests: /^POST \/single/ },
    isCaught: ({ rekeyedDuplicates }) => rekeyedDuplicates > 0,
  },
};

/** Runs, each with another seed, before a planted mistake counts as not caught: a race does not come up every time. */
const attemptsMax = 5;

interface PlantedOptions {
  readonly folder: string;
  readonly cluster: EmbeddedPostgres;
  readonly seed: number;
  readonly say: (line: string) => void;
  readonly only?: string;
}

export async function checkPlantedFaults(options: PlantedOptions): Promise<Partial<Record<PlantedFault, boolean>>> {
  const wanted = plantedFaults.filter((plant) => options.only === undefined || options.only === plant);
  // Side by side: each waits most of its time for what never comes.
  const caught = await Promise.all(wanted.map(async (plant) => [plant, await isPlantCaught(plant, options)] as const));
  return Object.fromEntries(caught);
}

async function isPlantCaught(plant: PlantedFault, { folder, cluster, seed, say }: PlantedOptions): Promise<boolean> {
  const { isCaught, ...aim } = aims[plant];
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const result = await runSoak({
      ...aim,
      folder: join(folder, `${plant}-${attempt}`),
      cluster,
      name: `soak_${plant.replaceAll('-', '_')}_${attempt}`,
      seed: seed + (attempt - 1) * 1_000,
      plant,
      stillMsMax: 15_000,
      say: (line) => say(`planted ${plant}: ${line}`),
    });
    if (isCaught(result)) {
      say(`planted ${plant}: caught: ${result.examples[0] ?? ''}`);
      return true;
    }
    say(`planted ${plant}: not caught by run ${attempt} of ${attemptsMax}`);
  }
  return false;
}
