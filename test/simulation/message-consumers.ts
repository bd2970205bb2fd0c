/**
 * Consumers of a topic and of a queue, outside the product: what they take is on the disk, in the order in which it came,
 * before they ask for it no more. Each is told that it has everything by marks behind the last message.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from 'rabbitmq-client';
import { findProgram } from '../support/debian-programs.ts';
import type { RabbitMq } from '../support/rabbitmq.ts';
import type { Journal } from './journal.ts';
import type { MessageEntry } from './sink-entry.ts';

export interface MessageConsumer {
  /** Resolves when everything that was sent before is in the journal; fails after a minute. */
  finish(): Promise<void>;
  stop(): Promise<void>;
}

const finishMsMax = 60_000;
const lookMs = 50;
const prefetched = 200;
const mark = { id: 'mark' };

export async function consumeQueue(rabbit: RabbitMq, queue: string, journal: Journal): Promise<MessageConsumer> {
  await rabbit.declareQueue(queue);
  const connection = new Connection({ hostname: rabbit.host, port: rabbit.port, username: rabbit.user, password: rabbit.password });
  connection.on('error', (error) => process.stderr.write(`soak: queue: ${String(error)}\n`));
  let marks = 0;
  const options = { queue, queueOptions: { passive: true }, qos: { prefetchCount: prefetched } };
  const consumer = connection.createConsumer(options, async ({ body, headers = {} }) => {
    const record = (Buffer.isBuffer(body) ? JSON.parse(body.toString()) : body) as { id: string };
    if (record.id === mark.id) marks += 1;
    else await journal.append(entryOf(record, headers));
  });
  consumer.on('error', (error) => process.stderr.write(`soak: queue: ${String(error)}\n`));
  return {
    async finish() {
      await rabbit.publish(queue, JSON.stringify(mark));
      await waitFor(queue, () => marks > 0);
    },
    async stop() {
      await consumer.close();
      await connection.close();
    },
  };
}

/** By kcat, which is no client of ours; `broker` is host:port. */
export async function consumeTopic(
  { broker, topic, partitions }: { readonly broker: string; readonly topic: string; readonly partitions: number },
  journal: Journal,
): Promise<MessageConsumer> {
  const { path, env } = findProgram('kcat')!;
  const kcat = (stdin: 'ignore' | 'pipe', ...args: readonly string[]) =>
    // It complains of every outage that it is there to live through.
    spawn(path, ['-b', broker, '-t', topic, ...args], { env: { ...process.env, ...env }, stdio: [stdin, 'pipe', 'ignore'] });
  const child = kcat('ignore', '-C', '-o', 'beginning', '-q', '-J', '-u', '-E');
  const marked = new Set<number>();
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const { payload, partition, headers = [] } = JSON.parse(line) as { payload: string; partition: number; headers?: readonly string[] };
    const record = JSON.parse(payload) as { id: string };
    const named = Object.fromEntries(Array.from({ length: headers.length / 2 }, (_, at) => [headers[2 * at]!, headers[2 * at + 1]!]));
    if (record.id === mark.id) marked.add(partition);
    else journal.append(entryOf(record, named)).catch((error: unknown) => child.kill() && process.stderr.write(`soak: ${String(error)}\n`));
  });
  return {
    async finish() {
      for (let partition = 0; partition < partitions; partition++) {
        const producer = kcat('pipe', '-P', '-p', String(partition));
        producer.stdin!.end(`${JSON.stringify(mark)}\n`);
        const [code] = (await once(producer, 'close')) as [number | null];
        if (code !== 0) throw new Error(`kcat ended with ${code} instead of sending a mark`);
      }
      await waitFor(topic, () => marked.size === partitions);
    },
    async stop() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

function entryOf({ id }: { readonly id: string }, headers: Readonly<Record<string, unknown>>): MessageEntry {
  return { id, key: String(headers['headgate-delivery-key']), isLabelled: headers['headgate-possible-duplicate'] === 'true' };
}

async function waitFor(name: string, isDone: () => boolean): Promise<void> {
  for (const startedMs = performance.now(); !isDone(); await sleep(lookMs))
    if (performance.now() - startedMs > finishMsMax)
      throw new Error(`the consumer of ${name} did not come to its end in ${finishMsMax} ms`);
}
