/** What a command opens and may not leave open, such as a server that it started, is closed when a signal ends the command, too. */
import { untilInterrupted } from './interruption.ts';

export interface Opening<Opened, Result> {
  readonly open: () => Promise<Opened>;
  /** `signal`: aborted when it is going to be closed under the hands of this. */
  readonly use: (opened: Opened, signal?: AbortSignal) => Promise<Result>;
  readonly close: (opened: Opened) => Promise<void>;
  /** Nothing is left when the process just ends, which a signal makes it do then. */
  readonly endsWithProcess?: boolean;
}

/**
 * As `use` ends. At a signal it is closed as soon as it is open, whatever is under way; what is done by then is the result all the same,
 * else it fails with E_INTERRUPTED.
 */
export async function closedAtSignals<Opened, Result>({
  open,
  use,
  close,
  endsWithProcess = false,
}: Opening<Opened, Result>): Promise<Result> {
  const opening = Promise.withResolvers<Opened>();
  const results: Result[] = [];
  const work = async (signal?: AbortSignal) => {
    opening.resolve(open());
    const opened = await opening.promise;
    if (!signal?.aborted) results.push(await use(opened, signal));
  };
  try {
    await (endsWithProcess
      ? work()
      : untilInterrupted(work, () => ({ message: 'the command was ended before it was done', next: 'Repeat it.' })));
  } catch (error) {
    await opening.promise.then(close, () => {});
    if (results.length === 0) throw error;
    return results[0]!;
  }
  await close(await opening.promise);
  return results[0]!;
}
