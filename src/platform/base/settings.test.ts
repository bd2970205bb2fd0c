import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeadgateError } from './errors.ts';
import { environmentName, flagName, resolveSettings, type SettingSources } from './settings.ts';
import { type SettingName, settingsCatalogue } from './settings-catalogue.ts';

function mistakesOf(sources: SettingSources): string[] {
  try {
    resolveSettings(sources);
  } catch (error) {
    return (error as HeadgateError).details.map((detail) => `${detail.code} ${detail.message}`);
  }
  return [];
}

const file = (values: Record<string, unknown>) => ({ path: 'headgate.config.yaml', values });

it('without sources every setting has its default, and every default is within its own bounds', () => {
  const settings = resolveSettings({});
  for (const [name, setting] of Object.entries(settingsCatalogue)) {
    expect(settings[name as SettingName]).toEqual(setting.defaultValue);
    if (setting.defaultValue !== undefined) expect(setting.parse(setting.defaultValue)).toEqual(setting.defaultValue);
  }
});

it('a flag wins over the environment, which wins over the project file, which wins over the user file', () => {
  const all = { flags: { port: '1' }, env: { HEADGATE_PORT: '2' }, projectFile: file({ port: 3 }), userFile: file({ port: 4 }) };
  expect(resolveSettings(all).port).toBe(1);
  expect(resolveSettings({ ...all, flags: { port: undefined } }).port).toBe(2);
  expect(resolveSettings({ ...all, flags: {}, env: { HEADGATE_PORT: '' } }).port).toBe(3);
  expect(resolveSettings({ userFile: all.userFile }).port).toBe(4);
});

it('names are the same in code, environment and on command lines', () => {
  expect([environmentName('databaseUrl'), flagName('httpConnectionsMax')]).toEqual(['HEADGATE_DATABASE_URL', '--http-connections-max']);
});

describe('an unknown name is refused', () => {
  it.each([
    [{ env: { HEADGATE_DATABSE_URL: 'x' } }, 'HEADGATE_DATABSE_URL is not a setting; did you mean HEADGATE_DATABASE_URL?'],
    [{ env: { HEADGATE_REQUIRES: 'x' } }, 'HEADGATE_REQUIRES is not a setting; did you mean HEADGATE_REQUIRE?'],
    [{ projectFile: file({ lease: 1 }) }, 'headgate.config.yaml: lease is not a setting; did you mean leaseMs?'],
    [{ projectFile: file({ loglevel: 'info' }) }, 'headgate.config.yaml: loglevel is not a setting; did you mean logLevel?'],
    [{ userFile: file({ constructor: 1 }) }, 'headgate.config.yaml: constructor is not a setting'],
  ])('%j', (sources, message) => {
    expect(mistakesOf(sources as SettingSources)).toEqual([`E_SETTING_UNKNOWN ${message}`]);
  });

  it('but variables of others, of tests and of the secrets of connections are not ours to judge', () => {
    const env = {
      PATH: '/bin',
      HEADGATE_TEST_POSTGRES: 'x',
      HEADGATE_REQUIRE: 'postgres',
      HEADGATE_API_KEY: 'x',
      HEADGATE_SECRET_ACME_PAY__LEDGER: 'x',
    };
    expect(mistakesOf({ env })).toEqual([]);
  });
});

describe('a value outside its bounds is refused', () => {
  it.each([
    ['HEADGATE_PORT', '65536'],
    ['HEADGATE_PORT', '-1'],
    ['HEADGATE_PORT', '80.5'],
    ['HEADGATE_PORT', '0x50'],
    ['HEADGATE_PORT', '1e3'],
    ['HEADGATE_LEASE_MS', '0'],
    ['HEADGATE_METRICS', 'yes'],
    ['HEADGATE_LOG_LEVEL', 'loud'],
    ['HEADGATE_ROLES', 'api,janitor'],
    ['HEADGATE_ROLES', ','],
    ['HEADGATE_CELL', '../x'],
    ['HEADGATE_MOUNTED_SECRET_FOLDERS', 'secrets'],
    ['HEADGATE_MOUNTED_SECRET_FOLDERS', '/run/secrets/{tenant}'],
    ['HEADGATE_DATA_DIR', 'a\0b'],
    ['HEADGATE_DATABASE_URL', 'mysql://u:p@h/db'],
    ['HEADGATE_DATABASE_URL', 'postgres://u:p@h'],
    ['HEADGATE_MASTER_KEY', 'c2VjcmV0LWl0c2VsZg=='],
    ['HEADGATE_MASTER_KEY', '1=env:OLD,c2VjcmV0LWl0c2VsZg=='],
    ['HEADGATE_SIGNING_KEY', '1=env:OLD,2=env:NEW'],
  ])('%s=%j', (variable, value) => {
    const mistakes = mistakesOf({ env: { [variable]: value } });
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(new RegExp(`^E_SETTING_INVALID ${variable} must be `));
  });

  it('and all mistakes of all sources come at once', () => {
    expect(mistakesOf({ env: { HEADGATE_PORT: 'x', HEADGATE_PROT: '1' }, projectFile: file({ leaseMs: [] }) })).toHaveLength(3);
  });

  it('and a secret is never repeated in the answer', () => {
    const mistakes = mistakesOf({ env: { HEADGATE_DATABASE_URL: 'hunter2', HEADGATE_SIGNING_KEY: 'hunter2' } });
    expect(mistakes).toHaveLength(2);
    expect(mistakes.join()).not.toContain('hunter2');
  });
});

it('a master key may come in versions', () => {
  expect(resolveSettings({ env: { HEADGATE_MASTER_KEY: '1=env:OLD,2=file:/run/secrets/new' } }).masterKey).toBe(
    '1=env:OLD,2=file:/run/secrets/new',
  );
});

it('a secret on the command line is refused', () => {
  expect(mistakesOf({ flags: { databaseUrl: 'postgres://u:p@h/d' } })).toEqual([
    'E_SETTING_SECRET --database-url is a secret and may not be given on a command line: use HEADGATE_DATABASE_URL',
  ]);
});

it('lists come as text or as a list, once each and in the order of the catalogue', () => {
  expect(resolveSettings({ env: { HEADGATE_ROLES: 'worker, api,api' } }).roles).toEqual(['api', 'worker']);
  expect(resolveSettings({ projectFile: file({ roles: ['delivery'] }) }).roles).toEqual(['delivery']);
});

it('reading settings is total: any value in any source gives settings or a coded error', () => {
  const names = Object.keys(settingsCatalogue);
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.anything(), (name, value) => {
      try {
        resolveSettings({ projectFile: file({ [name]: value }) });
      } catch (error) {
        expect(error).toBeInstanceOf(HeadgateError);
        expect((error as HeadgateError).code).toBe('E_SETTING_INVALID');
      }
    }),
  );
});
