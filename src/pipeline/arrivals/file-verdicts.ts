/**
 * What becomes of the files of one accepting transaction: accepted, duplicate, held or quarantined, by the flow's policy and
 * the fingerprints that others own. Files of one batch are judged in order, as if they had come one after the other.
 */
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { ArrivalErrorCode } from './arrival-errors.ts';
import type { DuplicatePolicy } from './arrival-plan.ts';
import { claimFingerprints, type Fingerprint, findOwners, ownerOf, releaseFingerprints, renewNames } from './file-fingerprints.ts';

export interface JudgedFile {
  readonly fileId: string;
  readonly name: string;
  /** Of the unpacked file; null when it could not be unpacked. */
  readonly memberSha256: string | null;
  readonly containerSha256: string;
  readonly problem: { readonly code: ArrivalErrorCode; readonly message: string } | null;
  /** Found before the bytes were sealed: the file whose duplicate this is. */
  readonly knownDuplicateOf: string | null;
}

export interface FileVerdict {
  readonly end: 'accept' | 'duplicate' | 'hold' | 'quarantine';
  readonly code: ArrivalErrorCode | null;
  readonly reason: string | null;
  /** The file that was first, also where the flow accepts duplicates. */
  readonly duplicateOf: string | null;
  readonly sameNameAs: string | null;
}

export interface FlowKeys {
  readonly flowId: string;
  readonly duplicates: DuplicatePolicy;
}

/** The keys that make this file a duplicate when another file owns one of them. */
export function fingerprintsOf(
  policy: DuplicatePolicy,
  file: Pick<JudgedFile, 'fileId' | 'name' | 'memberSha256' | 'containerSha256'>,
): Fingerprint[] {
  const { fileId, name, memberSha256, containerSha256 } = file;
  const prints: Fingerprint[] = [];
  if (policy.keys.includes('sha256')) {
    if (memberSha256 !== null) prints.push({ kind: 'sha256', value: memberSha256, fileId });
    if (containerSha256 !== memberSha256) prints.push({ kind: 'container', value: containerSha256, fileId });
  }
  if (policy.keys.includes('name')) prints.push({ kind: 'name', value: name, fileId });
  return prints;
}

/** Which of these files others own already; asked before their bytes are sealed, so that resent files cost no storage. */
export async function findKnownDuplicates(
  tx: TenantTx,
  flow: FlowKeys,
  files: readonly Omit<JudgedFile, 'knownDuplicateOf'>[],
): Promise<Map<string, string>> {
  const { duplicates, flowId } = flow;
  const sound = duplicates.onDuplicate === 'reject' ? files.filter((file) => file.problem === null) : [];
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
  const scope = { flowId, windowMs: duplicates.windowMs };
  const contenders = files.filter((file) => file.problem === null && file.knownDuplicateOf === null);
  const contested = new Claims(tx, scope);
  await contested.claim(contenders.flatMap((file) => fingerprintsOf(duplicates, file)));

  const verdicts = new Map<string, FileVerdict>();
  for (const file of contenders) {
    const prints = fingerprintsOf(duplicates, file);
    const first = prints.map((print) => contested.ownerOf(print)).find((owner) => owner !== undefined);
    verdicts.set(file.fileId, first === undefined ? accepted() : duplicate(duplicates, first));
    if (verdicts.get(file.fileId)!.end === 'accept') contested.own(prints);
  }
  await judgeNames(tx, flow, contenders, verdicts, contested);
  await contested.settle();
  return files.map((file) => {
    if (file.problem) return { ...accepted(), end: 'quarantine', code: file.problem.code, reason: file.problem.message };
    if (file.knownDuplicateOf !== null) return duplicate(duplicates, file.knownDuplicateOf);
    return verdicts.get(file.fileId)!;
  });
}

/** Names that are no key of the flow: what happens to another content under a known name. */
async function judgeNames(
  tx: TenantTx,
  flow: FlowKeys,
  contenders: readonly JudgedFile[],
  verdicts: Map<string, FileVerdict>,
  contested: Claims,
): Promise<void> {
  const { duplicates, flowId } = flow;
  if (duplicates.keys.includes('name')) return;
  const passed = contenders.filter((file) => verdicts.get(file.fileId)!.end === 'accept');
  const names = new Claims(tx, { flowId, windowMs: duplicates.windowMs });
  const printOf = (file: JudgedFile): Fingerprint => ({ kind: 'name', value: file.name, fileId: file.fileId });
  await names.claim(passed.map(printOf));
  const renewed = new Map<string, string>();
  for (const file of passed) {
    const print = printOf(file);
    const earlier = names.ownerOf(print);
    if (earlier === undefined) {
      names.own([print]);
      continue;
    }
    const verdict = sameName(duplicates, verdicts.get(file.fileId)!, earlier);
    verdicts.set(file.fileId, verdict);
    if (verdict.end === 'accept') {
      names.pass(print);
      renewed.set(file.name, file.fileId);
    } else contested.disown(fingerprintsOf(duplicates, file));
  }
  await names.settle();
  await renewNames(
    tx,
    flowId,
    [...renewed].map(([value, fileId]) => ({ value, fileId })),
  );
}

function accepted(): FileVerdict {
  return { end: 'accept', code: null, reason: null, duplicateOf: null, sameNameAs: null };
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

/** Keys as this transaction sees them: those that others own, those that files of the batch own after their verdict. */
class Claims {
  readonly #tx: TenantTx;
  readonly #scope: { readonly flowId: string; readonly windowMs: number };
  readonly #inDatabase = new Map<string, Fingerprint>();
  #others: ReadonlyMap<string, string> = new Map();
  readonly #owned = new Map<string, Fingerprint>();

  constructor(tx: TenantTx, scope: { readonly flowId: string; readonly windowMs: number }) {
    this.#tx = tx;
    this.#scope = scope;
  }

  /** The first file of the batch that wants a key claims it for the batch. */
  async claim(wanted: readonly Fingerprint[]): Promise<void> {
    for (const print of wanted) if (!this.#inDatabase.has(key(print))) this.#inDatabase.set(key(print), print);
    this.#others = await claimFingerprints(this.#tx, this.#scope, [...this.#inDatabase.values()]);
    for (const [name, print] of this.#inDatabase) if (ownerOf(this.#others, print) !== undefined) this.#inDatabase.delete(name);
  }

  ownerOf(print: Fingerprint): string | undefined {
    return ownerOf(this.#others, print) ?? this.#owned.get(key(print))?.fileId;
  }

  own(prints: readonly Fingerprint[]): void {
    for (const print of prints) if (this.ownerOf(print) === undefined) this.#owned.set(key(print), print);
  }

  /** Hands a key that a file of this batch owns to a later one. */
  pass(print: Fingerprint): void {
    if (this.#owned.has(key(print))) this.#owned.set(key(print), print);
  }

  disown(prints: readonly Fingerprint[]): void {
    for (const print of prints) if (this.#owned.get(key(print))?.fileId === print.fileId) this.#owned.delete(key(print));
  }

  /** Makes the database agree: a claim whose file is not accepted goes back, or to the file that owns it after all. */
  async settle(): Promise<void> {
    const wrong = [...this.#inDatabase.values()].filter((print) => this.#owned.get(key(print))?.fileId !== print.fileId);
    await releaseFingerprints(this.#tx, this.#scope.flowId, wrong);
    const again = wrong.flatMap((print) => this.#owned.get(key(print)) ?? []);
    const lost = await claimFingerprints(this.#tx, this.#scope, again);
    if (lost.size > 0) throw new Error('a fingerprint that this transaction had given back was owned by another');
  }
}

const key = (print: Fingerprint) => `${print.kind}\u0000${print.value}`;
