/**
 * `headgate doctor`: explains what is wrong with a set-up, each finding with its next step. It changes nothing and makes
 * nothing. Exit code 1 when a check failed.
 */
import { type Command, outputOptions, textOption } from './command.ts';
import {
  checkCoreDumps,
  checkDataFolder,
  checkEmbeddedBinaries,
  checkFolders,
  checkPort,
  checkRuntime,
  type Finding,
  failedBy,
} from './doctor-checks.ts';
import { checkDatabase } from './doctor-database.ts';
import { checkKeys } from './doctor-keys.ts';
import { checkObjectStore } from './doctor-object-store.ts';
import { type LoadSettingsOptions, loadSettings } from './load-settings.ts';
import { printRows } from './output.ts';

/** All findings, also when the settings themselves are wrong. */
export async function examine(options: LoadSettingsOptions): Promise<Finding[]> {
  const findings = [checkRuntime(), checkCoreDumps()];
  let settings: ReturnType<typeof loadSettings>;
  try {
    settings = loadSettings(options);
  } catch (error) {
    return [...findings, failedBy('settings', error)];
  }
  findings.push(...checkDataFolder(settings));
  if (settings.databaseUrl === undefined) findings.push(...checkEmbeddedBinaries());
  findings.push(...(await checkObjectStore(settings, options.env ?? process.env)));
  findings.push(...(await checkKeys(settings, options.env ?? process.env)), ...checkFolders(settings));
  findings.push(await checkPort(settings), ...(await checkDatabase(settings)));
  return findings;
}

export const doctorCommand: Command = {
  usage: 'headgate doctor [--data-dir DIR] [--json]',
  summary: 'Looks at runtime, settings, folders, keys, port and database, and says what to do about what is wrong.',
  options: { ...outputOptions, 'data-dir': { type: 'string' } },
  async run(line) {
    const findings = await examine({ flags: { dataDir: textOption(line, 'data-dir') } });
    await printRows(line, findings as never, { columns: ['result', 'check', 'message', 'next'] });
    return findings.some((finding) => finding.result === 'failed') ? 1 : 0;
  },
};
