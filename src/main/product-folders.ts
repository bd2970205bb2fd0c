/** The fence around what connections may name: the setting, and the folders that are the system's or the product's own. */
import { dirname, join } from 'node:path';
import { createFolderFence, type FolderFence } from '../platform/base/folder-fence.ts';
import type { Settings } from '../platform/base/settings-catalogue.ts';

const systemFolders = ['/boot', '/dev', '/etc', '/proc', '/root', '/run/secrets', '/sys', '/var/run/secrets'];
const installation = join(import.meta.dirname, '../..');

/** The data folder holds the secrets for connections; keys by `file:` reference lie where their setting says. */
export function createProductFence(settings: Settings): FolderFence {
  const keyFolders = [settings.masterKey, settings.signingKey, settings.sftpHostKey]
    .flatMap((references) => references?.split(',') ?? [])
    .flatMap((reference) => /^(?:\d+=)?file:(.+)$/.exec(reference.trim())?.[1] ?? [])
    .map(dirname);
  return createFolderFence({
    roots: settings.folderRoots,
    protectedFolders: [settings.dataDir, installation, ...systemFolders, ...keyFolders, ...settings.mountedSecretFolders],
  });
}
