/**
 * A deep probe of one polled source: its place is opened as for a poll, with the secrets as they are now, and what lies there is
 * listed. No file is read, written down or taken away, and no lease of the source is needed.
 */
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Ports } from '../../platform/base/ports.ts';
import type { ProbeResult } from '../connectors/connector.ts';
import { arrivalErrors } from './arrival-errors.ts';
import { openSourcePlace, type SourceOpening, type SourceWorld } from './open-source-place.ts';
import { wantedNameOf } from './source-sight.ts';

/** `world.sftp` keeps no connections from earlier probes, so that credentials that were taken away are found out. Ends in time. */
export async function probeSource(
  world: SourceWorld & { readonly ports: Pick<Ports, 'clock' | 'sleep'> },
  opening: Omit<SourceOpening, 'onTurn'>,
  timeoutMs: number,
): Promise<ProbeResult> {
  const { clock, sleep } = world.ports;
  const startMs = clock.monotonicMs();
  const ended = (code: string | null, message: string): ProbeResult => ({
    isReachable: code === null,
    code,
    message,
    durationMs: Math.round(clock.monotonicMs() - startMs),
  });
  const isAnswered = new AbortController();
  let isLate = false;
  const late = sleep.sleep(timeoutMs, isAnswered.signal).then(() => {
    isLate = true;
    return null;
  });
  const onTurn = async () => {
    if (isLate) throw new HeadgateError(arrivalErrors.E_SOURCE_TIMEOUT, 'the place could not be listed in time');
  };
  const look = async () => {
    const place = await openSourcePlace(world, { ...opening, onTurn });
    try {
      const wanted = wantedNameOf(opening.source);
      let wantedNames = 0;
      const { names } = await place.look((name) => {
        if (wanted(name) === name) wantedNames += 1;
        return false;
      });
      return ended(null, `the place can be listed and holds ${heldFiles(names.size, wantedNames)}`);
    } finally {
      place.close();
    }
  };
  const looking = look();
  try {
    const result = await Promise.race([looking, late]);
    if (result !== null) return result;
    looking.catch(() => {});
    return ended(arrivalErrors.E_SOURCE_TIMEOUT, 'the place could not be listed in time');
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    return ended(error.code, error.message);
  } finally {
    isAnswered.abort();
  }
}

/** Marked files, markers, manifests and files of other names are there and not to be taken. */
function heldFiles(files: number, wanted: number): string {
  const held = files === 1 ? 'one file' : `${files} files`;
  return files === wanted ? held : `${held}, of which the source takes ${wanted === 0 ? 'none' : wanted} by their names`;
}
