/**
 * What the embedded PostgreSQL remembers between starts, beside its data: port and passwords in one file of mode 0600,
 * and the configuration written from it before each start.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Rng } from '../base/ports.ts';

export interface ClusterState {
  /** 0 until the first start. */
  readonly port: number;
  readonly adminPassword: string;
  readonly appPassword: string;
}

/** Kept between starts; the folder is an installation's once it is there. */
export function clusterStatePath(dataDir: string): string {
  return join(dataDir, 'postgres-access.json');
}

/** Reads the state, or makes one with new passwords. Nothing is written. */
export function readClusterState(path: string, rng: Rng): ClusterState {
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as ClusterState;
  const password = () => Buffer.from(rng.bytes(24)).toString('base64url');
  return { port: 0, adminPassword: password(), appPassword: password() };
}

/** Durable and atomic: a crash leaves the old or the new state. */
export function writeClusterState(path: string, state: ClusterState): void {
  writeDurably(path, `${JSON.stringify(state, null, 2)}\n`);
}

/** Replaces a file of mode 0600 so that it is never seen half written. */
export function writeDurably(path: string, text: string): void {
  const partial = `${path}.partial`;
  const file = openSync(partial, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(partial, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

export interface ClusterConfiguration {
  readonly port: number;
  readonly socketFolder: string;
  /** false only for throw-away data of tests: a power cut would then damage it. */
  readonly isDurable: boolean;
  readonly connectionsMax: number;
  /** The cluster's version of PostgreSQL, such as 18. */
  readonly majorVersion: number;
}

/** postgresql.conf for many small commits on one machine. Values never reach the server's log. */
export function renderConfiguration(configuration: ClusterConfiguration): string {
  const onOff = configuration.isDurable ? 'on' : 'off';
  const lines = [
    '# Written by headgate before each start; changes are lost.',
    "listen_addresses = '127.0.0.1'",
    `port = ${configuration.port}`,
    `unix_socket_directories = '${configuration.socketFolder.replaceAll("'", "''")}'`,
    'unix_socket_permissions = 0700',
    `max_connections = ${configuration.connectionsMax}`,
    'shared_buffers = 128MB',
    ...(configuration.majorVersion >= 18 ? ["io_method = 'sync'"] : []),
    `fsync = ${onOff}`,
    `synchronous_commit = ${onOff}`,
    `full_page_writes = ${onOff}`,
    'wal_level = minimal',
    'max_wal_senders = 0',
    'wal_buffers = 16MB',
    'min_wal_size = 256MB',
    'max_wal_size = 2GB',
    'checkpoint_timeout = 15min',
    'autovacuum_naptime = 15s',
    'jit = off',
    'max_parallel_workers_per_gather = 0',
    "timezone = 'UTC'",
    "log_timezone = 'UTC'",
    "log_line_prefix = '%m [%p] %q%a '",
    'log_error_verbosity = terse',
    'log_parameter_max_length = 0',
    'log_parameter_max_length_on_error = 0',
    'log_min_error_statement = panic',
    'log_checkpoints = off',
  ];
  return `${lines.join('\n')}\n`;
}

/** Passwords on every door, also for local sockets. */
export const hostBasedAuthentication = `# Written by headgate before each start; changes are lost.
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
`;

/** The remembered port when it is free, else one that the kernel gives. It may be taken again before the server binds it. */
export async function choosePort(remembered: number): Promise<number> {
  if (remembered > 0 && (await bindOnce(remembered)) !== undefined) return remembered;
  const port = await bindOnce(0);
  if (port === undefined) throw new Error('no free loopback port');
  return port;
}

function bindOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const bound = (server.address() as { port: number }).port;
      server.close(() => resolve(bound));
    });
  });
}
