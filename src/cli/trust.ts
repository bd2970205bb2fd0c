/**
 * `headgate trust`: prints the trust file of this installation's signing key, for the administrator to hand to verifiers
 * over a channel of their own. It makes no key and shows no private one.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readSigningKey, type SigningKey } from '../pipeline/ledger/signing-key.ts';
import { printTrustFile } from '../pipeline/ledger/trust-file.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import type { Settings } from '../platform/base/settings-catalogue.ts';
import { secretErrors } from '../platform/secrets/secret-errors.ts';
import { createSecretFiles } from '../platform/secrets/secret-files.ts';
import { createSecretResolver } from '../platform/secrets/secret-resolver.ts';
import { type Command, textOption } from './command.ts';
import { loadSettings } from './load-settings.ts';
import { writeOut } from './stdout.ts';

export const trustCommand: Command = {
  usage: 'headgate trust [--data-dir DIR]',
  summary: 'Prints the public key that receipts of this installation are verified with, as a trust file.',
  options: { 'data-dir': { type: 'string' } },
  async run(line) {
    const settings = loadSettings({ flags: { dataDir: textOption(line, 'data-dir') } });
    await writeOut(printTrustFile([readKey(settings, process.env)]));
    return 0;
  },
};

function readKey(settings: Settings, env: Readonly<Record<string, string | undefined>>): SigningKey {
  if (settings.signingKey) {
    const mounted = createSecretFiles({ mountedFolders: settings.mountedSecretFolders });
    return readSigningKey(createSecretResolver({ env, files: mounted, limits: null }).resolve(settings.signingKey));
  }
  const path = join(settings.dataDir, 'signing.pem');
  if (existsSync(path)) return readSigningKey(createSecretFiles({ ownerOnly: true }).read(path));
  throw new HeadgateError(secretErrors.E_SECRET_MISSING, `there is no signing key in ${settings.dataDir}`, {
    next: 'Name the data folder of the server (`--data-dir` or HEADGATE_DATA_DIR; without them it is .headgate below the current folder), or its HEADGATE_SIGNING_KEY.',
  });
}
