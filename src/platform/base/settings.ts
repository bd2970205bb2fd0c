/**
 * Resolves the settings of a process: command-line flag, then environment, then project file, then user file, then default.
 * Every mistake in all sources is reported at once; an unknown name is refused with the nearest known one. The sources are
 * given as data: reading files is the caller's.
 */
import { defineErrors, type ErrorDetail, HeadgateError } from './errors.ts';
import { nearestName } from './nearest-name.ts';
import type { Setting } from './setting-kinds.ts';
import { type SettingName, type Settings, settingsCatalogue, toolVariables } from './settings-catalogue.ts';

export type { Settings } from './settings-catalogue.ts';

export const settingErrors = defineErrors({
  E_SETTING_UNKNOWN: {
    meaning: 'A setting has a name that the product does not know.',
    actor: 'operator',
    next: 'Correct the name; docs/reference/settings.md lists them all.',
  },
  E_SETTING_INVALID: {
    meaning: 'A setting has a value outside its bounds.',
    actor: 'operator',
    next: 'Correct the value; docs/reference/settings.md gives the bounds.',
  },
  E_SETTING_SECRET: {
    meaning: 'A secret was given on a command line, where every user of the machine can read it.',
    actor: 'operator',
    next: 'Give it by environment variable or file.',
  },
});

export interface SettingSources {
  /** By setting name; undefined counts as absent. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly projectFile?: SettingFile;
  readonly userFile?: SettingFile;
}

export interface SettingFile {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

const names = Object.keys(settingsCatalogue) as SettingName[];

/** `dataDir` → `HEADGATE_DATA_DIR`. */
export function environmentName(name: SettingName): string {
  return `HEADGATE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** `dataDir` → `--data-dir`. */
export function flagName(name: SettingName): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

const byEnvironmentName = new Map(names.map((name) => [environmentName(name), name]));

/** Rejects with E_SETTING_UNKNOWN, E_SETTING_INVALID or E_SETTING_SECRET; `details` holds every mistake found. */
export function resolveSettings(sources: SettingSources): Settings {
  const mistakes: ErrorDetail[] = [];
  const given = new Map<SettingName, { raw: unknown; where: string }>();
  for (const source of [
    ...fileSources(sources, mistakes),
    environmentSource(sources.env ?? {}, mistakes),
    flagSource(sources.flags ?? {}, mistakes),
  ]) {
    for (const [name, value] of source) given.set(name, value);
  }
  const resolved: Partial<Record<SettingName, unknown>> = {};
  for (const name of names) {
    const setting = settingsCatalogue[name] as Setting<unknown>;
    const value = given.get(name);
    resolved[name] = value === undefined ? setting.defaultValue : parse(setting, value.raw, value.where, mistakes);
  }
  if (mistakes.length > 0) {
    const summary = mistakes.map((mistake) => mistake.message).join('; ');
    throw new HeadgateError(mistakes[0]!.code, summary, { details: mistakes });
  }
  return resolved as Settings;
}

type Source = [SettingName, { raw: unknown; where: string }][];

function parse(setting: Setting<unknown>, raw: unknown, where: string, mistakes: ErrorDetail[]): unknown {
  try {
    return setting.parse(raw);
  } catch (error) {
    mistakes.push({ code: settingErrors.E_SETTING_INVALID, message: `${where} ${(error as Error).message}`, path: where });
    return setting.defaultValue;
  }
}

function flagSource(flags: Readonly<Record<string, unknown>>, mistakes: ErrorDetail[]): Source {
  const source: Source = [];
  for (const [name, raw] of Object.entries(flags)) {
    if (raw === undefined || !isSettingName(name)) continue;
    if (settingsCatalogue[name].isSecret) {
      mistakes.push({
        code: settingErrors.E_SETTING_SECRET,
        message: `${flagName(name)} is a secret and may not be given on a command line: use ${environmentName(name)}`,
        path: flagName(name),
      });
    } else source.push([name, { raw, where: flagName(name) }]);
  }
  return source;
}

function environmentSource(env: Readonly<Record<string, string | undefined>>, mistakes: ErrorDetail[]): Source {
  const source: Source = [];
  for (const [variable, raw] of Object.entries(env)) {
    if (!variable.startsWith('HEADGATE_') || raw === undefined || raw === '') continue;
    const name = byEnvironmentName.get(variable);
    if (name !== undefined) source.push([name, { raw, where: variable }]);
    else if (!Object.hasOwn(toolVariables, variable) && !/^HEADGATE_(SECRET|TEST|BENCH)_/.test(variable)) {
      mistakes.push(unknownName(variable, [...byEnvironmentName.keys(), ...Object.keys(toolVariables)], variable));
    }
  }
  return source;
}

/** The user file first: what comes later wins. */
function fileSources(sources: SettingSources, mistakes: ErrorDetail[]): Source[] {
  return [sources.userFile, sources.projectFile].map((file) => {
    const source: Source = [];
    for (const [name, raw] of Object.entries(file?.values ?? {})) {
      const where = `${file!.path}: ${name}`;
      if (isSettingName(name)) source.push([name, { raw, where }]);
      else mistakes.push(unknownName(name, names, where));
    }
    return source;
  });
}

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settingsCatalogue, name);
}

function unknownName(name: string, known: readonly string[], where: string): ErrorDetail {
  const nearest = nearestName(name, known);
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  return { code: settingErrors.E_SETTING_UNKNOWN, message: `${where} is not a setting${hint}`, path: where };
}
