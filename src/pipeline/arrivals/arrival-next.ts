/** What can be done about an arrival as it stands. */
import { nextOf } from '../../platform/base/errors.ts';
import type { ArrivalState } from './arrival-state.ts';

/** Null where nothing is to be done. */
export function nextOfArrival(arrival: {
  readonly arrivalId: string;
  readonly state: ArrivalState;
  readonly reasonCode: string | null;
}): string | null {
  const { arrivalId, state, reasonCode } = arrival;
  if (state === 'accepted' || state === 'unpacked' || state === 'duplicate') return null;
  if (state !== 'held') return reasonCode === null ? null : nextOf(reasonCode) || null;
  const accept = `\`headgate arrival accept ${arrivalId} --reason TEXT\` makes a job of it`;
  return `To decide: ${accept}, and all of its records are sent, under delivery keys of their own; \`headgate arrival refuse ${arrivalId} --reason TEXT\` leaves it in quarantine.`;
}
