/**
 * The accepting transaction: verdicts, fingerprints, accepted numbers, file rows, arrival moves with their events, usage and
 * jobs, for a batch of files of one flow version. All of it happens or nothing does; nothing is acknowledged before COMMIT. The
 * members of an archive get arrivals of their own here, and go on as if they had come by themselves.
 */
import type { Ids } from '../../platform/base/ports.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { AcceptedFile, CreateJobs } from './accepted-file.ts';
import { countUsage } from './admission.ts';
import type { ArrivalErrorCode } from './arrival-errors.ts';
import type { ArrivalFlow } from './arrival-plan.ts';
import { type ArrivalMove, moveArrivals, seeArrivals } from './arrival-store.ts';
import { type Candidate, isOwnContainer, type Judged } from './candidate.ts';
import { claimFingerprints, renewNames } from './file-fingerprints.ts';
import { insertFiles } from './file-rows.ts';
import { type FileVerdict, fingerprintsOf, hashesOf, type JudgedFile, judgeFiles, namePrintOf } from './file-verdicts.ts';

export interface ArrivalVerdict {
  readonly arrivalId: string;
  readonly state: 'accepted' | 'unpacked' | 'duplicate' | 'held' | 'quarantined';
  readonly fileId: string | null;
  readonly acceptedNumber: number | null;
  readonly duplicateOf: string | null;
  readonly sameNameAs: string | null;
  readonly code: ArrivalErrorCode | null;
  readonly reason: string | null;
  readonly bytes: number;
  readonly sha256: string;
  /** Of what is unpacked. */
  readonly members: readonly ArrivalVerdict[];
}

export interface AcceptanceParts {
  readonly ids: Ids;
  readonly createJobs: CreateJobs;
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
  const verdicts = await judgeFiles(tx, flow, candidates.map(judgedOf));
  const came = candidates.map((candidate, index): Judged => ({ candidate, verdict: verdicts[index]! }));
  const unpacked = came.filter((each) => each.verdict.end === 'unpack');
  await unpack(tx, ids, flow, unpacked);
  const judged = came.flatMap((each) => (each.verdict.end === 'unpack' ? membersOf(each) : [each]));
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
    ending('hold').map(({ candidate, verdict }) => keepObject(endOf(candidate, verdict), candidate, flow)),
  );
  await quarantine(tx, ids, flow, ending('quarantine'));
  if (accepted.length > 0) await parts.createJobs(tx, acceptedFiles(flow, accepted, first));
  await countKept(tx, [...judged, ...unpacked]);
  const numbers = new Map(accepted.map(({ candidate }, index) => [candidate, first + index]));
  return came.map((each) => verdictOf(each, numbers));
}

function judgedOf(candidate: Candidate): JudgedFile {
  return {
    ...candidate,
    ...hashesOf(candidate),
    members: candidate.members?.map(judgedOf) ?? null,
  };
}

function membersOf({ candidate, verdict }: Judged): Judged[] {
  return candidate.members!.map((member, index) => ({ candidate: member, verdict: verdict.members[index]! }));
}

/** The containers are done with; their members are complete from now on. */
async function unpack(tx: TenantTx, ids: Ids, flow: ArrivalFlow, containers: readonly Judged[]): Promise<void> {
  if (containers.length === 0) return;
  await moveArrivals(
    tx,
    ids,
    'verify+unpack',
    containers.map(({ candidate, verdict }) => ({
      ...keepObject(endOf(candidate, verdict), candidate, flow),
      detail: { members: candidate.members!.length },
    })),
  );
  const members = containers.flatMap(({ candidate }) => candidate.members!);
  await seeArrivals(
    tx,
    ids,
    members.map(({ arrivalId, sourceId, name, container, actor, traceId, traceParent, archive }) => ({
      arrivalId,
      flowId: flow.flowId,
      sourceId,
      name,
      sizeBytes: container.bytes,
      fingerprint: '',
      actor,
      traceId,
      traceParent,
      containerArrivalId: archive!.arrivalId,
    })),
  );
  await moveArrivals(
    tx,
    ids,
    'complete',
    members.map((member) => moveOf(member, 'seen')),
  );
}

/** A person accepts what was held: no verdict is asked for, and keys that nobody owns are the file's from now on, as its name is. */
export async function acceptHeld(
  tx: TenantTx,
  parts: AcceptanceParts,
  flow: ArrivalFlow,
  held: { readonly candidate: Candidate; readonly reason: string },
): Promise<ArrivalVerdict> {
  const { candidate, reason } = held;
  const verdict: FileVerdict = { end: 'accept', code: null, reason: null, duplicateOf: null, sameNameAs: null, members: [] };
  const judged = [{ candidate, verdict }];
  const prints = fingerprintsOf(flow.duplicates, judgedOf(candidate));
  const names = namePrintOf(flow.duplicates, candidate);
  await claimFingerprints(tx, { flowId: flow.flowId, windowMs: flow.duplicates.windowMs }, [...prints, ...names]);
  await renewNames(tx, flow.flowId, names);
  const number = await takeNumbers(tx, flow.flowId, 1);
  await insertFiles(tx, flow, judged, number);
  const detail = { acceptedNumber: number, flowVersionId: flow.flowVersionId, bytes: candidate.member!.bytes, reason };
  await moveArrivals(tx, parts.ids, 'accept', [{ ...moveOf(candidate, 'held'), fileId: candidate.fileId, detail }]);
  await parts.createJobs(tx, acceptedFiles(flow, judged, number));
  // All that is kept was counted when it was held; the member counts with its job from now on.
  const storedBytes = isOwnContainer(candidate) ? -candidate.container.bytes : 0;
  await countUsage(tx, { files: 1, storedBytes, heldBytes: -candidate.container.bytes });
  return verdictOf(judged[0]!, new Map([[candidate, number]]));
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
    sourceVersion: candidate.sourceVersion,
    ...(verdict.code !== null && { reasonCode: verdict.code, reason: verdict.reason ?? '' }),
    ...(verdict.duplicateOf !== null && { duplicateOf: verdict.duplicateOf }),
  };
}

function keepObject(move: ArrivalMove, candidate: Candidate, { plan }: ArrivalFlow): ArrivalMove {
  const { container, unpack, archive, givenSha256, split } = candidate;
  if (container.object === null) return move;
  const object = { ...container.object, unpack };
  const pack = plan.format.type === 'json-lines' ? plan.format.pack : undefined;
  if (archive === null || givenSha256 === null || pack === undefined) return { ...move, object };
  const { damage, warnings, recordsSha256 } = split!;
  return { ...move, object: { ...object, lines: { pack, givenSha256, split: { damage, warnings, recordsSha256 } } } };
}

/** Damaged ones were never verified; the others the flow's policy refuses. */
async function quarantine(tx: TenantTx, ids: Ids, flow: ArrivalFlow, judged: readonly Judged[]): Promise<void> {
  const [sound, damaged] = [true, false].map((isSound) =>
    judged
      .filter(({ candidate }) => (candidate.problem === null) === isSound)
      .map(({ candidate, verdict }) => keepObject(endOf(candidate, verdict), candidate, flow)),
  );
  await moveArrivals(tx, ids, 'verify+quarantine', sound!);
  await moveArrivals(tx, ids, 'quarantine', damaged!);
}

async function takeNumbers(tx: TenantTx, flowId: string, count: number): Promise<number> {
  const { rows } = await tx.query<{ accepted: number }>(nextNumbers, [tx.tenantId, flowId, count]);
  return rows[0]!.accepted - count + 1;
}

async function countKept(tx: TenantTx, judged: readonly Judged[]): Promise<void> {
  const sum = { files: 0, storedBytes: 0, heldBytes: 0 };
  for (const { candidate, verdict } of judged) {
    const keptBytes = candidate.container.object === null ? 0 : candidate.container.bytes;
    if (verdict.end === 'accept') {
      sum.files += 1;
      // The member counts with its job.
      if (!isOwnContainer(candidate)) sum.storedBytes += keptBytes;
    }
    if (verdict.end === 'hold' || verdict.end === 'quarantine' || verdict.end === 'unpack') sum.storedBytes += keptBytes;
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
    warnings: candidate.split!.warnings ?? [],
    blankLines: candidate.split!.blankLines,
    comments: candidate.split!.comments,
    traceParent: candidate.traceParent,
    traceId: candidate.traceId,
    actor: candidate.actor,
  }));
}

const stateOf = { accept: 'accepted', unpack: 'unpacked', duplicate: 'duplicate', hold: 'held', quarantine: 'quarantined' } as const;

function verdictOf(judged: Judged, numbers: ReadonlyMap<Candidate, number>): ArrivalVerdict {
  const { candidate, verdict } = judged;
  const isAccepted = verdict.end === 'accept';
  return {
    arrivalId: candidate.arrivalId,
    state: stateOf[verdict.end],
    fileId: isAccepted ? candidate.fileId : null,
    acceptedNumber: isAccepted ? numbers.get(candidate)! : null,
    duplicateOf: verdict.duplicateOf,
    sameNameAs: verdict.sameNameAs,
    code: verdict.code,
    reason: verdict.reason,
    bytes: candidate.container.bytes,
    sha256: candidate.container.sha256,
    members: verdict.end === 'unpack' ? membersOf(judged).map((member) => verdictOf(member, numbers)) : [],
  };
}
