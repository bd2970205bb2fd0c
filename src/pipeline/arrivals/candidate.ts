/** What the accepting transaction is about: a file whose bytes are stored, and the verdict on it. */
import type { Unpack } from '../../platform/packing/packings.ts';
import type { SealedObject } from '../../platform/storage/object-store.ts';
import type { SplitResult } from '../formats/format.ts';
import type { ArrivalErrorCode } from './arrival-errors.ts';
import type { ArchiveOfMember } from './arrival-store.ts';
import type { FileVerdict } from './file-verdicts.ts';

export interface StoredContent {
  readonly bytes: number;
  readonly sha256: string;
  /** Null only where nothing was kept: a known duplicate, or a refused kind of file. */
  readonly object: SealedObject | null;
}

/** A complete arrival whose bytes have been taken in. */
export interface Candidate {
  readonly arrivalId: string;
  readonly sourceId: string;
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
  /** Of the file at its source, where that keeps versions. */
  readonly sourceVersion: string | null;
  readonly split: SplitResult | null;
  /** Of what a pack made the member of; null: no pack did. */
  readonly givenSha256: string | null;
  readonly problem: { readonly code: ArrivalErrorCode; readonly message: string } | null;
  readonly knownDuplicateOf: string | null;
  /** What it was unpacked from; then it is its own container. */
  readonly archive: ArchiveOfMember | null;
  /** Files of their own that were unpacked from it, whose arrivals are not there yet; null where it is a file itself. */
  readonly members: readonly Candidate[] | null;
}

/** Nothing was unpacked or made of it: what came is what is read. */
export function isOwnContainer({ container, member }: Pick<Candidate, 'container' | 'member'>): boolean {
  return container.object === null || member?.object == null || container.object.objectId === member.object.objectId;
}

export interface Judged {
  readonly candidate: Candidate;
  readonly verdict: FileVerdict;
}
