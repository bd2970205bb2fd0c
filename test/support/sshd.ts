/**
 * OpenSSH's own sshd on a loopback port, for SFTP alone: it lets in the user that runs the tests, by key, and shows each key
 * the folder it names. Ask `itWith('sshd')` first. With a password it lets in an account of its own, by that alone: ask
 * `itWith('sshd', 'private-mounts', 'openssl')` then.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort, startChildServer } from './child-server.ts';
import { findProgram } from './debian-programs.ts';
import { underMounts } from './private-mounts.ts';

export interface SshdKey {
  /** A line of an id_*.pub file. */
  readonly publicKey: string;
  /** Where its sessions start; relative paths are taken from here. */
  readonly folder: string;
  readonly isReadOnly?: boolean;
  /** Requests that are refused, by their names: `read,opendir`. */
  readonly denied?: string;
}

export interface SshdOptions {
  /** Where sessions of the key that comes with the server start. */
  readonly folder: string;
  readonly keys?: readonly SshdKey[];
  /** Of an account that only this server knows, with the rights of the user that runs the tests. Its sessions start in `folder`. */
  readonly password?: string;
  /** To come back where it was before. */
  readonly port?: number;
  readonly hostKey?: SshKeyPair;
  /** Lines of sshd_config(5), before all others: the first of a name counts. */
  readonly config?: readonly string[];
}

export interface SshKeyPair {
  /** In OpenSSH's own format, without a passphrase. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
}

export interface Sshd {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly username: string;
  readonly clientKey: SshKeyPair;
  readonly hostKey: SshKeyPair;
  log(): string;
  /** From the next login on. */
  setPassword(password: string): void;
  /** Ends it with every session, at once, as a machine that loses power does. */
  stop(): Promise<void>;
}

const readyMsMax = 60_000;

export async function startSshd(options: SshdOptions): Promise<Sshd> {
  const program = findProgram('sshd');
  if (program === null) throw new Error('sshd is not here: npm test brings it where it can');
  // Where root's sshd keeps what it has to be shut in.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const folder = mkdtempSync(join(tmpdir(), 'headgate-sshd-'));
  try {
    const hostKey = options.hostKey ?? makeSshKey();
    const clientKey = makeSshKey();
    const port = options.port ?? (await freePort());
    writeFileSync(join(folder, 'host'), hostKey.privateKey, { mode: 0o600 });
    const keys = [{ publicKey: clientKey.publicKey, folder: options.folder }, ...(options.keys ?? [])];
    writeFileSync(join(folder, 'keys'), keys.map(authorizedLine).join(''));
    const { password } = options;
    const byPassword = password === undefined ? [] : ['AuthenticationMethods password', 'PasswordAuthentication yes'];
    const config = [...byPassword, ...(options.config ?? [])];
    writeFileSync(join(folder, 'sshd_config'), configLines(folder, port, program.root, config).join('\n'));
    const args = ['-D', '-e', '-f', join(folder, 'sshd_config')];
    const account = password === undefined ? null : makeAccount(folder, { home: options.folder, password });
    const server = await startChildServer({
      ...(account === null ? { command: program.path, args } : underMounts(account.files, program.path, args)),
      env: program.env,
      ready: /Server listening on/,
      readyMsMax,
    });
    return {
      host: '127.0.0.1',
      port,
      username: account?.name ?? userInfo().username,
      clientKey,
      hostKey,
      log: server.log,
      setPassword: (next) => account!.setPassword(next),
      async stop() {
        await server.kill();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Beside those that the machine has. */
function makeAccount(folder: string, { home, password }: { readonly home: string; readonly password: string }) {
  const [name, { uid, gid }] = ['partner', userInfo()];
  const [users, shadow] = [join(folder, 'passwd'), join(folder, 'shadow')];
  writeFileSync(users, `${readFileSync('/etc/passwd', 'utf8')}${name}:x:${uid}:${gid}::${home}:/bin/sh\n`, { mode: 0o644 });
  const machine = readFileSync('/etc/shadow', 'utf8');
  const setPassword = (text: string): void => {
    const hash = execFileSync('openssl', ['passwd', '-6', '-stdin'], { input: text, encoding: 'utf8' }).trim();
    // In its place: what is mounted is the file, not its name.
    writeFileSync(shadow, `${machine}${name}:${hash}:20000:0:99999:7:::\n`, { mode: 0o600 });
  };
  setPassword(password);
  return { name, files: { '/etc/passwd': users, '/etc/shadow': shadow }, setPassword };
}

/** An Ed25519 pair, or another type that ssh-keygen knows. */
export function makeSshKey(type: 'ed25519' | 'rsa' | 'ecdsa' = 'ed25519'): SshKeyPair {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-key-'));
  try {
    const path = join(folder, 'key');
    const env = { ...process.env, ...findProgram('sshd')?.env };
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', path], { env, stdio: 'pipe' });
    return { privateKey: readFileSync(path, 'utf8'), publicKey: readFileSync(`${path}.pub`, 'utf8').trim() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function authorizedLine({ publicKey, folder, isReadOnly, denied }: SshdKey): string {
  return `restrict,command="internal-sftp -d ${folder}${isReadOnly ? ' -R' : ''}${denied ? ` -P ${denied}` : ''}" ${publicKey}\n`;
}

function configLines(folder: string, port: number, root: string, extra: readonly string[] = []): string[] {
  const moved = root === '/' ? [] : ['session', 'auth'].map((part) => movedPart(root, part));
  return [
    ...extra,
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(folder, 'host')}`,
    `AuthorizedKeysFile ${join(folder, 'keys')}`,
    'AuthenticationMethods publickey',
    'PermitRootLogin yes',
    'UsePAM no',
    'StrictModes no',
    'PidFile none',
    'LogLevel VERBOSE',
    'MaxStartups 200',
    'MaxAuthTries 20',
    // Tests of wrong keys come from the same address as all others.
    'PerSourcePenalties no',
    'Subsystem sftp internal-sftp',
    ...moved,
    '',
  ];
}

/** The two programs that sshd starts for each connection, where it was unpacked instead of installed. */
function movedPart(root: string, part: string): string {
  return `${part === 'session' ? 'SshdSessionPath' : 'SshdAuthPath'} ${join(root, 'usr/lib/openssh', `sshd-${part}`)}`;
}
