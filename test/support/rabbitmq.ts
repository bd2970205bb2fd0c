/**
 * A RabbitMQ of one's own on loopback ports, AMQP 0-9-1 and 1.0 on the same, with and without TLS. It starts in a few seconds,
 * so a test file starts one for all its tests. Ask `itWith('rabbitmq')` first.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Connection } from 'rabbitmq-client';
import { type ChildServer, freePort, startChildServer } from './child-server.ts';
import { findProgram } from './debian-programs.ts';
import { selfSignedCertificate } from './self-signed-certificate.ts';

export interface RabbitMq {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Its certificate is for `hostName`. */
  readonly tlsPort: number;
  readonly hostName: 'mq.bank.example';
  readonly certificate: string;
  readonly user: string;
  readonly password: string;
  /** A quorum queue with the given arguments. */
  declareQueue(queue: string, args?: Readonly<Record<string, unknown>>): Promise<void>;
  deleteQueue(queue: string): Promise<void>;
  /** Takes everything out of a queue. */
  takeAll(queue: string): Promise<TakenMessage[]>;
  publish(queue: string, body: string): Promise<void>;
  /** rabbitmqctl, which takes a second or two. */
  ctl(...args: readonly string[]): Promise<string>;
  /** SIGKILL. */
  kill(): Promise<void>;
  log(): string;
  /** Ends it for good and removes its data. */
  stop(): Promise<void>;
}

export interface TakenMessage {
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly properties: Readonly<Record<string, unknown>>;
}

const readyMsMax = 60_000;
const hostName = 'mq.bank.example';
const user = 'headgate';

export async function startRabbitMq(): Promise<RabbitMq> {
  const program = findProgram('rabbitmq');
  if (program === null) throw new Error('RabbitMQ is not here: npm test brings it where it can');
  const folder = mkdtempSync(join(tmpdir(), 'headgate-rabbitmq-'));
  const [port, tlsPort, epmdPort, distributionPort] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const { key, certificate } = selfSignedCertificate(hostName);
  const password = 'rabbit-test-password';
  mkdirSync(join(folder, 'home'));
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
  writeFileSync(join(folder, 'certificate.pem'), certificate);
  writeFileSync(join(folder, 'plugins'), '[].\n');
  writeFileSync(join(folder, 'rabbitmq.conf'), `${configLines(folder, { port, tlsPort, password }).join('\n')}\n`);
  const env = {
    ...program.env,
    HOME: join(folder, 'home'),
    RABBITMQ_NODENAME: `headgate-${port}@localhost`,
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_LOGS: '-',
    RABBITMQ_DIST_PORT: String(distributionPort),
    // With it the script becomes the server instead of waiting for it.
    RABBITMQ_ALLOW_INPUT: 'true',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-noinput +S 2:2 -kernel inet_dist_use_interface {127,0,0,1}',
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
  let epmd: ChildServer | undefined;
  let server: ChildServer | undefined;
  let admin: Connection | undefined;
  const stop = async () => {
    admin?.unsafeDestroy();
    await server?.kill();
    await epmd?.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const args = ['-port', String(epmdPort), '-d'];
    epmd = await startChildServer({ command: 'epmd', args, env, ready: /epmd running/, readyMsMax });
    server = await startChildServer({ command: program.path, args: [], env, cwd: folder, ready: /startup complete/, readyMsMax });
  } catch (error) {
    await stop();
    throw error;
  }
  const connection = () => {
    if (admin === undefined) {
      admin = new Connection({ hostname: '127.0.0.1', port, username: user, password });
      admin.on('error', () => {});
    }
    return admin;
  };
  return {
    host: '127.0.0.1',
    port,
    tlsPort,
    hostName,
    certificate,
    user,
    password,
    async declareQueue(queue, args = {}) {
      await connection().queueDeclare({ queue, durable: true, arguments: { 'x-queue-type': 'quorum', ...args } });
    },
    async deleteQueue(queue) {
      await connection().queueDelete({ queue });
    },
    takeAll: (queue) => takeAll(connection(), queue),
    async publish(queue, body) {
      const channel = await connection().acquire();
      try {
        await channel.confirmSelect();
        await channel.basicPublish({ routingKey: queue, durable: true }, Buffer.from(body));
      } finally {
        await channel.close();
      }
    },
    async ctl(...args) {
      const script = join(program.path, '../rabbitmqctl');
      return (await promisify(execFile)(script, [...args], { env: { ...process.env, ...env } })).stdout;
    },
    async kill() {
      admin?.unsafeDestroy();
      admin = undefined;
      await server!.kill();
    },
    log: () => server?.log() ?? '',
    stop,
  };
}

async function takeAll(connection: Connection, queue: string): Promise<TakenMessage[]> {
  const taken: TakenMessage[] = [];
  for (;;) {
    const message = await connection.basicGet({ queue, noAck: true });
    if (message === undefined) return taken;
    const { body, headers = {}, ...properties } = message;
    // The client parses bodies of type application/json.
    taken.push({ body: Buffer.isBuffer(body) ? body.toString() : JSON.stringify(body), headers, properties: { ...properties } });
  }
}

function configLines(folder: string, { port, tlsPort, password }: { port: number; tlsPort: number; password: string }): string[] {
  return [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    `listeners.ssl.1 = 127.0.0.1:${tlsPort}`,
    `ssl_options.certfile = ${join(folder, 'certificate.pem')}`,
    `ssl_options.keyfile = ${join(folder, 'key.pem')}`,
    `ssl_options.cacertfile = ${join(folder, 'certificate.pem')}`,
    'ssl_options.verify = verify_none',
    `default_user = ${user}`,
    `default_pass = ${password}`,
    'disk_free_limit.absolute = 1MB',
    'raft.wal_max_size_bytes = 16000000',
  ];
}
