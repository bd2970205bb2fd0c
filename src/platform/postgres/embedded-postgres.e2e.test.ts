import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { itWith } from '../../../test/support/components.ts';
import { systemPorts } from '../base/system-ports.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { openPool } from './pool.ts';
import { findPostmaster, stopPostmaster } from './postmaster.ts';
import { processesInFolder, processStartTime } from './process-identity.ts';

interface User {
  readonly process: ChildProcess;
  readonly port: number;
  readonly isAdopted: boolean;
  readonly url: string;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

let root: string;
let dataDir: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'headgate-embedded-'));
  dataDir = join(root, 'deep', 'data');
});

afterEach(async () => {
  if (existsSync(folder())) await stopPostmaster(folder(), systemPorts, 'immediate');
  rmSync(root, { recursive: true, force: true });
});

const folder = () => join(dataDir, 'postgres');

async function startUser(...args: string[]): Promise<User> {
  const script = join(import.meta.dirname, '../../../test/support/embedded-user.ts');
  const child = spawn(process.execPath, [script, dataDir, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the process ended with ${code}`)));
  });
  return {
    process: child,
    ...(JSON.parse(line) as { port: number; isAdopted: boolean; url: string }),
    async stop() {
      child.stdin!.write('stop\n');
      await exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const db = openPool({ url, applicationName: 'embedded test', connectionsMax: 1 });
  try {
    return (await db.query(`/* test */ ${sql}`)).rows;
  } finally {
    await db.close();
  }
}

describe('one process', () => {
  it('starts a server with checksums, scram and a loopback port, and stops it', async () => {
    const user = await startUser();
    expect(user.isAdopted).toBe(false);
    const [row] = await query(
      user.url,
      `select current_setting('data_checksums') as checksums, current_setting('listen_addresses') as addresses, current_setting('fsync') as fsync,
       current_setting('synchronous_commit') as commit, (select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = 'postgres') as scram,
       (select bool_and(auth_method = 'scram-sha-256') from pg_hba_file_rules) as hba, current_setting('jit') as jit`,
    );
    expect(row).toEqual({ checksums: 'on', addresses: '127.0.0.1', fsync: 'on', commit: 'on', scram: true, hba: true, jit: 'off' });
    expect(statSync(join(dataDir, 'postgres-access.json')).mode & 0o777).toBe(0o600);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(readdirSync(dataDir)).not.toContain('initial-password');
    await user.stop();
    expect(findPostmaster(folder())).toBeUndefined();
    expect(processesInFolder(folder())).toEqual([]);
  });

  it('finds its data and its port again after a restart', async () => {
    const before = await startUser();
    await query(before.url, 'create table kept as select 42 as answer');
    await before.stop();
    const after = await startUser();
    expect(after.port).toBe(before.port);
    expect(await query(after.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await after.stop();
  });

  it('takes another port when a stranger holds the remembered one', async () => {
    const before = await startUser();
    await before.stop();
    const stranger = createServer();
    await new Promise<void>((resolve) => stranger.listen(before.port, '127.0.0.1', resolve));
    const after = await startUser();
    expect(after.port).not.toBe(before.port);
    await after.stop();
    await new Promise<void>((resolve) => stranger.close(() => resolve()));
  });

  it('makes a cluster anew when its first start was interrupted', async () => {
    mkdirSync(`${folder()}.partial`, { recursive: true });
    writeFileSync(join(`${folder()}.partial`, 'PG_VERSION'), '18\n');
    const user = await startUser();
    expect(await query(user.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await user.stop();
  });

  it('makes no new one in a folder whose volume is not mounted, and says so', async () => {
    mkdirSync(folder(), { recursive: true });
    await expect(startEmbeddedPostgres({ dataDir, ports: systemPorts })).rejects.toMatchObject({
      code: 'E_EMBEDDED_POSTGRES_START',
      message: expect.stringContaining('holds no database'),
    });
    expect(readdirSync(folder())).toEqual([]);
    rmSync(folder(), { recursive: true });
    await (await startUser()).stop();
  });
});

it('a deep data folder has its socket elsewhere, in a folder for its owner only', async () => {
  dataDir = join(root, 'deep'.repeat(30));
  const user = await startUser();
  const [row] = await query(user.url, "select current_setting('unix_socket_directories') as sockets");
  const sockets = row!['sockets'] as string;
  expect(sockets).not.toContain(root);
  expect(statSync(sockets).mode & 0o777).toBe(0o700);
  await user.stop();
  expect(existsSync(sockets)).toBe(false);
});

describe('after SIGKILL', () => {
  it('of the process, the next one adopts the server and stops it at its end', async () => {
    const killed = await startUser();
    await query(killed.url, 'create table kept as select 1 as n');
    const pid = findPostmaster(folder())!.pid;
    await killed.kill();
    const next = await startUser();
    expect([next.isAdopted, findPostmaster(folder())!.pid]).toEqual([true, pid]);
    expect(await query(next.url, 'select n from kept')).toEqual([{ n: 1 }]);
    await next.stop();
    expect(findPostmaster(folder())).toBeUndefined();
  });

  it('of PostgreSQL, and of all of it, the next start recovers what was committed', async () => {
    const user = await startUser();
    await query(user.url, 'create table kept as select 7 as n');
    const pids = processesInFolder(folder());
    process.kill(findPostmaster(folder())!.pid, 'SIGKILL');
    for (const pid of pids) if (processStartTime(pid)) process.kill(pid, 'SIGKILL');
    await user.kill();
    const next = await startUser();
    expect(next.isAdopted).toBe(false);
    expect(await query(next.url, 'select n from kept')).toEqual([{ n: 7 }]);
    await next.stop();
  });

  it('of the postmaster alone, the start waits for its orphans', async () => {
    const user = await startUser();
    process.kill(findPostmaster(folder())!.pid, 'SIGKILL');
    await user.kill();
    const next = await startUser();
    expect(await query(next.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await next.stop();
  });

  it('a pid file that names a process of another program does not keep the server from starting', async () => {
    const user = await startUser();
    const lines = readFileSync(join(folder(), 'postmaster.pid'), 'utf8').split('\n');
    await user.stop();
    writeFileSync(join(folder(), 'postmaster.pid'), [String(process.pid), ...lines.slice(1)].join('\n'));
    const next = await startUser();
    expect(next.isAdopted).toBe(false);
    await next.stop();
  });
});

describe('several processes', () => {
  it('that start at once share one server, and the last to end stops it', async () => {
    const users = await Promise.all([startUser(), startUser(), startUser(), startUser()]);
    expect(new Set(users.map((user) => user.port)).size).toBe(1);
    expect(users.filter((user) => !user.isAdopted)).toHaveLength(1);
    await users[0]!.stop();
    await users[1]!.kill();
    await users[2]!.stop();
    expect(await query(users[3]!.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await users[3]!.stop();
    expect(findPostmaster(folder())).toBeUndefined();
  });

  it('that use it within one process end their uses one by one', async () => {
    const options = { dataDir, ports: systemPorts };
    const [first, second] = [await startEmbeddedPostgres(options), await startEmbeddedPostgres(options)];
    await first.stop();
    await first.stop();
    expect(findPostmaster(folder())).toBeDefined();
    await second.stop();
    expect(findPostmaster(folder())).toBeUndefined();
  });
});

describe('what cannot work is said', () => {
  it('a server over the folder that does not know the password is not taken over', async () => {
    const user = await startUser();
    const path = join(dataDir, 'postgres-access.json');
    const state = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify({ ...state, adminPassword: 'other' }));
    await expect(startEmbeddedPostgres({ dataDir, ports: systemPorts })).rejects.toMatchObject({ code: 'E_EMBEDDED_POSTGRES_FOREIGN' });
    await user.stop();
  });

  it('a data folder that is a file', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(startEmbeddedPostgres({ dataDir: join(root, 'file'), ports: systemPorts })).rejects.toMatchObject({
      code: 'E_DATA_FOLDER',
    });
  });

  it('a configuration that PostgreSQL refuses comes with the end of its log', async () => {
    const options = { dataDir, ports: systemPorts, connectionsMax: 0 };
    await expect(startEmbeddedPostgres(options)).rejects.toMatchObject({
      code: 'E_EMBEDDED_POSTGRES_START',
      message: expect.stringMatching(/max_connections/),
    });
  });
});

itWith('root', 'user-namespaces')('root runs it in a user namespace and keeps its files', async () => {
  const user = await startUser('user-namespace');
  expect(statSync(folder()).uid).toBe(0);
  await user.stop();
});

itWith('root')('root without user namespaces runs it as nobody, outside its own home', async () => {
  const user = await startUser('other-user');
  const [row] = await query(user.url, "select current_setting('data_directory') as folder");
  expect(row!['folder']).toMatch(/^\/var\/lib\/headgate\//);
  expect(statSync(row!['folder'] as string).uid).toBe(65_534);
  await query(user.url, 'create table kept as select 3 as n');
  await user.kill();
  const next = await startUser('other-user');
  expect(next.isAdopted).toBe(true);
  expect(await query(next.url, 'select n from kept')).toEqual([{ n: 3 }]);
  await next.stop();
  rmSync(join(row!['folder'] as string, '..'), { recursive: true, force: true });
});

itWith(
  'root',
  'user-namespaces',
  'open-project',
)('a user without a name, as containers have them, runs it too', async () => {
  mkdirSync(dataDir, { recursive: true });
  for (const path of [root, join(root, 'deep'), dataDir]) chownSync(path, 12_345, 12_345);
  const script = join(import.meta.dirname, '../../../test/support/embedded-user.ts');
  const identity = ['--reuid=12345', '--regid=12345', '--clear-groups', '--'];
  const child = spawn('setpriv', [...identity, process.execPath, script, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const line = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  expect(await query((JSON.parse(line) as { url: string }).url, 'select 1 as one')).toEqual([{ one: 1 }]);
  child.stdin.write('stop\n');
  expect(await exited).toBe(0);
});
