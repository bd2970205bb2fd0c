/**
 * What becomes of the files of one accepting transaction: accepted, duplicate, held or quarantined, by the flow's policy and
 * the fingerprints that others own. Files of one batch are judged in order, as if they had come one after the other.
 */
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { SplitResult } from '../formats/format.ts';
import type { ArrivalErrorCode } from './arrival-errors.ts';
import type { DuplicatePolicy } from './arrival-plan.ts';
import {
  claimFingerprints,
  type Fingerprint,
  type FingerprintScope,
  findOwners,
  ownerOf,
  releaseFingerprints,
  renewNames,
} from './file-fingerprints.ts';

export interface JudgedFile {
  readonly fileId: string;
  readonly name: string;
  /** Of the unpacked file, as a pack was given it; null when it could not be unpacked. */
  readonly memberSha256: string | null;
  readonly containerSha256: string;
  /** Of what the records of a pack say; null: it was not asked for, or can not be told. */
  readonly recordsSha256: string | null;
  readonly problem: { readonly code: ArrivalErrorCode; readonly message: string } | null;
  /** Found before the bytes were sealed: the file whose duplicate this is. */
  readonly knownDuplicateOf: string | null;
  /** Files of their own, that this one was only the container of; null where it is a file itself. */
  readonly members: readonly JudgedFile[] | null;
}

interface Hashed {
  readonly sha256: string;
}

/** A member of an archive is its own container, also where a pack made lines of it. */
export function hashesOf({
  container,
  member,
  givenSha256,
  split,
}: {
  readonly container: Hashed;
  readonly member: Hashed | null;
  readonly givenSha256: string | null;
  readonly split: Pick<SplitResult, 'recordsSha256'> | null;
}): Pick<JudgedFile, 'memberSha256' | 'containerSha256' | 'recordsSha256'> {
  const memberSha256 = givenSha256 ?? member?.sha256 ?? null;
  const containerSha256 = container.sha256 === member?.sha256 ? memberSha256! : container.sha256;
  return { memberSha256, containerSha256, recordsSha256: split?.recordsSha256 ?? null };
}

export interface FileVerdict {
  readonly end: 'accept' | 'duplicate' | 'hold' | 'quarantine' | 'unpack';
  readonly code: ArrivalErrorCode | null;
  readonly reason: string | null;
  /** The file that was first, also where the flow accepts duplicates. */
  readonly duplicateOf: string | null;
  readonly sameNameAs: string | null;
  /** Of what is unpacked: the verdicts on its members, in their order; else none. */
  readonly members: readonly FileVerdict[];
}

export interface FlowKeys {
  readonly flowId: string;
  readonly duplicates: DuplicatePolicy;
}

/**
 * The keys that make this file a duplicate when another file owns one of them. A container of members is told by its bytes only:
 * it owns nothing itself, the first of its members that is accepted does for it.
 */
export function fingerprintsOf(policy: DuplicatePolicy, file: Omit<JudgedFile, 'problem' | 'knownDuplicateOf'>): Fingerprint[] {
  const { fileId, name, memberSha256, containerSha256, recordsSha256, members } = file;
  if (members !== null)
    return policy.keys.includes('sha256') ? [{ kind: 'container', value: containerSha256, fileId: members[0]?.fileId ?? fileId }] : [];
  const prints: Fingerprint[] = [];
  if (policy.keys.includes('sha256')) {
    if (memberSha256 !== null) prints.push({ kind: 'sha256', value: memberSha256, fileId });
    if (containerSha256 !== memberSha256) prints.push({ kind: 'container', value: containerSha256, fileId });
  }
  if (policy.keys.includes('records') && recordsSha256 !== null) prints.push({ kind: 'records', value: recordsSha256, fileId });
  if (policy.keys.includes('name')) prints.push({ kind: 'name', value: name, fileId });
  return prints;
}

/** Which of these files others own already; asked before their bytes are sealed, so that resent files cost no storage. */
export async function findKnownDuplicates(tx: TenantTx, flow: FlowKeys, files: readonly JudgedFile[]): Promise<Map<string, string>> {
  const { duplicates, flowId } = flow;
  const sound =
    duplicates.onDuplicate === 'reject'
      ? files.filter((file) => file.problem === null).flatMap((file) => [file, ...(file.members ?? [])])
      : [];
  const owners = await findOwners(
    tx,
    { flowId, windowMs: duplicates.windowMs },
    sound.flatMap((file) => fingerprintsOf(duplicates, file)),
  );
  const known = new Map<string, string>();
  for (const file of sound) {
    const owner = fingerprintsOf(duplicates, file)
      .map((print) => ownerOf(owners, print))
      .find((found) => found !== undefined);
    if (owner !== undefined) known.set(file.fileId, owner);
  }
  return known;
}

/** Claims what the accepted files own from now on, in the caller's transaction. */
export async function judgeFiles(tx: TenantTx, flow: FlowKeys, files: readonly JudgedFile[]): Promise<FileVerdict[]> {
  const { duplicates, flowId } = flow;
  const contenders = files.filter((file) => file.problem === null && file.knownDuplicateOf === null);
  const owners = new Owners(tx, { flowId, windowMs: duplicates.windowMs });
  await owners.claim(contenders.flatMap((file) => printsOf(duplicates, file)));
  const verdicts: FileVerdict[] = [];
  for (const file of files) {
    if (file.problem) verdicts.push({ ...accepted(), end: 'quarantine', code: file.problem.code, reason: file.problem.message });
    else if (file.knownDuplicateOf !== null) verdicts.push(duplicate(duplicates, file.knownDuplicateOf));
    else if (file.members !== null) verdicts.push(judgeContainer(duplicates, file, file.members, owners));
    else verdicts.push(judgeFile(duplicates, file, owners));
  }
  await owners.settle();
  return verdicts;
}

function printsOf(policy: DuplicatePolicy, file: JudgedFile): Fingerprint[] {
  const own = fingerprintsOf(policy, file);
  if (file.members === null) return [...own, ...namePrintOf(policy, file)];
  return [...own, ...file.members.filter((member) => member.knownDuplicateOf === null).flatMap((member) => printsOf(policy, member))];
}

/** Where the flow takes duplicates, or holds them, its members are looked at all the same, each for itself. */
function judgeContainer(policy: DuplicatePolicy, file: JudgedFile, members: readonly JudgedFile[], owners: Owners): FileVerdict {
  const prints = fingerprintsOf(policy, file);
  const first = prints.map((print) => owners.ownerOf(print)).find((owner) => owner !== undefined);
  if (first !== undefined && policy.onDuplicate === 'reject') return duplicate(policy, first);
  const verdicts = members.map((member) =>
    member.knownDuplicateOf === null ? judgeFile(policy, member, owners) : duplicate(policy, member.knownDuplicateOf),
  );
  const acceptedAt = verdicts.findIndex((verdict) => verdict.end === 'accept');
  if (acceptedAt >= 0 && first === undefined) for (const print of prints) owners.own({ ...print, fileId: members[acceptedAt]!.fileId });
  return { ...accepted(), end: 'unpack', members: verdicts };
}

/** Only an accepted file owns anything: what was refused makes no later file a duplicate. */
function judgeFile(policy: DuplicatePolicy, file: JudgedFile, owners: Owners): FileVerdict {
  const keys = fingerprintsOf(policy, file);
  const names = namePrintOf(policy, file);
  const first = keys.map((print) => owners.ownerOf(print)).find((owner) => owner !== undefined);
  let verdict = first === undefined ? accepted() : duplicate(policy, first);
  const namesake = names.map((print) => owners.ownerOf(print)).find((owner) => owner !== undefined);
  if (verdict.end === 'accept' && namesake !== undefined) verdict = sameName(policy, verdict, namesake);
  if (verdict.end !== 'accept') return verdict;
  for (const print of keys) if (owners.ownerOf(print) === undefined) owners.own(print);
  // A name belongs to the newest file of that name.
  for (const print of names) owners.own(print);
  return verdict;
}

/** The name, where it is no key of the flow: known with other content, the flow's `onSameName` decides. */
export function namePrintOf(policy: DuplicatePolicy, file: Pick<JudgedFile, 'fileId' | 'name'>): Fingerprint[] {
  return policy.keys.includes('name') ? [] : [{ kind: 'name', value: file.name, fileId: file.fileId }];
}

function accepted(): FileVerdict {
  return { end: 'accept', code: null, reason: null, duplicateOf: null, sameNameAs: null, members: [] };
}

function duplicate(policy: DuplicatePolicy, first: string): FileVerdict {
  const verdict = { ...accepted(), code: 'E_DUPLICATE', reason: 'the flow has accepted this file before', duplicateOf: first } as const;
  switch (policy.onDuplicate) {
    case 'reject':
      return { ...verdict, end: 'duplicate' };
    case 'hold':
      return { ...verdict, end: 'hold' };
    case 'accept':
      return { ...accepted(), duplicateOf: first };
  }
}

function sameName(policy: DuplicatePolicy, before: FileVerdict, earlier: string): FileVerdict {
  const verdict = {
    ...before,
    code: 'E_SAME_NAME',
    reason: 'the flow has accepted another file of this name before',
    sameNameAs: earlier,
  } as const;
  switch (policy.onSameName) {
    case 'reject':
      return { ...verdict, end: 'quarantine' };
    case 'hold':
      return { ...verdict, end: 'hold' };
    case 'accept':
      return { ...before, sameNameAs: earlier };
  }
}

/** Who owns which key while the files of a batch are judged one after the other; the database is made to agree at the end. */
class Owners {
  readonly #tx: TenantTx;
  readonly #scope: FingerprintScope;
  /** Claimed for the first file of the batch that wants the key, before anything is judged. */
  readonly #claimed = new Map<string, Fingerprint>();
  #others: ReadonlyMap<string, string> = new Map();
  readonly #owned = new Map<string, Fingerprint>();

  constructor(tx: TenantTx, scope: FingerprintScope) {
    this.#tx = tx;
    this.#scope = scope;
  }

  async claim(wanted: readonly Fingerprint[]): Promise<void> {
    for (const print of wanted) if (!this.#claimed.has(key(print))) this.#claimed.set(key(print), print);
    this.#others = await claimFingerprints(this.#tx, this.#scope, [...this.#claimed.values()]);
    for (const [name, print] of this.#claimed) if (ownerOf(this.#others, print) !== undefined) this.#claimed.delete(name);
  }

  ownerOf(print: Fingerprint): string | undefined {
    return this.#owned.get(key(print))?.fileId ?? ownerOf(this.#others, print);
  }

  own(print: Fingerprint): void {
    this.#owned.set(key(print), print);
  }

  async settle(): Promise<void> {
    const wrong = [...this.#claimed.values()].filter((print) => this.#owned.get(key(print))?.fileId !== print.fileId);
    await releaseFingerprints(this.#tx, this.#scope.flowId, wrong);
    const lost = await claimFingerprints(
      this.#tx,
      this.#scope,
      wrong.flatMap((print) => this.#owned.get(key(print)) ?? []),
    );
    if (lost.size > 0) throw new Error('a fingerprint that this transaction had given back was owned by another');
    await renewNames(
      this.#tx,
      this.#scope.flowId,
      [...this.#owned.values()].filter((print) => ownerOf(this.#others, print) !== undefined),
    );
  }
}

const key = (print: Fingerprint) => `${print.kind}\u0000${print.value}`;
