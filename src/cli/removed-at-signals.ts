/** Of what a command has not finished nothing stays behind when a signal ends it, but for SIGKILL: it is content in the clear. */
import { endingSignals, endProcess } from '../platform/base/end-process.ts';

/** As `work` ends. A signal meanwhile calls `remove` and ends the process; what is to be removed is made by `work`. */
export async function removedAtSignals<Result>(remove: () => void, work: () => Promise<Result>): Promise<Result> {
  const end = (signal: keyof typeof endingSignals) => {
    remove();
    endProcess(endingSignals[signal]);
  };
  const signals = Object.keys(endingSignals) as (keyof typeof endingSignals)[];
  for (const signal of signals) process.once(signal, end);
  try {
    return await work();
  } finally {
    for (const signal of signals) process.off(signal, end);
  }
}
