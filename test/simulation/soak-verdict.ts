/** What makes a soak fail, each as a sentence: the report and stderr say the same, and nothing else makes it fail. */
import { acksPerKill } from './life-plan.ts';
import { targetsOf, waysInOf } from './soak-flows.ts';
import type { SoakResult } from './soak-run.ts';

/** With fewer kills than this not every named point and every fault comes up. */
const killsForAll = 100;
/** Not breaks but ends of processes, which depend on the points that were chosen. */
const processFaults = ['pauses', 'drains'];

type Zero =
  | 'lost'
  | 'unexpected'
  | 'doubledInLedger'
  | 'unlabelledDuplicates'
  | 'rekeyedDuplicates'
  | 'outOfOrder'
  | 'unbalancedJobs'
  | 'stuckJobs'
  | 'lostWork'
  | 'eventFaults';

/** What each number counts that must be zero. */
const zeros: Readonly<Record<Zero, string>> = {
  lost: 'acknowledged files of which a record is missing at a target',
  unexpected: 'records at a target that they must not come to',
  doubledInLedger: 'files, jobs or deliveries that are in the ledger twice',
  unlabelledDuplicates: 'duplicates without a label',
  rekeyedDuplicates: 'duplicates under another delivery key',
  outOfOrder: 'records that came behind one that must follow them, of their key or of any',
  unbalancedJobs: 'closed jobs whose counts are not those of the file, or without a receipt',
  stuckJobs: 'jobs, arrivals, batches, chunk groups or pieces of work that did not come to their end',
  lostWork: 'open chunk groups, checks or batches that nobody will ever work on',
  eventFaults: 'events without a number, gaps in their sequence, or objects in another state than their last event says',
};

/** Empty when the soak found nothing. `result` is left out when only planted mistakes were run. */
export function failuresOf(
  result: SoakResult | undefined,
  killsWanted: number,
  planted: Readonly<Partial<Record<string, boolean>>>,
): string[] {
  const failures = result ? failuresOfRun(result, killsWanted) : [];
  for (const [name, isCaught] of Object.entries(planted)) if (!isCaught) failures.push(`the planted mistake ${name} was not caught`);
  return failures;
}

function failuresOfRun(result: SoakResult, killsWanted: number): string[] {
  const failures: string[] = [];
  for (const [name, what] of Object.entries(zeros) as [Zero, string][])
    if (result[name] !== 0) failures.push(`${name} is ${result[name]}, not 0: ${what}`);
  const { kills, acked, points, surprises } = result;
  if (kills < killsWanted) failures.push(`only ${kills} of ${killsWanted} kills were made`);
  if (acked < acksPerKill * kills)
    failures.push(
      `only ${acked} files were acknowledged in ${kills} kills: below ${acksPerKill * kills} the processes were idle when they were killed`,
    );
  if (kills >= killsForAll)
    for (const [name, hits] of Object.entries(points)) if (hits === 0) failures.push(`no process was killed at the point ${name}`);
  return [...failures, ...(result.scope === 'all' ? deadRoutesOf(result) : []), ...surprises];
}

/** What nothing went through, though nothing was lost of it; faults that can't be made here are null. */
function deadRoutesOf({ scope, kills, acknowledgedBy, targets, faults }: SoakResult): string[] {
  const ways = waysInOf(scope).filter((way) => !acknowledgedBy[way]);
  const idle = targetsOf(scope).filter((target) => !targets[target]?.received);
  const unmade = kills < killsForAll ? [] : Object.keys(faults).filter((name) => faults[name] === 0 && !processFaults.includes(name));
  return [
    ...ways.map((way) => `no file was acknowledged that came by ${way}`),
    ...idle.map((target) => `no record came to the target ${target}`),
    ...unmade.map((name) => `the fault ${name} was not made once in ${kills} kills`),
  ];
}
