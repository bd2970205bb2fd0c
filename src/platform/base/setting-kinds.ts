/**
 * The kinds of settings and how their text is read. A kind knows its bounds and says what is wrong in one sentence that
 * never repeats the value when that may be a secret. Names, sources and precedence are in settings.ts.
 */
import { normalize } from 'node:path';

export interface SettingDescription {
  /** One sentence for docs/reference/settings.md. */
  readonly description: string;
  /** How the default reads in the docs when it is not its plain value. */
  readonly defaultText?: string;
}

export interface Setting<Value> extends SettingDescription {
  readonly kind: string;
  /** What is allowed, for the docs: a range, a list of words. */
  readonly allowed: string;
  readonly defaultValue: Value;
  /** A secret comes from environment or file, never from a command line, and is never printed. */
  readonly isSecret: boolean;
  /** A list takes several values. */
  readonly isList: boolean;
  /** Returns the value, or throws an Error whose message completes "<name> …". */
  parse(raw: unknown): Value;
}

function mustBe(what: string): never {
  throw new Error(`must be ${what}`);
}

function asText(raw: unknown, what: string): string {
  if (typeof raw === 'string') return raw.trim();
  if (typeof raw === 'number' || typeof raw === 'boolean') return String(raw);
  return mustBe(what);
}

export interface IntegerBounds {
  readonly min: number;
  readonly max: number;
}

export function integerSetting(description: SettingDescription & IntegerBounds & { readonly defaultValue: number }): Setting<number> {
  const { min, max } = description;
  const allowed = `${min} to ${max}`;
  return {
    ...description,
    kind: 'integer',
    allowed,
    isSecret: false,
    isList: false,
    parse(raw) {
      const text = asText(raw, `a whole number from ${allowed}`);
      const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? value : mustBe(`a whole number from ${allowed}`);
    },
  };
}

export function switchSetting(description: SettingDescription & { readonly defaultValue: boolean }): Setting<boolean> {
  return {
    ...description,
    kind: 'switch',
    allowed: 'true, false',
    isSecret: false,
    isList: false,
    parse(raw) {
      const text = asText(raw, 'true or false');
      if (text === 'true' || text === '1') return true;
      return text === 'false' || text === '0' ? false : mustBe('true or false');
    },
  };
}

export function choiceSetting<const Value extends string>(
  description: SettingDescription & { readonly values: readonly Value[]; readonly defaultValue: Value },
): Setting<Value> {
  const allowed = description.values.join(', ');
  return {
    ...description,
    kind: 'choice',
    allowed,
    isSecret: false,
    isList: false,
    parse(raw) {
      const text = asText(raw, `one of ${allowed}`);
      return description.values.find((value) => value === text) ?? mustBe(`one of ${allowed}`);
    },
  };
}

/** Several words, separated by commas or given as a list; without repetition, in the order of `values`. */
export function choicesSetting<const Value extends string>(
  description: SettingDescription & { readonly values: readonly Value[]; readonly defaultValue: readonly Value[] },
): Setting<readonly Value[]> {
  const allowed = `any of ${description.values.join(', ')}`;
  return {
    ...description,
    kind: 'list',
    allowed,
    isSecret: false,
    isList: true,
    parse(raw) {
      const items: unknown[] = Array.isArray(raw) ? raw : asText(raw, allowed).split(',');
      const words = items.map((item) => asText(item, allowed));
      const isKnown = words.every((word) => (description.values as readonly string[]).includes(word));
      return isKnown && words.length > 0 ? description.values.filter((value) => words.includes(value)) : mustBe(allowed);
    },
  };
}

export function textSetting<Value extends string | undefined>(
  description: SettingDescription & { readonly defaultValue: Value; readonly pattern?: RegExp; readonly allowedText?: string },
): Setting<Value | string> {
  const { pattern, allowedText: allowed = 'text' } = description;
  return {
    ...description,
    kind: 'text',
    allowed,
    isSecret: false,
    isList: false,
    parse(raw) {
      const text = asText(raw, allowed);
      if (text === '' || text.length > 4_096 || text.includes('\0')) mustBe(`${allowed}, at most 4096 characters`);
      return pattern && !pattern.test(text) ? mustBe(allowed) : text;
    },
  };
}

/** Absolute paths of folders, separated by commas or given as a list; each may hold `{tenant}`. */
export function foldersSetting(description: SettingDescription & { readonly isPerTenant: boolean }): Setting<readonly string[]> {
  const { isPerTenant } = description;
  const allowed = isPerTenant ? 'absolute paths; {tenant} stands for the name of the tenant' : 'absolute paths';
  return {
    ...description,
    kind: 'list',
    allowed,
    defaultValue: [],
    isSecret: false,
    isList: true,
    parse(raw) {
      const items: unknown[] = Array.isArray(raw) ? raw : asText(raw, allowed).split(',');
      const folders = items.map((item) => asText(item, allowed).replace(/(?<=.)\/+$/, ''));
      const isPlain = (folder: string): boolean =>
        folder.startsWith('/') &&
        normalize(folder) === folder &&
        !folder.includes('\0') &&
        !/[{}]/.test(isPerTenant ? folder.replaceAll('{tenant}', '') : folder);
      return folders.every(isPlain) ? [...new Set(folders)] : mustBe(allowed);
    },
  };
}

/** A PostgreSQL connection string. It holds a password, so it is a secret. */
export function databaseUrlSetting(description: SettingDescription): Setting<string | undefined> {
  const allowed = 'postgres://user:password@host:port/database';
  return {
    ...description,
    kind: 'connection string',
    allowed,
    defaultValue: undefined,
    isSecret: true,
    isList: false,
    parse(raw) {
      const text = asText(raw, allowed);
      const url = URL.canParse(text) ? new URL(text) : undefined;
      return url && /^postgres(ql)?:$/.test(url.protocol) && url.pathname.length > 1 ? text : mustBe(allowed);
    },
  };
}

/**
 * A reference to a secret, never the secret itself: `env:NAME` or `file:PATH`; with `isVersioned` also several as
 * `1=env:OLD,2=file:PATH`, of which the highest is used for what is new.
 */
export function secretReferenceSetting(description: SettingDescription & { readonly isVersioned?: boolean }): Setting<string | undefined> {
  const allowed = description.isVersioned ? 'env:NAME or file:PATH, or several as 1=env:NAME,2=file:PATH' : 'env:NAME or file:PATH';
  const single = /^(?:env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/;
  return {
    ...description,
    kind: 'secret reference',
    allowed,
    defaultValue: undefined,
    isSecret: true,
    isList: false,
    parse(raw) {
      const text = asText(raw, allowed);
      const references = description.isVersioned ? text.split(',').map((entry) => entry.trim().replace(/^[1-9][0-9]{0,8}=/, '')) : [text];
      return references.every((reference) => single.test(reference)) ? text : mustBe(`${allowed}; the secret itself does not belong here`);
    },
  };
}
