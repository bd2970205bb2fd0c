/**
 * The accepting transaction: verdicts, fingerprints, accepted numbers, file rows, arrival moves with their events, usage and
 * jobs, for a batch of files of one flow version. All of it happens or nothing does; nothing is acknowledged before COMMIT.
 */
import type { Ids } from '../../platform/base/ports.ts';
import type { Unpack } from '../../platform/packing/packings.ts';
import type { SealedObject } from '../../platform/storage/object-store.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { SplitResult } from '../formats/format.ts';
import type { AcceptedFile, CreateJobs } from './accepted-file.ts';
import { countUsage } from './admission.ts';
import type { ArrivalErrorCode } from './arrival-errors.ts';
import type { ArrivalFlow } from './arrival-plan.ts';
import { type ArrivalMove, moveArrivals, storedObjectId } from './arrival-store.ts';
import { claimFingerprints } from './file-fingerprints.ts';
import { type FileVerdict, fingerprintsOf, judgeFiles } from './file-verdicts.ts';

export interface StoredContent {
  readonly bytes: number;
  readonly sha256: string;
  /** Null only where nothing was kept: a known duplicate, or a refused kind of file. */
  readonly object: SealedObject | null;
}

/** A complete arrival whose bytes have been taken in. */
export interface Candidate {
  readonly arrivalId: string;
  /** Of the file, if it is accepted. */
  readonly fileId: string;
  readonly name: string;
  readonly actor: string;
  readonly traceId: string | null;
  readonly traceParent: string | null;
  /** It came by upload: nothing is left to do at a source. */
  readonly isReleased: boolean;
  readonly container: StoredContent;
  readonly member: StoredContent | null;
  /** How the file as received is packed; kept with what is held, so that it can be accepted later. */
  readonly unpack: Unpack;
  readonly split: SplitResult | null;
  readonly problem: { readonly code: ArrivalErrorCode; readonly message: string } | null;
  readonly knownDuplicateOf: string | null;
}

export interface ArrivalVerdict {
  readonly arrivalId: string;
  readonly state: 'accepted' | 'duplicate' | 'held' | 'quarantined';
  readonly fileId: string | null;
  readonly acceptedNumber: number | null;
  readonly duplicateOf: string | null;
  readonly sameNameAs: string | null;
  readonly code: ArrivalErrorCode | null;
  readonly reason: string | null;
  readonly bytes: number;
  readonly sha256: string;
}

export interface AcceptanceParts {
  readonly ids: Ids;
  readonly createJobs: CreateJobs;
}

interface Judged {
  readonly candidate: Candidate;
  readonly verdict: FileVerdict;
}

const nextNumbers = `/* number accepted files */
  insert into headgate.flow_counters as c (tenant_id, flow_id, accepted) values ($1, $2, $3)
  on conflict (tenant_id, flow_id) do update set accepted = c.accepted + $3 returning accepted`;

/** The arrivals must be `complete`. Fails with E_ARRIVAL_STATE when another process has moved one of them. */
export async function acceptCandidates(
  tx: TenantTx,
  parts: AcceptanceParts,
  flow: ArrivalFlow,
  candidates: readonly Candidate[],
): Promise<ArrivalVerdict[]> {
  const { ids } = parts;
  const verdicts = await judgeFiles(
    tx,
    flow,
    candidates.map((candidate) => ({
      ...candidate,
      memberSha256: candidate.member?.sha256 ?? null,
      containerSha256: candidate.container.sha256,
    })),
  );
  const judged = candidates.map((candidate, index): Judged => ({ candidate, verdict: verdicts[index]! }));
  const ending = (end: FileVerdict['end']) => judged.filter((each) => each.verdict.end === end);
  const accepted = ending('accept');
  for (const { candidate } of accepted)
    if (candidate.member?.object == null) throw new Error('a file without stored bytes can not be accepted');

  const first = accepted.length === 0 ? 0 : await takeNumbers(tx, flow.flowId, accepted.length);
  await insertFiles(tx, flow, accepted, first);
  await moveArrivals(
    tx,
    ids,
    'verify+accept',
    accepted.map(({ candidate, verdict }, index) => ({
      ...endOf(candidate, verdict),
      fileId: candidate.fileId,
      detail: { acceptedNumber: first + index, flowVersionId: flow.flowVersionId, bytes: candidate.member!.bytes },
    })),
  );
  await moveArrivals(
    tx,
    ids,
    'verify+duplicate',
    ending('duplicate').map(({ candidate, verdict }) => endOf(candidate, verdict)),
  );
  await moveArrivals(
    tx,
    ids,
    'verify+hold',
    ending('hold').map(({ candidate, verdict }) => keepObject(endOf(candidate, verdict), candidate)),
  );
  await quarantine(tx, ids, ending('quarantine'));
  if (accepted.length > 0) await parts.createJobs(tx, acceptedFiles(flow, accepted, first));
  await countKept(tx, judged);
  return judged.map(({ candidate, verdict }) =>
    verdictOf(candidate, verdict, first + accepted.findIndex((each) => each.candidate === candidate)),
  );
}

/** A person accepts what was held: no verdict is asked for, and keys that nobody owns are the file's from now on. */
export async function acceptHeld(
  tx: TenantTx,
  parts: AcceptanceParts,
  flow: ArrivalFlow,
  held: { readonly candidate: Candidate; readonly reason: string },
): Promise<ArrivalVerdict> {
  const { candidate, reason } = held;
  const verdict: FileVerdict = { end: 'accept', code: null, reason: null, duplicateOf: null, sameNameAs: null };
  const judged = [{ candidate, verdict }];
  const prints = fingerprintsOf(flow.duplicates, {
    ...candidate,
    memberSha256: candidate.member!.sha256,
    containerSha256: candidate.container.sha256,
  });
  await claimFingerprints(tx, { flowId: flow.flowId, windowMs: flow.duplicates.windowMs }, prints);
  const number = await takeNumbers(tx, flow.flowId, 1);
  await insertFiles(tx, flow, judged, number);
  const detail = { acceptedNumber: number, flowVersionId: flow.flowVersionId, bytes: candidate.member!.bytes, reason };
  await moveArrivals(tx, parts.ids, 'accept', [{ ...moveOf(candidate, 'held'), fileId: candidate.fileId, detail }]);
  await parts.createJobs(tx, acceptedFiles(flow, judged, number));
  // All that is kept was counted when it was held; the member counts with its job from now on.
  const storedBytes = candidate.unpack === 'none' ? -candidate.container.bytes : 0;
  await countUsage(tx, { files: 1, storedBytes, heldBytes: -candidate.container.bytes });
  return verdictOf(candidate, verdict, number);
}

function moveOf(candidate: Candidate, from: ArrivalMove['from']): ArrivalMove {
  const { arrivalId, actor, traceId, traceParent } = candidate;
  return { arrivalId, from, actor, traceId, traceParent };
}

function endOf(candidate: Candidate, verdict: FileVerdict): ArrivalMove {
  return {
    ...moveOf(candidate, 'complete'),
    sizeBytes: candidate.container.bytes,
    ...(candidate.container.sha256 !== '' && { sha256: candidate.container.sha256 }),
    isReleased: candidate.isReleased,
    ...(verdict.code !== null && { reasonCode: verdict.code, reason: verdict.reason ?? '' }),
    ...(verdict.duplicateOf !== null && { duplicateOf: verdict.duplicateOf }),
  };
}

function keepObject(move: ArrivalMove, candidate: Candidate): ArrivalMove {
  return candidate.container.object === null ? move : { ...move, object: { ...candidate.container.object, unpack: candidate.unpack } };
}

/** Damaged ones were never verified; the others the flow's policy refuses. */
async function quarantine(tx: TenantTx, ids: Ids, judged: readonly Judged[]): Promise<void> {
  const [sound, damaged] = [true, false].map((isSound) =>
    judged
      .filter(({ candidate }) => (candidate.problem === null) === isSound)
      .map(({ candidate, verdict }) => keepObject(endOf(candidate, verdict), candidate)),
  );
  await moveArrivals(tx, ids, 'verify+quarantine', sound!);
  await moveArrivals(tx, ids, 'quarantine', damaged!);
}

async function takeNumbers(tx: TenantTx, flowId: string, count: number): Promise<number> {
  const { rows } = await tx.query<{ accepted: number }>(nextNumbers, [tx.tenantId, flowId, count]);
  return rows[0]!.accepted - count + 1;
}

const insertFileRows = `/* add files */
  insert into headgate.files (tenant_id, file_id, arrival_id, flow_id, name, bytes, sha256, container_name, container_bytes, container_sha256,
    container_object_id, container_object, object_id, object, accepted_number, same_name_as, accepted_at)
  select $1, f.file_id, f.arrival_id, $2, f.name, f.bytes, f.sha256, f.name, f.container_bytes, f.container_sha256,
    f.container_object_id, f.container_object::json, f.object_id, f.object::json, $3 + f.ordinal - 1, f.same_name_as, (select headgate.clock())
  from unnest($4::uuid[], $5::uuid[], $6::text[], $7::bigint[], $8::text[], $9::bigint[], $10::text[], $11::uuid[], $12::text[], $13::uuid[], $14::text[], $15::uuid[])
    with ordinality as f (file_id, arrival_id, name, bytes, sha256, container_bytes, container_sha256, container_object_id, container_object, object_id, object, same_name_as, ordinal)`;

async function insertFiles(tx: TenantTx, flow: ArrivalFlow, accepted: readonly Judged[], first: number): Promise<void> {
  if (accepted.length === 0) return;
  const rows = accepted.map(({ candidate, verdict }) => {
    const member = candidate.member!;
    const packed =
      candidate.container.object !== null && candidate.container.object.objectId !== member.object!.objectId
        ? candidate.container.object
        : null;
    return { ...candidate, member, packed, verdict };
  });
  await tx.query(insertFileRows, [
    tx.tenantId,
    flow.flowId,
    first,
    rows.map((row) => row.fileId),
    rows.map((row) => row.arrivalId),
    rows.map((row) => row.name),
    rows.map((row) => row.member.bytes),
    rows.map((row) => row.member.sha256),
    rows.map((row) => row.container.bytes),
    rows.map((row) => row.container.sha256),
    rows.map((row) => row.packed && storedObjectId(row.packed)),
    rows.map((row) => row.packed && JSON.stringify(row.packed)),
    rows.map((row) => storedObjectId(row.member.object!)),
    rows.map((row) => JSON.stringify(row.member.object)),
    rows.map((row) => row.verdict.sameNameAs),
  ]);
}

async function countKept(tx: TenantTx, judged: readonly Judged[]): Promise<void> {
  const sum = { files: 0, storedBytes: 0, heldBytes: 0 };
  for (const { candidate, verdict } of judged) {
    const keptBytes = candidate.container.object === null ? 0 : candidate.container.bytes;
    if (verdict.end === 'accept') {
      sum.files += 1;
      // The member counts with its job.
      if (candidate.unpack !== 'none') sum.storedBytes += keptBytes;
    }
    if (verdict.end === 'hold' || verdict.end === 'quarantine') sum.storedBytes += keptBytes;
    if (verdict.end === 'hold') sum.heldBytes += keptBytes;
  }
  await countUsage(tx, sum);
}

function acceptedFiles(flow: ArrivalFlow, accepted: readonly Judged[], first: number): AcceptedFile[] {
  return accepted.map(({ candidate }, index) => ({
    fileId: candidate.fileId,
    arrivalId: candidate.arrivalId,
    flowId: flow.flowId,
    flowVersionId: flow.flowVersionId,
    acceptedNumber: first + index,
    bytes: candidate.member!.bytes,
    chunks: candidate.split!.chunks,
    records: candidate.split!.records,
    damage: candidate.split!.damage,
    traceParent: candidate.traceParent,
    traceId: candidate.traceId,
    actor: candidate.actor,
  }));
}

const stateOf = { accept: 'accepted', duplicate: 'duplicate', hold: 'held', quarantine: 'quarantined' } as const;

function verdictOf(candidate: Candidate, verdict: FileVerdict, number: number): ArrivalVerdict {
  const isAccepted = verdict.end === 'accept';
  return {
    arrivalId: candidate.arrivalId,
    state: stateOf[verdict.end],
    fileId: isAccepted ? candidate.fileId : null,
    acceptedNumber: isAccepted ? number : null,
    duplicateOf: verdict.duplicateOf,
    sameNameAs: verdict.sameNameAs,
    code: verdict.code,
    reason: verdict.reason,
    bytes: candidate.container.bytes,
    sha256: candidate.container.sha256,
  };
}
