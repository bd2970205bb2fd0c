/**
 * A Kafka cluster for tests: librdkafka's mock cluster in a process of its own (`kafka-mock.py`), which takes, keeps and serves
 * records and fails on command, read by kcat, which is no client of ours. Ask `itWith('kafka')` first. With
 * HEADGATE_TEST_KAFKA=host:port it is the broker there, which can't be told to fail.
 */
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Admin } from '@platformatic/kafka';
import { findProgram } from './debian-programs.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

export interface KafkaCluster {
  /** host:port of each broker; the first is asked first. */
  readonly brokers: readonly string[];
  /** A topic that was not there, each partition on one broker. */
  makeTopic(partitions: number): Promise<string>;
  /** All records of a topic, partition by partition, in their order. */
  read(topic: string, options?: readonly string[]): Promise<ReadRecord[]>;
  /** A message for each text, which is its key, by kcat and the partitions of Kafka's clients in Java. */
  write(topic: string, texts: readonly string[]): Promise<void>;
  /** Null where it is a real broker. */
  readonly faults: KafkaFaults | null;
  /** A proxy before the first broker: whoever asks it for the cluster is told of no other. */
  startProxy(): Promise<TcpProxy>;
  stop(): Promise<void>;
}

/** Brokers are counted from 1. */
export interface KafkaFaults {
  /** The next answers to Produce requests: protocol error codes, 0 for none. Nothing is kept of what they are about. */
  produceErrors(...codes: readonly number[]): Promise<void>;
  /** The same for requests by number of the protocol. */
  errors(api: number, ...codes: readonly number[]): Promise<void>;
  /** The next Produce of a broker is answered so much later. */
  delayProduce(broker: number, delayMs: number): Promise<void>;
  /** From now on a broker answers everything so much later, as over a long line. Nothing else is different. */
  setRoundTrip(broker: number, roundTripMs: number): Promise<void>;
  setLeader(topic: string, partition: number, broker: number): Promise<void>;
  setDown(broker: number): Promise<void>;
  setUp(broker: number): Promise<void>;
  setVersions(api: number, range: readonly [lowest: number, highest: number]): Promise<void>;
  /** How many requests of a kind came so far. */
  countRequests(api: number): Promise<number>;
}

/** Numbers of errors. */
export const kafkaErrors = {
  NOT_LEADER: 6,
  REQUEST_TIMED_OUT: 7,
  MESSAGE_TOO_LARGE: 10,
  NOT_ENOUGH_REPLICAS: 19,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 20,
  TOPIC_AUTHORIZATION_FAILED: 29,
  CLUSTER_AUTHORIZATION_FAILED: 31,
  INVALID_TIMESTAMP: 32,
  POLICY_VIOLATION: 44,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  KAFKA_STORAGE_ERROR: 56,
  UNKNOWN_PRODUCER_ID: 59,
  INVALID_RECORD: 87,
} as const;

/** Numbers of requests. */
export const kafkaApis = { produce: 0, metadata: 3, initProducerId: 22 } as const;

export interface ReadRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly payload: string;
  readonly headers: Readonly<Record<string, string>>;
}

export async function startKafka({ brokers = 1 }: { readonly brokers?: number } = {}): Promise<KafkaCluster> {
  const external = process.env['HEADGATE_TEST_KAFKA'];
  const mock = external === undefined ? await startMock(brokers) : null;
  const addresses = mock?.brokers ?? [external!];
  const admin = mock === null ? new Admin({ clientId: 'headgate-test', bootstrapBrokers: addresses.slice() }) : null;
  const run = `${process.pid}-${process.hrtime.bigint().toString(36)}`;
  let topics = 0;
  return {
    brokers: addresses,
    async makeTopic(partitions) {
      const topic = `eft.${run}.${++topics}`;
      if (mock === null) await admin!.createTopics({ topics: [topic], partitions, replicas: 1 });
      else await mock.command(`topic ${topic} ${partitions}`);
      return topic;
    },
    read: (topic, options = []) => read(addresses[0]!, topic, options),
    write: (topic, texts) => write(addresses[0]!, topic, texts),
    faults: mock === null ? null : faultsOf(mock.command),
    startProxy: () => startKafkaProxy(addresses[0]!),
    async stop() {
      await admin?.close();
      await mock?.stop();
    },
  };
}

/** The library comes with kcat, which may have been unpacked elsewhere than Python. */
function joinedPaths(...environments: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const names = [...new Set(environments.flatMap(Object.keys))];
  return Object.fromEntries(names.map((name) => [name, environments.flatMap((one) => one[name] ?? []).join(':')]));
}

interface Mock {
  readonly brokers: readonly string[];
  command(line: string): Promise<number>;
  stop(): Promise<void>;
}

async function startMock(brokers: number): Promise<Mock> {
  const [python, kcat] = [findProgram('python3'), findProgram('kcat')];
  if (python === null || kcat === null) fail('kcat or Python is not here: npm test brings them where it can');
  const child = spawn(python.path, [join(import.meta.dirname, 'kafka-mock.py'), String(brokers)], {
    env: { ...process.env, ...joinedPaths(python.env, kcat.env) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-10_000);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (expected: string): Promise<string> => {
    const { value, done } = (await lines.next()) as { value?: string; done?: boolean };
    if (done || !value!.startsWith(`${expected} `)) fail(`the mock cluster says ${value ?? 'nothing'}:\n${log}`);
    return value!.slice(expected.length + 1);
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    brokers: (await answer('ready')).split(','),
    command(line) {
      const result = last.then(async () => {
        child.stdin.write(`${line}\n`);
        return Number(await answer('done'));
      });
      last = result.catch(() => {});
      return result;
    },
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function faultsOf(command: (line: string) => Promise<number>): KafkaFaults {
  const done = async (line: string) => {
    const result = await command(line);
    if (result !== 0) fail(`${line} came to ${result}`);
  };
  const { produce } = kafkaApis;
  return {
    produceErrors: (...codes) => done(`errors ${produce} ${codes.join(' ')}`),
    errors: (api, ...codes) => done(`errors ${api} ${codes.join(' ')}`),
    delayProduce: (broker, delayMs) => done(`error-rtt ${broker} ${produce} 0 ${delayMs}`),
    setRoundTrip: (broker, roundTripMs) => done(`rtt ${broker} ${roundTripMs}`),
    setLeader: (topic, partition, broker) => done(`leader ${topic} ${partition} ${broker}`),
    setDown: (broker) => done(`down ${broker}`),
    setUp: (broker) => done(`up ${broker}`),
    setVersions: (api, [lowest, highest]) => done(`versions ${api} ${lowest} ${highest}`),
    countRequests: (api) => command(`requests ${api}`),
  };
}

async function read(broker: string, topic: string, options: readonly string[]): Promise<ReadRecord[]> {
  const { path, env } = findProgram('kcat') ?? fail('kcat is not here: npm test brings it where it can');
  const args = ['-b', broker, '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-J', ...options];
  const { stdout } = await promisify(execFile)(path, args, { env: { ...process.env, ...env }, maxBuffer: 256 * 1024 * 1024 });
  const records = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Omit<ReadRecord, 'headers'> & { headers?: readonly string[] });
  return records
    .map(({ partition, offset, key, payload, headers = [] }) => ({ partition, offset, key, payload, headers: pairs(headers) }))
    .sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

async function write(broker: string, topic: string, texts: readonly string[]): Promise<void> {
  const { path, env } = findProgram('kcat') ?? fail('kcat is not here: npm test brings it where it can');
  const args = ['-b', broker, '-P', '-t', topic, '-K', ':', '-X', 'topic.partitioner=murmur2'];
  const child = spawn(path, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.end(texts.map((text) => `${text}:${text}\n`).join(''));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) fail(`kcat ended with ${code}`);
}

function pairs(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(Array.from({ length: list.length / 2 }, (_, at) => [list[2 * at]!, list[2 * at + 1]!]));
}

async function startKafkaProxy(broker: string): Promise<TcpProxy> {
  const at = broker.lastIndexOf(':');
  const [host, port] = [broker.slice(0, at), Number(broker.slice(at + 1))];
  return await startTcpProxy({ host, port }, { answers: (data, ownPort) => withPort(data, host, port, ownPort) });
}

/** Wherever an answer names the broker, it names the proxy's port. */
function withPort(data: Buffer, host: string, port: number, ownPort: number): Buffer {
  const place = Buffer.alloc(host.length + 4);
  place.write(host, 'latin1');
  place.writeInt32BE(port, host.length);
  for (let at = data.indexOf(place); at >= 0; at = data.indexOf(place, at + 1)) data.writeInt32BE(ownPort, at + host.length);
  return data;
}

function fail(message: string): never {
  throw new Error(message);
}
