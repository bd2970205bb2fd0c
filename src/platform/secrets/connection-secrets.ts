/**
 * What connections may refer to. Tenants write connections and choose where they lead, so a tenant that could name another's
 * secret, or the product's own key, could have it sent to itself. Therefore a name leads to one tenant at most: variables
 * carry the tenant's name, files lie in the tenant's folder. What a tenant may not name is refused before anything is looked
 * up, so a refusal does not tell what is there.
 */
import { join } from 'node:path';
import { createSecretFiles } from './secret-files.ts';
import { isBelow, type SecretReference } from './secret-references.ts';
import { createSecretResolver, type SecretResolver } from './secret-resolver.ts';

export interface ConnectionSecrets {
  /** `tenant` is the name of the tenant that the work belongs to, not one that a document states. */
  of(tenant: string): SecretResolver;
}

/**
 * Neither begins with an underscore nor holds two in a row: so the last two in a row end the tenant's name, whatever hyphens
 * that has, and each variable has one tenant.
 */
const ownName = /^[A-Z0-9]+(?:_[A-Z0-9]+)*$/;

/** Names of tenants have neither capitals nor underscores, so no two become the same. */
export function connectionVariable(tenant: string, name: string): string {
  return `HEADGATE_SECRET_${tenant.toUpperCase().replaceAll('-', '_')}__${name}`;
}

/** Below these each tenant has a folder of its own name. The first is in the data folder. */
export function connectionSecretFolders(settings: {
  readonly dataDir: string;
  readonly mountedSecretFolders: readonly string[];
}): readonly string[] {
  return [join(settings.dataDir, 'secrets'), ...settings.mountedSecretFolders];
}

/**
 * Why a connection of this tenant may not refer to it; undefined when it may. Without `folders`, where the data folder isn't
 * known, a file passes that lies in a folder of the tenant's name.
 */
export function secretRefusal(reference: SecretReference, tenant: string, folders?: readonly string[]): string | undefined {
  if (reference.kind === 'env') {
    const prefix = connectionVariable(tenant, '');
    if (reference.name.startsWith(prefix) && ownName.test(reference.name.slice(prefix.length))) return undefined;
    return `connections of ${tenant} may only refer to variables named ${prefix}<NAME>, <NAME> being capitals, digits and single underscores`;
  }
  if (folders === undefined ? reference.path.includes(`/${tenant}/`) : isOwnFile(reference.path, tenant, folders)) return undefined;
  return `connections of ${tenant} may only refer to files below secrets/${tenant}/ in the data folder, or ${tenant}/ in a mounted secret folder`;
}

/** Where one folder lies inside another, a path could be of two tenants; then it is of none. */
function isOwnFile(path: string, tenant: string, folders: readonly string[]): boolean {
  const around = folders.filter((folder) => isBelow(folder, path));
  return around.length > 0 && around.every((folder) => isBelow(join(folder, tenant), path));
}

export function createConnectionSecrets(settings: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folders: readonly string[];
  /** Of these: where an orchestrator mounts secrets. */
  readonly mountedFolders: readonly string[];
}): ConnectionSecrets {
  const { env, folders, mountedFolders } = settings;
  const files = createSecretFiles({ mountedFolders });
  return {
    of: (tenant) =>
      createSecretResolver({
        env,
        files,
        limits: {
          refusal: (reference) => secretRefusal(reference, tenant, folders),
          folders: folders.map((folder) => join(folder, tenant)),
        },
      }),
  };
}
