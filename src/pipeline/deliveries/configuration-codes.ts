/**
 * The codes that say that settings are at fault: of a target, its connection, the policy, a secret, or of what the target has
 * to have. Neither the records nor time can mend that, so a batch that meets one is held after a few tries and never given up.
 */
import { folderErrors } from '../../platform/base/folder-errors.ts';
import { secretErrors } from '../../platform/secrets/secret-errors.ts';
import { connectorErrors } from '../connectors/connector-errors.ts';

export const configurationCodes: readonly string[] = [
  connectorErrors.E_TARGET,
  connectorErrors.E_SSRF,
  connectorErrors.E_TARGET_FORBIDDEN,
  connectorErrors.E_TARGET_REDIRECT,
  connectorErrors.E_TARGET_SETUP,
  folderErrors.E_FOLDER_NOT_ALLOWED,
  secretErrors.E_SECRET_REFERENCE,
  secretErrors.E_SECRET_NOT_ALLOWED,
  secretErrors.E_SECRET_MISSING,
  secretErrors.E_SECRET_PERMISSIONS,
  secretErrors.E_SECRET_SIZE,
  secretErrors.E_SECRET_UNREADABLE,
];

/** Attempts after which such a batch is held: a secret that is being exchanged is there by then. */
const triesMax = 5;

export function isConfigurationFault(code: string): boolean {
  return configurationCodes.includes(code);
}

/** True when attempt number `attempt` that failed with this code is the last one before a person has to act. */
export function isToBeHeld(code: string, attempt: number, retryMax: number): boolean {
  return isConfigurationFault(code) && attempt >= Math.min(triesMax, retryMax + 1);
}
