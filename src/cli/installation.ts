/**
 * Whether there is an installation where the settings say, for commands that work beside a server: a mistyped data folder is told, and
 * not filled. Only what is there to begin with one makes one.
 */
import { existsSync } from 'node:fs';
import { HeadgateError } from '../platform/base/errors.ts';
import type { Settings } from '../platform/base/settings-catalogue.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { clusterStatePath } from '../platform/postgres/embedded-cluster-state.ts';
import { embeddedErrors } from '../platform/postgres/embedded-errors.ts';
import { withFolderLock } from '../platform/postgres/folder-lock.ts';

/** A server of one's own is always taken for one; its schema is looked at where it is opened. */
export function hasInstallation({ databaseUrl, dataDir }: Pick<Settings, 'databaseUrl' | 'dataDir'>): boolean {
  return databaseUrl !== undefined || existsSync(clusterStatePath(dataDir));
}

/** Waits for one that is being made. Fails with E_NO_INSTALLATION. */
export async function requireInstallation(settings: Settings): Promise<void> {
  if (hasInstallation(settings)) return;
  if (existsSync(settings.dataDir)) await withFolderLock(settings.dataDir, systemPorts, async () => {});
  if (!hasInstallation(settings))
    throw new HeadgateError(embeddedErrors.E_NO_INSTALLATION, `there is no installation in ${settings.dataDir}`);
}
