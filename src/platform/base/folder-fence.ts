/**
 * Which folders of the machine the connections of a tenant may name. Tenants write connections, so without a fence a flow
 * could read the product's own keys, or another tenant's files. Paths are compared as they really are, links followed, at
 * the moment of use; what isn't there yet is judged by where it would be.
 */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { HeadgateError } from './errors.ts';
import { folderErrors } from './folder-errors.ts';

/** What stands for the name of the tenant in a root. */
export const tenantPlaceholder = '{tenant}';

export interface FolderUse {
  readonly tenant: string;
  readonly path: string;
}

export interface FolderFence {
  /** Each tenant has roots of its own, so that no two can meet in a folder. */
  readonly isPerTenant: boolean;
  /** Completes "the root …"; undefined when the folder may be used. */
  refusal(use: FolderUse): string | undefined;
  /** Fails with E_FOLDER_NOT_ALLOWED. */
  assertAllowed(use: FolderUse): void;
}

/**
 * `roots` is the setting; empty: every folder that does not meet a protected one. A protected folder inside an allowed root
 * stays protected, unless a root was named inside it.
 */
export function createFolderFence({
  roots,
  protectedFolders,
}: {
  readonly roots: readonly string[];
  readonly protectedFolders: readonly string[];
}): FolderFence {
  let protectedPaths: readonly string[] | undefined;
  function refusal({ tenant, path }: FolderUse): string | undefined {
    const real = realPath(path);
    if (real === undefined) return 'leads to a folder that cannot be looked at';
    const allowed = roots.map((root) => realPath(root.replaceAll(tenantPlaceholder, tenant))).filter((root) => root !== undefined);
    const around = allowed.filter((root) => isBelowOrEqual(root, real));
    if (roots.length > 0 && around.length === 0) return 'lies outside the folders that the setting folderRoots allows';
    protectedPaths ??= protectedFolders.map((folder) => realPath(folder) ?? folder);
    const isProtected = protectedPaths.some(
      (folder) => overlap(folder, real) && !around.some((root) => root !== folder && isBelowOrEqual(folder, root)),
    );
    return isProtected ? "meets a folder of the system or of the product's own" : undefined;
  }
  return {
    isPerTenant: roots.length > 0 && roots.every((root) => root.split(sep).includes(tenantPlaceholder)),
    refusal,
    assertAllowed(use) {
      const reason = refusal(use);
      if (reason !== undefined) throw new HeadgateError(folderErrors.E_FOLDER_NOT_ALLOWED, `the root of the connection ${reason}`);
    },
  };
}

/** Equal, or one inside the other, as they really are. What can't be looked at meets nothing. */
export function foldersMeet(path: string, other: string): boolean {
  const [real, otherReal] = [realPath(path), realPath(other)];
  return real !== undefined && otherReal !== undefined && overlap(real, otherReal);
}

/** Of a path whose end need not be there. Undefined where a folder on the way may not be looked at, or links go in a circle. */
function realPath(path: string): string | undefined {
  const missing: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    try {
      return join(realpathSync.native(at), ...missing);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || dirname(at) === at) return undefined;
      missing.unshift(basename(at));
    }
  }
}

function overlap(one: string, other: string): boolean {
  return isBelowOrEqual(one, other) || isBelowOrEqual(other, one);
}

/** Both as they really are. */
export function isBelowOrEqual(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
