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
  arrival: { readonly arrivalId: string; readonly state: ArrivalState; readonly reasonCode: string | null },
  companions: readonly string[] = [],
): string | null {
  const { arrivalId, state, reasonCode } = arrival;
  if (state === 'accepted' || state === 'unpacked' || state === 'duplicate') return null;
  const wait = state === 'stable' && companions.length > 0 ? waitFor(companions) : waits[state];
  if (wait !== undefined) return reasonCode === null ? wait : `${wait} ${nextOf(reasonCode)}`.trimEnd();
  if (state !== 'held') return reasonCode === null ? null : nextOf(reasonCode) || null;
  const accept = `\`headgate arrival accept ${arrivalId} --reason TEXT\` makes a job of it`;
  return `To decide: ${accept}, and all of its records are sent, under delivery keys of their own; \`headgate arrival refuse ${arrivalId} --reason TEXT\` leaves it in quarantine.`;
}

function waitFor(companions: readonly string[]): string {
  return `It waits for ${companions.map((name) => `\`${name}\``).join(' and ')} beside it.`;
}
