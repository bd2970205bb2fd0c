/**
 * Ctrl-C, SIGTERM or the end of the terminal while a command waits for what goes on without it, or sends something: it ends with a word on
 * how to go on, instead of with nothing. One Ctrl-C may come twice, from the terminal and from the program that started this one; a later
 * signal ends the process at once.
 */
import { endingSignals, endProcess } from '../platform/base/end-process.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { cliErrors } from './cli-errors.ts';

const sameSignalMs = 1_000;
const signals = Object.keys(endingSignals) as (keyof typeof endingSignals)[];

/** How the process ends that reports it: as one that the signal ended. */
export class Interruption extends HeadgateError {
  readonly exitCode: number;

  constructor(exitCode: number, message: string, next?: string) {
    super(cliErrors.E_INTERRUPTED, message, { next });
    this.exitCode = exitCode;
  }
}

export interface Interrupted {
  readonly message: string;
  /** Where there is more to say than the catalogue does. */
  readonly next?: string;
}

/** As `work` ends, or fails with E_INTERRUPTED and what `interrupted` says at the first signal, when that of `work` is aborted too. */
export async function untilInterrupted<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  interrupted: () => Interrupted,
): Promise<Result> {
  const { clock } = systemPorts;
  const stopping = new AbortController();
  const stopped = Promise.withResolvers<never>();
  let firstMs: number | null = null;
  const onSignal = (signal: keyof typeof endingSignals) => {
    const nowMs = clock.monotonicMs();
    if (firstMs !== null && nowMs - firstMs > sameSignalMs) endProcess(endingSignals[signal]);
    if (firstMs !== null) return;
    firstMs = nowMs;
    const { message, next } = interrupted();
    stopped.reject(new Interruption(endingSignals[signal], message, next));
    stopping.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await Promise.race([work(stopping.signal), stopped.promise]);
  } finally {
    // After an interruption they stay, for the second half of a Ctrl-C that comes twice.
    if (firstMs === null) for (const signal of signals) process.off(signal, onSignal);
  }
}
