import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { ensureTenant } from '../platform/access/tenants.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { examine } from './doctor.ts';
import { checkCoreDumps } from './doctor-checks.ts';

let database: TestDatabase;
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-doctor-'));
  env = { XDG_CONFIG_HOME: folder, HEADGATE_DATA_DIR: join(folder, 'data'), HEADGATE_PORT: '0', HEADGATE_DATABASE_URL: database.url };
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function find(check: string): Promise<[string, string, string][]> {
  const findings = await examine({ env, folder });
  return findings.filter((finding) => finding.check === check).map(({ result, message, next }) => [result, message, next]);
}

it('a sound set-up has no finding but the durability that tests turn off', async () => {
  // Whether core dumps are on is the machine's.
  const findings = (await examine({ env, folder })).filter(({ check }) => check !== 'core dumps');
  expect(findings.filter(({ result }) => result !== 'ok').map(({ check }) => check)).toEqual(['durability']);
  expect(findings.map(({ check }) => check)).toEqual(
    expect.arrayContaining(['runtime', 'data folder', 'disk', 'database', 'clock', 'role and schema']),
  );
});

describe('what is wrong is found, with a next step', () => {
  it('a misspelt setting', async () => {
    env['HEADGATE_PROT'] = '1';
    expect(await find('settings')).toEqual([
      ['failed', expect.stringContaining('did you mean HEADGATE_PORT'), expect.stringMatching(/settings\.md/)],
    ]);
  });

  it('a superuser in place of headgate_app', async () => {
    env['HEADGATE_DATABASE_URL'] = database.adminUrl;
    expect(await find('role and schema')).toEqual([
      ['failed', expect.stringContaining('E_ROLE_UNSAFE'), expect.stringContaining('headgate_app')],
    ]);
  });

  it('a database without a schema', async () => {
    const empty = await createTestDatabase({ isEmpty: true });
    env['HEADGATE_DATABASE_URL'] = empty.url;
    expect(await find('role and schema')).toEqual([
      ['failed', expect.stringContaining('E_SCHEMA_TOO_OLD'), expect.stringContaining('headgate migrate up')],
    ]);
    await empty.drop();
  });

  it('a database that takes no writes', async () => {
    const readOnly = await createTestDatabase();
    await readOnly.adminDb.query(`/* set */ alter database ${readOnly.name} set default_transaction_read_only to on`);
    env['HEADGATE_DATABASE_URL'] = readOnly.url;
    expect(await find('primary')).toEqual([
      ['failed', 'E_DATABASE_READ_ONLY: the database takes no writes', expect.stringContaining('default_transaction_read_only')],
    ]);
    await readOnly.drop();
  });

  it('a server that is not there, without the password in the finding', async () => {
    env['HEADGATE_DATABASE_URL'] = 'postgres://headgate_app:hunter2@127.0.0.1:1/headgate';
    const findings = await find('database');
    expect(findings).toEqual([
      ['failed', expect.stringContaining('E_DATABASE_UNREACHABLE'), expect.stringContaining('HEADGATE_DATABASE_URL')],
    ]);
    expect(JSON.stringify(await examine({ env, folder }))).not.toContain('hunter2');
  });

  it('a wrong password', async () => {
    const url = new URL(database.url);
    url.password = 'wrong';
    env['HEADGATE_DATABASE_URL'] = url.href;
    expect(await find('database')).toEqual([['failed', expect.stringContaining('E_DATABASE_LOGIN'), expect.any(String)]]);
  });

  it('a port that is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    env['HEADGATE_PORT'] = String((server.address() as { port: number }).port);
    expect(await find('port')).toEqual([['warning', expect.stringContaining('in use'), expect.stringContaining('HEADGATE_PORT')]]);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  it('a data folder that is a file, and one that others can read', async () => {
    writeFileSync(join(folder, 'data'), '');
    expect((await find('data folder'))[0]![0]).toBe('failed');
    env['HEADGATE_DATA_DIR'] = folder;
    chmodSync(folder, 0o755);
    expect(await find('data folder')).toEqual([['warning', expect.stringContaining('other users'), `Run: chmod 700 ${folder}`]]);
  });

  it('a key file that others can read, a key that is not there', async () => {
    const path = join(folder, 'key');
    writeFileSync(path, randomBytes(32).toString('base64'), { mode: 0o644 });
    env['HEADGATE_MASTER_KEY'] = `1=file:${path},2=env:NOT_SET_HERE`;
    expect((await find('master key')).map(([result]) => result)).toEqual(['failed', 'failed']);
    env['HEADGATE_MOUNTED_SECRET_FOLDERS'] = folder;
    expect((await find('master key')).map(([result]) => result)).toEqual(['ok', 'failed']);
    env['HEADGATE_SIGNING_KEY'] = 'file:/nowhere/key';
    expect(await find('signing key')).toEqual([['failed', expect.stringContaining('does not exist'), expect.any(String)]]);
  });

  it.each([
    ['master key', { HEADGATE_MASTER_KEY: 'env:PLANTED' }, 'E_KEY_FORMAT'],
    ['master key', { HEADGATE_MASTER_KEY: 'env:KEY_OF_32_BYTES,env:KEY_OF_32_BYTES' }, 'E_KEY_FORMAT'],
    ['master key', { HEADGATE_MASTER_KEY: 'file:relative' }, 'E_SECRET_REFERENCE'],
    ['signing key', { HEADGATE_SIGNING_KEY: 'env:PLANTED' }, 'E_SIGNING_KEY'],
    ['SFTP host key', { HEADGATE_ROLES: 'sftp', HEADGATE_SFTP_HOST_KEY: 'env:PLANTED' }, 'E_SFTP_HOST_KEY'],
  ])('a %s that serve refuses: %j', async (check, settings, code) => {
    Object.assign(env, settings, { PLANTED: 'planted-content', KEY_OF_32_BYTES: randomBytes(32).toString('base64') });
    expect(await find(check)).toEqual([['failed', expect.stringMatching(`^${code}: `), expect.stringMatching(/./)]]);
    expect(JSON.stringify(await examine({ env, folder }))).not.toMatch(/planted-content/);
  });

  it('generated keys that serve refuses, and makes none', async () => {
    env['HEADGATE_ROLES'] = 'api,sftp';
    const checks = ['master key', 'signing key', 'SFTP host key'];
    const results = async () => (await Promise.all(checks.map(find))).map((findings) => findings.map(([result]) => result));
    expect(await results()).toEqual([['ok'], ['ok'], ['ok']]);
    expect(existsSync(join(folder, 'data'))).toBe(false);
    mkdirSync(join(folder, 'data/objects/local/packs'), { recursive: true });
    expect(await find('master key')).toEqual([['failed', expect.stringContaining('E_KEY_FILE'), expect.any(String)]]);
    for (const file of ['master.key', 'signing.pem', 'sftp_host_ed25519']) writeFileSync(join(folder, 'data', file), 'x', { mode: 0o600 });
    expect(await results()).toEqual([['failed'], ['failed'], ['failed']]);
  });

  it('folders that settings name and that are not there', async () => {
    env['HEADGATE_MOUNTED_SECRET_FOLDERS'] = `${folder},${join(folder, 'mounted')}`;
    env['HEADGATE_FOLDER_ROOTS'] = `${join(folder, '{tenant}')},${join(folder, 'banks/of-{tenant}/in')}`;
    expect(await find('mounted secrets')).toEqual([
      ['ok', `${folder} is there`, ''],
      ['warning', `${join(folder, 'mounted')} does not exist`, expect.stringContaining('HEADGATE_MOUNTED_SECRET_FOLDERS')],
    ]);
    expect(await find('folder roots')).toEqual([
      ['ok', `${folder} is there`, ''],
      ['warning', `${join(folder, 'banks')} does not exist`, expect.stringContaining('HEADGATE_FOLDER_ROOTS')],
    ]);
  });

  it('several tenants that may name any folder, until each has its own', async () => {
    const ensure = (name: string) => ensureTenant(database.db, systemPorts.ids, { name, cell: 'local', region: 'local' });
    await ensure('bank-a');
    expect((await find('folders of tenants')).map(([result]) => result)).toEqual(['ok']);
    await ensure('bank-b');
    expect(await find('folders of tenants')).toEqual([
      ['warning', expect.stringMatching(/^2 tenants may name any folder/), expect.stringContaining('HEADGATE_FOLDER_ROOTS')],
    ]);
    env['HEADGATE_FOLDER_ROOTS'] = join(folder, '{tenant}');
    expect((await find('folders of tenants')).map(([result]) => result)).toEqual(['ok']);
  });

  it('an embedded PostgreSQL that was never made is not made by asking', async () => {
    delete env['HEADGATE_DATABASE_URL'];
    expect(await find('database')).toEqual([['ok', expect.stringContaining('first start'), '']]);
  });
});

describe('core dumps (F7)', () => {
  it.each([
    ['0', 'core', 'ok'],
    ['unlimited', 'core', 'warning'],
    ['1048576', 'core', 'warning'],
    ['0', '|/usr/lib/systemd/systemd-coredump %P', 'warning'],
  ])('of a limit of %s, written to %s, are %s', (limit, pattern, result) => {
    mkdirSync(join(folder, 'self'));
    mkdirSync(join(folder, 'sys/kernel'), { recursive: true });
    writeFileSync(
      join(folder, 'self/limits'),
      `Limit  Soft Limit  Hard Limit  Units\nMax core file size        ${limit}        unlimited  bytes\n`,
    );
    writeFileSync(join(folder, 'sys/kernel/core_pattern'), `${pattern}\n`);
    expect(checkCoreDumps(folder)).toMatchObject({ check: 'core dumps', result });
  });
});
