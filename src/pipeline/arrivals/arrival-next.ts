/** What can be done about an arrival as it stands. */
import { nextOf } from '../../platform/base/errors.ts';
import type { ArrivalState } from './arrival-state.ts';

/** What a file at a source waits for; of one at rest it is told with the names, where those are known. */
const waits: Readonly<Partial<Record<ArrivalState, string>>> = {
  seen: 'It waits until it has been the same for `ready.stableFor` of its source.',
  growing: 'It waits until it has been the same for `ready.stableFor` of its source.',
  stable: 'It waits for the marker or manifest beside it that `ready` of its source asks for.',
  complete: 'It waits to be read: for its turn, for room within the limits of its tenant, or for a manifest that is whole.',
};

/** Null where nothing is to be done. `companions`: names of what must lie beside it, where they are known. */
export function nextOfArrival(
  arrival: {
    readonly arrivalId: string;
    readonly state: ArrivalState;
    readonly reasonCode: string | null;
    readonly reason?: string | null;
  },
  companions: readonly string[] = [],
): string | null {
  const { arrivalId, state, reasonCode, reason = null } = arrival;
  if (state === 'accepted' || state === 'unpacked' || state === 'duplicate') return null;
  const wait = state === 'stable' && companions.length > 0 ? waitFor(companions) : (waitForWhole(state, reason) ?? waits[state]);
  if (wait !== undefined) return reasonCode === null ? wait : `${wait} ${nextOf(reasonCode)}`.trimEnd();
  if (state !== 'held') return reasonCode === null ? null : nextOf(reasonCode) || null;
  const accept = `\`headgate arrival accept ${arrivalId} --reason TEXT\` makes a job of it`;
  return `To decide: ${accept}, and all of its records are sent, under delivery keys of their own; \`headgate arrival refuse ${arrivalId} --reason TEXT\` leaves it in quarantine.`;
}

/** What is wrong with it may only be that it is not written to its end. */
function waitForWhole(state: ArrivalState, reason: string | null): string | null {
  if (state !== 'complete' || reason === null) return null;
  return `Its manifest can't be read as it is: ${reason}. It is read again at each poll; unless it is still being written, have the sender put a whole one in its place.`;
}

function waitFor(companions: readonly string[]): string {
  return `It waits for ${companions.map((name) => `\`${name}\``).join(' and ')} beside it.`;
}
