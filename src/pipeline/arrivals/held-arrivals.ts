/**
 * What a person decides about an arrival that the flow's policy held: to accept it after all, or to leave it in quarantine.
 * Its bytes are those that were kept when it was held; they are read again, checked against their hash, and split for the
 * version of the flow that is in force now.
 */
import { isDeepStrictEqual } from 'node:util';
import { checkReason } from '../../platform/access/decision-reason.ts';
import { answerOnce, findKeptAnswer, type KeyedRequest, sameAnswer } from '../../platform/access/idempotency-keys.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Ports } from '../../platform/base/ports.ts';
import type { Db } from '../../platform/postgres/database.ts';
import { type TenantTx, withTenant } from '../../platform/tenancy/tenant-scope.ts';
import { commitForCertain } from '../deliveries/certain-transaction.ts';
import type { CreateJobs } from './accepted-file.ts';
import { countUsage } from './admission.ts';
import { arrivalErrors } from './arrival-errors.ts';
import type { ArrivalFlow, ArrivalPlans } from './arrival-plan.ts';
import { findHeldArrival, getHeldArrival, type HeldArrival, moveArrivals, notHeld } from './arrival-store.ts';
import type { Candidate, StoredContent } from './candidate.ts';
import type { Content } from './content-sink.ts';
import { proveEnabled } from './enabled-flow.ts';
import { acceptHeld } from './file-acceptance.ts';
import { type FileIntake, removeObjects } from './file-intake.ts';
import type { ReceivedFile } from './file-receiver.ts';
import type { IntakeStore } from './intake-store.ts';
import { proveStored } from './late-rows.ts';

export interface HeldDecision {
  readonly tenantId: string;
  readonly arrivalId: string;
  readonly reason: string;
  /** Who decides. */
  readonly actor: string;
  /** Asked again under its key, the decision that was made is answered again. */
  readonly keyed?: KeyedRequest;
}

export interface DecidedArrival {
  readonly arrivalId: string;
  readonly state: 'accepted' | 'quarantined';
  /** Of an accepted one. */
  readonly fileId: string | null;
  readonly acceptedNumber: number | null;
}

export interface HeldArrivals {
  /**
   * Fails with E_REASON_REQUIRED, E_KEY_REUSED, E_FLOW_DISABLED, with E_ARRIVAL_STATE when someone has decided already, and with the codes of
   * the bytes when they can not be read.
   */
  accept(decision: HeldDecision): Promise<DecidedArrival>;
  /** Fails with E_REASON_REQUIRED, E_KEY_REUSED, E_ARRIVAL_STATE. */
  refuse(decision: HeldDecision): Promise<DecidedArrival>;
}

export interface HeldArrivalParts {
  readonly db: Db;
  readonly ports: Ports;
  readonly intake: FileIntake;
  readonly store: IntakeStore;
  readonly plans: ArrivalPlans;
  readonly createJobs: CreateJobs;
}

export function createHeldArrivals(parts: HeldArrivalParts): HeldArrivals {
  const { ports } = parts;
  return {
    async refuse({ tenantId, arrivalId, reason, actor, keyed }) {
      const detail = { reason: checkReason(reason) };
      return await decide(parts, tenantId, keyed, async (tx) => {
        const held = await getHeldArrival(tx, arrivalId);
        await moveArrivals(tx, ports.ids, 'quarantine', [{ arrivalId, from: 'held', actor, detail }]);
        await countUsage(tx, { files: 0, storedBytes: 0, heldBytes: -held.sizeBytes });
        return { arrivalId, state: 'quarantined', fileId: null, acceptedNumber: null };
      });
    },
    accept: (decision) => accept(parts, decision),
  };
}

/** One transaction whose outcome is certain when this returns. */
async function decide(
  parts: HeldArrivalParts,
  tenantId: string,
  keyed: KeyedRequest | undefined,
  act: (tx: TenantTx) => Promise<DecidedArrival>,
): Promise<DecidedArrival> {
  let decided: DecidedArrival | undefined;
  await commitForCertain(parts, tenantId, async (tx) => {
    decided = await answerOnce(tx, keyed, () => act(tx));
  });
  return decided!;
}

async function accept(parts: HeldArrivalParts, decision: HeldDecision): Promise<DecidedArrival> {
  const { db, ports, intake, store, plans } = parts;
  const { tenantId, arrivalId, actor, keyed } = decision;
  const reason = checkReason(decision.reason);
  const found = await withTenant(
    db,
    tenantId,
    async (tx) => {
      // Before the key: what is not held any more then was decided before the key is looked at.
      const held = await findHeldArrival(tx, arrivalId);
      const kept = keyed === undefined ? undefined : await findKeptAnswer<DecidedArrival>(tx, keyed);
      if (kept !== undefined) return sameAnswer(kept, keyed!.requestHash);
      if (held === undefined) throw notHeld();
      const { flow, isEnabled } = await plans.byName(tx, held.flowName);
      if (!isEnabled) throw new HeadgateError(arrivalErrors.E_FLOW_DISABLED, `the flow ${held.flowName} is disabled`);
      return { held, flow, limits: await plans.limits(tx) };
    },
    { readOnly: true },
  );
  if (!('held' in found)) return found;
  const { held, flow, limits } = found;
  const noBounds = {
    bytesMax: Number.MAX_SAFE_INTEGER,
    unpackedBytesMax: Number.MAX_SAFE_INTEGER,
    ratioMax: Number.MAX_SAFE_INTEGER,
    entriesMax: 0,
    filesPerMinute: null,
  };
  const source = { sourceId: held.sourceId, match: '*', unpack: held.object.unpack, pgp: null, limits: noBounds };
  const received = await intake.receive(
    { tenantId, flow: readingFlow(flow, held), source, limits },
    store.read(tenantId, held.object),
    held.object.bytes,
  );
  try {
    if (received.container.sha256 !== held.sha256 || received.member === null)
      throw new HeadgateError(arrivalErrors.E_ARCHIVE, 'the bytes that were kept are not those that were held');
    const candidate = await candidateOf(parts, decision, held, received);
    return await decide(parts, tenantId, keyed, async (tx) => {
      await proveEnabled(tx, flow);
      await proveStored(tx, { clock: ports.clock, store, sinceMs: received.begunMs!, candidates: [candidate] });
      const acceptance = { ids: ports.ids, createJobs: parts.createJobs };
      const { fileId, acceptedNumber } = await acceptHeld(tx, acceptance, flow, { candidate: { ...candidate, actor }, reason });
      return { arrivalId, state: 'accepted', fileId, acceptedNumber };
    });
  } finally {
    // The file owns the object that the arrival kept; the copy that was made while reading it has no row, and gets none.
    await removeObjects(store, [received.container]);
  }
}

/** Lines that a pack made are read as they are, by a flow that reads the same files still. */
function readingFlow(flow: ArrivalFlow, { object: { lines } }: HeldArrival): ArrivalFlow {
  if (lines === undefined) return flow;
  const { format } = flow.plan;
  if (format.type !== 'json-lines' || !isDeepStrictEqual(format.pack, lines.pack))
    throw new HeadgateError(arrivalErrors.E_ARCHIVE, 'the flow reads files in another way than when this member of an archive was held');
  const { pack: _, ...lineFormat } = format;
  return { ...flow, plan: { ...flow.plan, format: lineFormat } };
}

async function candidateOf(
  parts: HeldArrivalParts,
  { tenantId, arrivalId, actor }: HeldDecision,
  held: HeldArrival,
  received: ReceivedFile,
): Promise<Candidate> {
  const { ports, store } = parts;
  const { lines } = held.object;
  const container: StoredContent = { bytes: received.container.bytes, sha256: received.container.sha256, object: held.object };
  const storeMember = async ({ bytes, sha256, small, sealed }: Content): Promise<StoredContent> => {
    const object = sealed ?? (await store.pack(tenantId, ports.ids.next(), [{ objectId: ports.ids.next(), bytes: small! }]))[0]!;
    return { bytes, sha256, object };
  };
  return {
    arrivalId,
    sourceId: held.sourceId,
    fileId: ports.ids.next(),
    name: held.name,
    actor,
    traceId: held.traceId,
    traceParent: held.traceParent,
    isReleased: false,
    unpack: held.object.unpack,
    // Told when it was held.
    sourceVersion: null,
    container,
    member: received.member === received.container ? container : await storeMember(received.member!),
    split: lines === undefined ? received.split : { ...received.split!, ...lines.split },
    givenSha256: lines?.givenSha256 ?? received.givenSha256 ?? null,
    problem: null,
    knownDuplicateOf: null,
    archive: held.archive,
    members: null,
  };
}
