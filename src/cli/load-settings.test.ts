import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadSettings } from './load-settings.ts';

let folder: string;
let env: Record<string, string>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-settings-'));
  env = { XDG_CONFIG_HOME: join(folder, 'config') };
  mkdirSync(join(folder, 'config', 'headgate'), { recursive: true });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const project = (text: string) => writeFileSync(join(folder, 'headgate.config.yaml'), text);
const load = () => loadSettings({ env, folder });

it('the project file wins over the user file, and paths start at the current folder', () => {
  writeFileSync(join(folder, 'config/headgate/config.yaml'), 'port: 1\nleaseMs: 1000\n');
  project('port: 2\ndataDir: data\nroles: [api, worker]\n');
  expect(load()).toMatchObject({ port: 2, leaseMs: 1000, dataDir: join(folder, 'data'), roles: ['api', 'worker'] });
});

it('an empty file is no mistake', () => {
  project('# nothing yet\n');
  expect(load().port).toBe(4680);
});

it.each([
  ['port: [1\n', 'E_SETTING_INVALID', /is not YAML, line/],
  ['- port\n', 'E_SETTING_INVALID', /name: value/],
  ['prot: 1\n', 'E_SETTING_UNKNOWN', /did you mean port/],
  ['port: many\n', 'E_SETTING_INVALID', /port must be a whole number/],
  ['a: &a [x, x]\nb: [*a, *a]\n', 'E_SETTING_INVALID', /is not YAML/],
  ['port: !!js/function "x"\n', 'E_SETTING_INVALID', /port must be/],
  [`cell: ${'x'.repeat(300_000)}\n`, 'E_SETTING_INVALID', /larger than/],
])('the file %j is refused', (text, code, message) => {
  project(text);
  let thrown: unknown;
  try {
    load();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code, message: expect.stringMatching(message) });
});
