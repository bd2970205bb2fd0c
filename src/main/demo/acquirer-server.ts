/**
 * The server of a partner of the demo, who has files collected: OpenSSH's own sshd on a loopback port, where the machine has
 * one. Each connection gets an sshd of its own (`-i`), which ends with it: none outlives the demo, however that ends. Keys and
 * port stay the same in the next run on the same data folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { readHostKeyPin } from '../../platform/sftp/host-keys.ts';
import { makeEd25519Key, type NewKey } from '../../platform/sftp/new-keys.ts';
import { openSftpSession } from '../../platform/sftp/sftp-session.ts';

export interface AcquirerServer {
  readonly isStarted: true;
  /** The connection to it. */
  readonly document: string;
  readonly address: string;
  /** Moves a file to where the connection collects. */
  offer(from: string, name: string): void;
  stop(): Promise<void>;
}

export interface AcquirerLeftOut {
  readonly isStarted: false;
  readonly why: string;
  stop(): Promise<void>;
}

export interface AcquirerOptions {
  readonly dataDir: string;
  /** Where sshd may be. */
  readonly programs?: readonly string[];
}

/** Of the examples: its source collects with the connection `acquirer-sftp`. */
export const acquirerFlow = 'acquirer-settlements';
const tenant = 'acme-pay';
const connection = 'acquirer-sftp';
const host = '127.0.0.1';
/** Where its source looks, below the root of the connection. */
const offeredFolder = 'settlements';
const timeoutMs = 10_000;
const sshdPrograms = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'];

/** Left out where there is no sshd, or where it does not let this user in. */
export async function startAcquirerServer(options: AcquirerOptions): Promise<AcquirerServer | AcquirerLeftOut> {
  const leftOut = (why: string): AcquirerLeftOut => ({ isStarted: false, why, stop: async () => undefined });
  const program = (options.programs ?? sshdPrograms).find((path) => existsSync(path));
  if (program === undefined) return leftOut('no sshd is on this machine');
  const folder = join(options.dataDir, 'acquirer');
  const logPath = join(folder, 'sshd.log');
  let served: Served | undefined;
  try {
    const { files, config, hostKey, userKey, keyFile } = prepareFolder(folder, options.dataDir);
    // Where root's sshd keeps what it has to be shut in.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    served = await serve({ program, config, logPath, portFile: join(folder, 'port') });
    const { port, stop } = served;
    const user = userInfo().username;
    await logIn({ port, user, hostKey, userKey, folder: files });
    const quoted = Object.entries({ host, user, privateKey: `file:${keyFile}`, root: files })
      .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
      .join(', ');
    return {
      isStarted: true,
      document: `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: ${tenant}, name: ${connection} }\nspec: { type: sftp, port: ${port}, ${quoted}, hostKeys: [${JSON.stringify(hostKey.publicKey)}] }\n`,
      address: `${host}:${port}`,
      offer: (from, name) => renameSync(from, join(files, offeredFolder, name)),
      stop,
    };
  } catch (error) {
    await served?.stop();
    return leftOut(`${program} does not serve this user: ${lastLine(logPath) ?? (error as Error).message}`);
  }
}

function prepareFolder(folder: string, dataDir: string) {
  const files = join(folder, 'files');
  const secrets = join(dataDir, 'secrets', tenant);
  mkdirSync(join(files, offeredFolder), { recursive: true });
  mkdirSync(secrets, { recursive: true, mode: 0o700 });
  rmSync(join(folder, 'sshd.log'), { force: true });
  const hostKeyFile = join(folder, 'host_key');
  const keyFile = join(secrets, `${connection}_key`);
  const hostKey = keyAt(hostKeyFile);
  const userKey = keyAt(keyFile);
  const authorized = join(folder, 'authorized_keys');
  writeFileSync(authorized, `restrict ${userKey.publicKey}\n`);
  const config = join(folder, 'sshd_config');
  const lines = [
    `HostKey ${inQuotes(hostKeyFile)}`,
    `AuthorizedKeysFile ${inQuotes(authorized.replaceAll('%', '%%'))}`,
    'AuthenticationMethods publickey',
    'PermitRootLogin yes',
    'UsePAM no',
    'StrictModes no',
    'PidFile none',
    'ForceCommand internal-sftp',
    'Subsystem sftp internal-sftp',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  return { files, config, hostKey, userKey, keyFile };
}

/** What sshd_config(5) takes for one word. */
function inQuotes(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&')}"`;
}

function keyAt(path: string): NewKey {
  const publicPath = `${path}.pub`;
  if (existsSync(publicPath)) return { privateKey: readFileSync(path, 'utf8'), publicKey: readFileSync(publicPath, 'utf8').trim() };
  const made = makeEd25519Key();
  writeFileSync(path, made.privateKey, { mode: 0o600 });
  writeFileSync(publicPath, `${made.publicKey}\n`);
  return made;
}

interface Served {
  readonly port: number;
  stop(): Promise<void>;
}

async function serve(at: {
  readonly program: string;
  readonly config: string;
  readonly logPath: string;
  readonly portFile: string;
}): Promise<Served> {
  const log = openSync(at.logPath, 'a', 0o600);
  const running = new Map<ChildProcess, Promise<void>>();
  const take = (socket: Socket) => {
    const child = spawn(at.program, ['-i', '-e', '-f', at.config], { stdio: [socket, socket, log] });
    // It has its own; the connection ends when that one ends.
    socket.destroy();
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
    running.set(child, ended);
    void ended.then(() => running.delete(child));
  };
  const lastPort = existsSync(at.portFile) ? Number(readFileSync(at.portFile, 'utf8')) : 0;
  const server = await listen(lastPort, take).catch(() => listen(0, take));
  const { port } = server.address() as AddressInfo;
  writeFileSync(at.portFile, String(port));
  return {
    port,
    async stop() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      for (const child of running.keys()) child.kill();
      await Promise.all(running.values());
      closeSync(log);
    },
  };
}

function listen(port: number, take: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true }, take);
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

async function logIn(at: {
  readonly port: number;
  readonly user: string;
  readonly hostKey: NewKey;
  readonly userKey: NewKey;
  readonly folder: string;
}): Promise<void> {
  const session = await openSftpSession({
    addresses: [host],
    port: at.port,
    user: at.user,
    hostKeys: [readHostKeyPin(at.hostKey.publicKey)!],
    credentials: { kind: 'key', privateKey: Buffer.from(at.userKey.privateKey), passphrase: null },
    timeoutMs,
    ...systemPorts,
  });
  try {
    await session.realPath(Buffer.from(at.folder));
  } finally {
    session.end();
  }
}

function lastLine(path: string): string | undefined {
  try {
    const lines = readFileSync(path, 'utf8').split(/[\r\n]+/);
    return lines.findLast((line) => line.trim() !== '')?.trim();
  } catch {
    // Nothing was started that could write one.
    return undefined;
  }
}
