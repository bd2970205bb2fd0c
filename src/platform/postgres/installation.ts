/**
 * Whether there is an installation in a data folder, for commands that work beside a server: a mistyped folder is told, and not filled.
 * Only what is there to begin with one makes one.
 */
import { existsSync } from 'node:fs';
import { HeadgateError } from '../base/errors.ts';
import { clusterStatePath } from './embedded-cluster-state.ts';
import { embeddedErrors } from './embedded-errors.ts';
import { type LockPorts, withFolderLock } from './folder-lock.ts';

export interface InstallationPlace {
  readonly dataDir: string;
  /** A server of one's own, which is always taken for one; its schema is looked at where it is opened. */
  readonly databaseUrl?: string;
}

export function hasInstallation({ databaseUrl, dataDir }: InstallationPlace): boolean {
  return databaseUrl !== undefined || existsSync(clusterStatePath(dataDir));
}

/** Waits for one that is being made. Fails with E_NO_INSTALLATION. */
export async function requireInstallation(place: InstallationPlace, ports: LockPorts): Promise<void> {
  if (hasInstallation(place)) return;
  if (existsSync(place.dataDir)) await withFolderLock(place.dataDir, ports, async () => {});
  if (!hasInstallation(place)) throw new HeadgateError(embeddedErrors.E_NO_INSTALLATION, `there is no installation in ${place.dataDir}`);
}
