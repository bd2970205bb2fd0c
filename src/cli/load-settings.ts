/**
 * Reads the settings of this process: flags of the command line, environment, `headgate.config.yaml` in the current folder,
 * `config.yaml` in the user's configuration folder. Paths in settings are taken from the current folder.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { HeadgateError } from '../platform/base/errors.ts';
import { resolveSettings, type SettingFile, settingErrors } from '../platform/base/settings.ts';
import type { Settings } from '../platform/base/settings-catalogue.ts';

export interface LoadSettingsOptions {
  /** By setting name, as given on the command line. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly folder?: string;
}

const projectFileName = 'headgate.config.yaml';
const fileBytesMax = 256 * 1024;

/** Fails with E_SETTING_UNKNOWN, E_SETTING_INVALID or E_SETTING_SECRET, naming every mistake. `dataDir` comes back absolute. */
export function loadSettings(options: LoadSettingsOptions = {}): Settings {
  const { env = process.env, folder = process.cwd() } = options;
  const userFolder = env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  const settings = resolveSettings({
    flags: options.flags,
    env,
    projectFile: readSettingsFile(join(folder, projectFileName)),
    userFile: readSettingsFile(join(userFolder, 'headgate', 'config.yaml')),
  });
  return { ...settings, dataDir: resolve(folder, settings.dataDir) };
}

function readSettingsFile(path: string): SettingFile | undefined {
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  if (text.length > fileBytesMax) throw new HeadgateError(settingErrors.E_SETTING_INVALID, `${path} is larger than ${fileBytesMax} bytes`);
  let values: unknown;
  try {
    values = parse(text, { maxAliasCount: 0, logLevel: 'error' });
  } catch (cause) {
    const { linePos } = cause as { linePos?: readonly { line: number }[] };
    throw new HeadgateError(settingErrors.E_SETTING_INVALID, `${path} is not YAML${linePos ? `, line ${linePos[0]!.line}` : ''}`, {
      cause,
    });
  }
  if (values === null) return undefined;
  if (typeof values !== 'object' || Array.isArray(values)) {
    throw new HeadgateError(settingErrors.E_SETTING_INVALID, `${path} must hold settings as name: value`);
  }
  return { path, values: values as Record<string, unknown> };
}
