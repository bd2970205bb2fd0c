/**
 * A MariaDB of one's own on a loopback port, with and without TLS. It starts in a few seconds, so a test file starts one for
 * all its tests. Ask `itWith('mariadb')` first.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Connection, createConnection } from 'mysql2/promise';
import { type ChildServer, freePort, startChildServer } from './child-server.ts';
import { findProgram } from './debian-programs.ts';
import { selfSignedCertificate } from './self-signed-certificate.ts';

export interface MariaDb {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Its certificate is for this name. */
  readonly hostName: string;
  readonly certificate: string;
  readonly database: 'ledger';
  /** May do everything in `ledger`. */
  readonly user: 'headgate';
  readonly password: string;
  /** Statements of the administrator, one at a time. Names are the test's own. */
  sql<Row = Record<string, unknown>>(statement: string, params?: readonly unknown[]): Promise<Row[]>;
  /** A session of the administrator that nobody else has, such as one that holds locks. */
  openSession(): Promise<Connection>;
  /** Starts it again on the same port with the same data. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  log(): string;
  /** Ends it for good and removes its data. */
  stop(): Promise<void>;
}

const readyMsMax = 60_000;
const password = 'maria-test-password';

export async function startMariaDb({ hostName = 'db.bank.example' } = {}): Promise<MariaDb> {
  const program = findProgram('mariadb');
  if (program === null) throw new Error('MariaDB is not here: npm test brings it where it can');
  const folder = mkdtempSync(join(tmpdir(), 'headgate-mariadb-'));
  const port = await freePort();
  const { key, certificate } = selfSignedCertificate(hostName);
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
  writeFileSync(join(folder, 'certificate.pem'), certificate);
  const home = join(program.root, 'usr');
  const places = [`--basedir=${home}`, `--datadir=${join(folder, 'data')}`, `--tmpdir=${folder}`];
  const asRoot = process.getuid?.() === 0 ? ['--user=root'] : [];
  let server: ChildServer | undefined;
  let admin: Connection | undefined;
  const openSession = async () => {
    const session = await createConnection({ socketPath: join(folder, 's'), user: 'root', supportBigNumbers: true, dateStrings: true });
    session.on('error', () => {});
    return session;
  };
  const start = async () => {
    const options = [
      '--no-defaults',
      ...places,
      ...asRoot,
      `--lc-messages-dir=${join(home, 'share/mariadb')}`,
      `--plugin-dir=${join(program.root, 'usr/lib/mysql/plugin')}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(folder, 's')}`,
      `--pid-file=${join(folder, 'pid')}`,
      `--ssl-cert=${join(folder, 'certificate.pem')}`,
      `--ssl-key=${join(folder, 'key.pem')}`,
      '--innodb-buffer-pool-size=32M',
      '--innodb-log-file-size=16M',
      '--skip-name-resolve',
    ];
    server = await startChildServer({ command: program.path, args: options, env: program.env, ready: /ready for connections/, readyMsMax });
  };
  const kill = async () => {
    admin?.destroy();
    admin = undefined;
    await server?.kill();
  };
  const stop = async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const install = ['--no-defaults', ...places, ...asRoot, '--auth-root-authentication-method=normal', '--skip-test-db', '--force'];
    const env = { ...process.env, ...program.env };
    await promisify(execFile)(join(home, 'bin/mariadb-install-db'), install, { env, timeout: readyMsMax });
    await start();
    admin = await openSession();
    await admin.query('create database ledger character set utf8mb4');
    await admin.query(`create user headgate@'127.0.0.1' identified by '${password}'`);
    await admin.query(`grant all on ledger.* to headgate@'127.0.0.1'`);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host: '127.0.0.1',
    port,
    hostName,
    certificate,
    database: 'ledger',
    user: 'headgate',
    password,
    async sql<Row>(statement: string, params: readonly unknown[] = []) {
      admin ??= await openSession();
      const [rows] = await admin.query(statement, params as unknown[]);
      return (Array.isArray(rows) ? rows : []) as Row[];
    },
    openSession,
    start,
    kill,
    log: () => server?.log() ?? '',
    stop,
  };
}
