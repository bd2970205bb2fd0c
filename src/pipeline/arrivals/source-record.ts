/** Writes down what one look at a source means: the moves of its arrivals, with their events, in the caller's transaction. */
import type { Ids } from '../../platform/base/ports.ts';
import { recordEvents } from '../../platform/events/event-log.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { arrivalErrors } from './arrival-errors.ts';
import { type ArrivalRow, moveArrivals, seeArrivals, updateArrivals } from './arrival-store.ts';
import type { KnownFile, Observation } from './source-observation.ts';
import type { SourceEntry } from './source-place.ts';
import type { CompleteFile } from './source-reading.ts';

export interface SourceIdentity {
  readonly flowId: string;
  readonly sourceId: string;
  readonly actor: string;
}

export interface SourceRecord {
  /** Nothing has changed since the last look. */
  readonly isEmpty: boolean;
  /** What is complete once it is written, in the order in which it was first seen. */
  readonly complete: readonly CompleteFile[];
  /** Fails with E_ARRIVAL_STATE when another process was faster. */
  write(tx: TenantTx): Promise<void>;
}

export function recordOf(ids: Ids, source: SourceIdentity, observation: Observation): SourceRecord {
  const { grown, settled, complete, vanished, overdue } = observation;
  const seen = observation.seen.map((each) => ({ ...each, arrivalId: ids.next() }));
  const completeAtOnce = seen.filter((each) => each.isComplete);
  const changes = [seen, grown, vanished, overdue, inState('seen', settled), inState('growing', settled)];
  return {
    isEmpty: changes.every((each) => each.length === 0) && complete.every(({ row }) => row.state === 'complete'),
    complete: [...complete.map(({ row, entry }) => ({ arrivalId: row.arrivalId, reason: row.reason, entry })), ...completeAtOnce],
    async write(tx) {
      const move = (files: readonly KnownFile[]) =>
        files.map(({ row }) => ({ arrivalId: row.arrivalId, from: row.state, actor: source.actor }));
      await seeArrivals(
        tx,
        ids,
        seen.map(({ arrivalId, entry }) => ({
          ...source,
          arrivalId,
          name: entry.name,
          ...sightOf(entry),
          traceId: null,
          traceParent: null,
        })),
      );
      const regrown = grown.filter(({ row }) => row.state !== 'growing');
      await moveArrivals(
        tx,
        ids,
        'grow',
        regrown.map(({ row, entry }) => ({ arrivalId: row.arrivalId, from: row.state, actor: source.actor, ...sightOf(entry) })),
      );
      await updateArrivals(
        tx,
        inState('growing', grown).map(({ row, entry }) => ({ arrivalId: row.arrivalId, ...sightOf(entry) })),
      );
      const growing = inState('growing', complete);
      await moveArrivals(tx, ids, 'settle', move([...inState('seen', settled), ...inState('growing', settled), ...growing]));
      await moveArrivals(tx, ids, 'complete', [
        ...completeAtOnce.map(({ arrivalId }) => ({ arrivalId, from: 'seen' as const, actor: source.actor })),
        ...move([...inState('seen', complete), ...inState('stable', complete)]),
        ...move(growing).map((each) => ({ ...each, from: 'stable' as const })),
      ]);
      await moveArrivals(
        tx,
        ids,
        'vanish',
        vanished.map((row) => ({ arrivalId: row.arrivalId, from: row.state, actor: source.actor, isReleased: true })),
      );
      await reportOverdue(tx, ids, source, overdue);
    },
  };
}

async function reportOverdue(tx: TenantTx, ids: Ids, source: SourceIdentity, overdue: readonly ArrivalRow[]): Promise<void> {
  const code = arrivalErrors.E_ARRIVAL_OVERDUE;
  await updateArrivals(
    tx,
    overdue.map(({ arrivalId }) => ({ arrivalId, reasonCode: code })),
  );
  await recordEvents(
    tx,
    ids,
    overdue.map(({ arrivalId, state }) => ({
      type: 'arrival.overdue',
      objectId: arrivalId,
      from: state,
      to: state,
      actor: source.actor,
      detail: { code },
    })),
  );
}

function inState(state: ArrivalRow['state'], files: readonly KnownFile[]): KnownFile[] {
  return files.filter(({ row }) => row.state === state);
}

function sightOf(entry: SourceEntry) {
  return { sizeBytes: entry.sizeBytes, fingerprint: entry.fingerprint };
}
