/**
 * Takes objects of a source away: copies each to a folder beside it, within the service, and removes it; or removes it only. What
 * took the name meanwhile stays. Nothing is overwritten. An end between copy and removal leaves both: the next poll can't know whose
 * the copy is, and copies again under the name with the arrival's id.
 */
import { forEachAtOnce } from '../../../platform/base/at-once.ts';
import type { Blob, BlobContainer } from '../../../platform/blob/blob-container.ts';
import { BlobFailure } from '../../../platform/blob/blob-failure.ts';
import type { OnTurn, TakeAway } from '../source-place.ts';
import { folderFor, takenNames } from '../taken-names.ts';
import { isFailure } from './blob-failures.ts';

export interface TakeAwayOptions {
  readonly container: BlobContainer;
  /** Empty, or ending with a slash. */
  readonly folder: string;
  readonly onTurn: OnTurn;
  readonly insisting: <T>(ask: () => Promise<T>) => Promise<T>;
}

type Meant = Pick<Blob, 'name' | 'etag' | 'bytes'>;

const movesAtOnce = 8;
/** Of all services that are spoken to. */
const blobNameBytesMax = 1_024;

export async function takeAwayAll(options: TakeAwayOptions, works: readonly TakeAway[]): Promise<readonly string[]> {
  await forEachAtOnce(works, movesAtOnce, async (work) => {
    await options.onTurn();
    await takeAway(options, work);
  });
  // A copy that is not of what was meant is removed.
  return [];
}

async function takeAway(options: TakeAwayOptions, work: TakeAway): Promise<void> {
  const { container, folder, insisting } = options;
  const { entry, companions } = work;
  const file = { name: folder + entry.name, etag: entry.fingerprint, bytes: entry.sizeBytes };
  if (!(await isThere(options, file))) return;
  for (const name of companions) {
    const beside = await insisting(() => container.look(folder + name));
    if (beside !== undefined) await takeOne(options, { file: beside, name, work });
  }
  await takeOne(options, { file, name: entry.name, work });
}

async function takeOne(
  options: TakeAwayOptions,
  { file, name, work }: { readonly file: Meant; readonly name: string; readonly work: TakeAway },
): Promise<void> {
  const { container, insisting } = options;
  if (work.to !== 'nowhere' && !(await copyBeside(options, { file, name, work }))) return;
  try {
    await insisting(() => container.remove(file));
  } catch (error) {
    if (!isFailure(error, 'changed')) throw error;
  }
}

/**
 * False: the object is not what it was, and has no copy. It is looked at after it was copied, because services don't compare then;
 * some don't on removal either, and this is the last look.
 */
async function copyBeside(
  options: TakeAwayOptions,
  { file, name, work }: { readonly file: Meant; readonly name: string; readonly work: TakeAway },
): Promise<boolean> {
  const { container, folder, insisting } = options;
  const beside = (own: string | Buffer) => `${folder}${folderFor(work.to)}/${own}`;
  const unique = beside(takenNames(Buffer.from(name), work).unique);
  const isTooLong = Buffer.byteLength(beside(name)) > blobNameBytesMax;
  const target = isTooLong || (await insisting(() => container.look(beside(name)))) !== undefined ? unique : beside(name);
  try {
    await insisting(() => container.copy(file.name, target));
  } catch (error) {
    if (isFailure(error, 'missing')) return false;
    throw error;
  }
  const copied = await insisting(() => container.look(target));
  if (!(await isThere(options, file))) {
    if (copied !== undefined) await insisting(() => container.remove(copied));
    return false;
  }
  if (copied?.bytes !== file.bytes) throw new BlobFailure('failed', 'the copy of a taken file is not there whole');
  return true;
}

async function isThere({ container, insisting }: TakeAwayOptions, { name, etag }: Meant): Promise<boolean> {
  return (await insisting(() => container.look(name)))?.etag === etag;
}
