/** A source folder of this machine as a place to poll: allowed to its tenant, and looked at, read and cleared in turns. */
import type { FolderFence } from '../../platform/base/folder-fence.ts';
import type { HeldFolder } from '../../platform/base/held-folder.ts';
import type { FolderSourcePlan } from './arrival-plan.ts';
import {
  listFolder,
  lookAt,
  openSourceFolder,
  readBeside,
  readFile,
  removeMoved,
  syncFolders,
  takeAway,
  takeAwayBeside,
} from './folder-source.ts';
import type { OnTurn, SourceEntry, SourceName, SourcePlace, TakeAway } from './source-place.ts';

/** How many are looked at, or taken away, between two turns: all of it is synchronous. */
const stepsPerTurn = 50;

export interface FolderPlaceOptions {
  readonly tenant: string;
  readonly folders: FolderFence;
  readonly source: FolderSourcePlan;
  readonly onTurn: OnTurn;
}

/** Fails with E_SOURCE when the folder can not be used, with E_FOLDER_NOT_ALLOWED when it may not. */
export function openFolderPlace({ tenant, folders, source, onTurn }: FolderPlaceOptions): SourcePlace {
  folders.assertAllowed({ tenant, path: source.root });
  // Again with where that is which is used from here on: a link may have been put in meanwhile.
  const folder = openSourceFolder(source, (place) => folders.assertAllowed({ tenant, path: place }));
  return {
    readsAtOnce: 1,
    async look(isWanted, { isKnown, newMax } = { isKnown: () => true, newMax: 0 }) {
      const listed = listFolder(folder);
      const entries: SourceEntry[] = [];
      let fresh: SourceEntry[] = [];
      for (const [index, found] of listed.entries()) {
        if (index % stepsPerTurn === stepsPerTurn - 1) await onTurn();
        if (!isWanted(found.name)) continue;
        const entry = lookAt(folder, found);
        if (entry === undefined) continue;
        if (isKnown(found.name)) entries.push(entry);
        else if (fresh.push(entry) > 2 * newMax) fresh = oldestOf(fresh, newMax);
      }
      for (const entry of oldestOf(fresh, newMax)) entries.push(entry);
      return { entries, names: new Set(listed.map((found) => found.name)), passedOver: 0 };
    },
    lookAgain: (name) => lookAt(folder, foundOf(name)),
    read: (entry) => readFile(folder, entry),
    readBeside: (name, bytesMax) => readBeside(folder, name, bytesMax),
    async takeAway(works) {
      const misplaced: string[] = [];
      for (const [index, work] of works.entries()) {
        if (index % stepsPerTurn === stepsPerTurn - 1) await onTurn();
        takeCompanions(folder, work);
        if (takeAway(folder, work) === 'misplaced') misplaced.push(work.arrivalId);
      }
      syncFolders(folder);
      return misplaced;
    },
    async endTakeAway(moved) {
      let isRemoved = false;
      for (const [index, file] of moved.entries()) {
        if (index % stepsPerTurn === stepsPerTurn - 1) await onTurn();
        if (removeMoved(folder, file)) isRemoved = true;
      }
      if (isRemoved) syncFolders(folder);
    },
    close: () => folder.close(),
  };
}

function oldestOf(entries: readonly SourceEntry[], most: number): SourceEntry[] {
  if (entries.length <= most) return [...entries];
  return entries.toSorted((a, b) => a.modifiedMs - b.modifiedMs || (a.name < b.name ? -1 : 1)).slice(0, most);
}

function takeCompanions(folder: HeldFolder, work: TakeAway): void {
  const { entry, companions } = work;
  if (companions.length === 0 || lookAt(folder, foundOf(entry))?.fingerprint !== entry.fingerprint) return;
  for (const name of companions) takeAwayBeside(folder, name, work);
}

function foundOf(entry: SourceName): { readonly bytes: Buffer; readonly name: string; readonly isExact: boolean } {
  return { bytes: entry.bytes, name: entry.name, isExact: entry.hasExactName };
}
