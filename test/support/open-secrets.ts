/** The secrets of tests that are not about whose they are: every variable and file is allowed. */
import type { ConnectionSecrets } from '../../src/platform/secrets/connection-secrets.ts';
import { createSecretResolver } from '../../src/platform/secrets/secret-resolver.ts';

export function openSecrets(env: Readonly<Record<string, string>> = {}): ConnectionSecrets {
  const resolver = createSecretResolver({ env, limits: null });
  return { of: () => resolver };
}
