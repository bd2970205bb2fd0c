/**
 * The codes that say that settings are at fault: of a target, its connection, the policy, a secret, or of what the target has
 * to have. Neither the records nor time can mend that, so a batch that meets one is held after a few tries and never given up.
 */
import { folderErrors } from '../../../platform/base/folder-errors.ts';
import { pgpKeyErrors } from '../../../platform/openpgp/pgp-key-errors.ts';
import { secretErrors } from '../../../platform/secrets/secret-errors.ts';
import { connectorErrors } from '../../connectors/connector-errors.ts';

export const configurationCodes: readonly string[] = [
  connectorErrors.E_TARGET,
  connectorErrors.E_SSRF,
  connectorErrors.E_TARGET_FORBIDDEN,
  connectorErrors.E_TARGET_HOST_KEY,
  connectorErrors.E_TARGET_REDIRECT,
  connectorErrors.E_TARGET_SETUP,
  pgpKeyErrors.E_PGP_RECIPIENT,
  pgpKeyErrors.E_PGP_SIGNING_KEY,
  folderErrors.E_FOLDER_NOT_ALLOWED,
  secretErrors.E_SECRET_REFERENCE,
  secretErrors.E_SECRET_NOT_ALLOWED,
  secretErrors.E_SECRET_MISSING,
  secretErrors.E_SECRET_PERMISSIONS,
  secretErrors.E_SECRET_SIZE,
  secretErrors.E_SECRET_UNREADABLE,
];

/** The same as SQL. */
export const configurationList = configurationCodes.map((code) => `'${code}'`).join(', ');

/** Attempts after which such a batch is held: a secret that is being exchanged is there by then. */
const triesMax = 5;

export function isConfigurationFault(code: string | null): boolean {
  return code !== null && configurationCodes.includes(code);
}

/**
 * True when a batch whose try number `tries` (since it was cut, or held last) failed with this code waits for its settings
 * to be mended. Where it was found out that they are at fault, one try is enough.
 */
export function isToBeHeld(code: string, tries: number, { retryMax, isFoundOut }: { retryMax: number; isFoundOut: boolean }): boolean {
  return isConfigurationFault(code) && (isFoundOut || tries >= Math.min(triesMax, retryMax + 1));
}
