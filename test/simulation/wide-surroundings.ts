/**
 * What a soak with all targets has around it besides the usual: a Kafka cluster, RabbitMQ, MariaDB and an SFTP server, each
 * behind a proxy that breaks connections on purpose, the consumers outside, and the faults that these servers themselves have.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { mysqlDdl } from '../../src/pipeline/connectors/mysql/mysql-ddl.ts';
import { debianPrograms, findProgram } from '../support/debian-programs.ts';
import { type KafkaFaults, kafkaApis, kafkaErrors, startKafka } from '../support/kafka-mock.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb.ts';
import { startRabbitMq } from '../support/rabbitmq.ts';
import { startSshd } from '../support/sshd.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { openJournal } from './journal.ts';
import { consumeQueue, consumeTopic } from './message-consumers.ts';
import type { SeededRandom } from './seeded-random.ts';
import { serverFolder, transfersFlowTo } from './soak-flows.ts';
import { queueName, type WidePlace, wideSecretVariables } from './wide-flow.ts';

export type WideProxies = Readonly<Record<'kafka' | 'rabbitmq' | 'mariadb' | 'sftp', TcpProxy>>;

type ServerFault = (random: SeededRandom) => Promise<boolean>;
type KafkaFault = 'kafkaErrors' | 'kafkaOutages';

export interface WideSurroundings {
  readonly place: WidePlace;
  /** Environment of the serving processes; `table`: password of the role of the PostgreSQL sink. */
  secrets(table: string): Record<string, string>;
  readonly proxies: WideProxies;
  /** What breaks at a server itself, by name; false: not this time. Null for what can't be made to break here. */
  readonly serverFaults: Readonly<Record<KafkaFault | 'mariadbRestarts', ServerFault | null>>;
  readonly messageJournalPaths: Readonly<Record<'kafka' | 'rabbitmq', string>>;
  readonly maria: Pick<MariaDb, 'sql' | 'database'>;
  /** Resolves when the journals have everything that topic and queue took. */
  finishConsumers(): Promise<void>;
  close(): Promise<void>;
}

/** What a message to each server has in it that delivers records; nobody sees into SFTP. */
export const deliveryMessages: Readonly<Record<keyof WideProxies, RegExp>> = {
  kafka: /headgate-delivery-key/,
  rabbitmq: /headgate-delivery-key/,
  mariadb: /commit delivery/,
  sftp: /(?:)/,
};

const closings = new Set<() => Promise<void>>();

/** Ends every server that still runs: when the soak itself is ended. */
export async function closeAllWide(): Promise<void> {
  for (const close of closings) await close();
}

const partitions = 4;
const brokerDownMsMax = 1_500;
const passingErrors = [
  kafkaErrors.NOT_LEADER,
  kafkaErrors.REQUEST_TIMED_OUT,
  kafkaErrors.NOT_ENOUGH_REPLICAS,
  kafkaErrors.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
];

/** Packages of Debian that are needed and not here. */
export function missingPrograms(): string[] {
  const needed = ['kcat', 'python3', 'rabbitmq', 'mariadb', 'sshd'] as const;
  return needed.filter((name) => findProgram(name) === null).map((name) => debianPrograms[name].package);
}

/** `root`: of the folders of senders and file targets; `journals`: a folder that the product has no path to. */
export async function openWideSurroundings(root: string, journals: string): Promise<WideSurroundings> {
  const opened: (() => Promise<unknown>)[] = [];
  const close = async () => {
    closings.delete(close);
    for (const end of opened.splice(0).reverse()) await end();
  };
  closings.add(close);
  async function use<T>(start: Promise<T>, end: (started: T) => Promise<unknown>): Promise<T> {
    const started = await start;
    opened.push(() => end(started));
    return started;
  }
  const stop = (server: { stop(): Promise<void> }) => server.stop();
  const end = (thing: { close(): Promise<void> }) => thing.close();
  try {
    const folder = serverFolder(root);
    for (const name of ['in', 'courier', 'staging']) mkdirSync(join(folder, name), { recursive: true });
    const kafka = await use(startKafka(), stop);
    const rabbit = await use(startRabbitMq(), stop);
    const maria = await use(startMariaDb(), stop);
    const sshd = await use(startSshd({ folder }), stop);
    const proxies: WideProxies = {
      kafka: await use(kafka.startProxy(), end),
      rabbitmq: await use(startTcpProxy(rabbit), end),
      mariadb: await use(startTcpProxy(maria), end),
      sftp: await use(startTcpProxy(sshd), end),
    };
    const topic = await kafka.makeTopic(partitions);
    const messageJournalPaths = { kafka: join(journals, 'kafka.ndjson'), rabbitmq: join(journals, 'rabbitmq.ndjson') };
    const topicJournal = await use(openJournal(messageJournalPaths.kafka), end);
    const queueJournal = await use(openJournal(messageJournalPaths.rabbitmq), end);
    const consumers = [
      await use(consumeTopic({ broker: kafka.brokers[0]!, topic, partitions }, topicJournal), stop),
      await use(consumeQueue(rabbit, queueName, queueJournal), stop),
    ];
    await makeTransferTable(maria);
    return {
      place: {
        broker: `127.0.0.1:${proxies.kafka.port}`,
        topic,
        queuePort: proxies.rabbitmq.port,
        queueUser: rabbit.user,
        ledgerPort: proxies.mariadb.port,
        ledgerDatabase: maria.database,
        ledgerUser: maria.user,
        sftpPort: proxies.sftp.port,
        sftpUser: sshd.username,
        sftpHostKey: sshd.hostKey.publicKey,
      },
      secrets: (table) => ({
        [wideSecretVariables.table]: table,
        [wideSecretVariables.queue]: rabbit.password,
        [wideSecretVariables.ledger]: maria.password,
        [wideSecretVariables.sftp]: sshd.clientKey.privateKey,
      }),
      proxies,
      serverFaults: {
        mariadbRestarts: async () => {
          await maria.kill();
          await maria.start();
          return true;
        },
        // A real broker fails when it likes.
        ...(kafka.faults === null ? { kafkaErrors: null, kafkaOutages: null } : kafkaFaults(kafka.faults)),
      },
      messageJournalPaths,
      maria,
      async finishConsumers() {
        for (const consumer of consumers) await consumer.finish();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function kafkaFaults(faults: KafkaFaults): Record<KafkaFault, ServerFault> {
  let answered = -1;
  return {
    kafkaErrors: async (random) => {
      // One at a time: those that wait for a request of a target that is left alone would meet its probes one after the other.
      const requests = await faults.countRequests(kafkaApis.produce);
      if (requests === answered) return false;
      answered = requests;
      await faults.produceErrors(random.pick(passingErrors));
      return true;
    },
    kafkaOutages: async (random) => {
      await faults.setDown(1);
      await sleep(random.between(200, brokerDownMsMax));
      await faults.setUp(1);
      return true;
    },
  };
}

/** As its owner does who was given the output of `headgate target ddl`; the position tells the order of rows. */
async function makeTransferTable(maria: MariaDb): Promise<void> {
  const plan = loadFlow(transfersFlowTo('any')).plan!;
  await maria.sql(`use ${maria.database}`);
  for (const statement of mysqlDdl(plan, plan.targets.find(({ id }) => id === 'mariadb')!).split(';\n'))
    if (statement.trim() !== '') await maria.sql(statement);
  await maria.sql('alter table transfer add column position bigint unsigned not null auto_increment primary key');
}
