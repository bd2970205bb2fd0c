/**
 * An idempotent producer for one topic: who leads its partitions, connections to those leaders, a producer id of its own with
 * the sequence numbers that go with it. Each request waits for its answer before the next one of the same broker, and anything
 * odd ends the session: the next attempt starts with a new producer.
 */
import { type MessageRecord, NumericMap } from '@platformatic/kafka';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Clock } from '../../../platform/base/ports.ts';
import { connectorErrors } from '../connector-errors.ts';
import type { PooledSession } from '../session-pool.ts';
import { type BrokerContext, type KafkaBroker, openBroker } from './kafka-broker.ts';
import { connectionFailure, type PartitionVerdict, topicFailure, verdictOf } from './kafka-failure.ts';
import type { BrokerPlace } from './kafka-settings.ts';

const metadataAgeMsMax = 30_000;
const allReplicas = -1;
/** UNKNOWN_SERVER_ERROR. */
const notAnswered = { errorCode: -1, baseOffset: -1n };

export interface KafkaMessage {
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: Map<Buffer, Buffer>;
}

interface MetadataAnswer {
  readonly brokers: readonly (BrokerPlace & { readonly nodeId: number })[];
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly { readonly partitionIndex: number; readonly leaderId: number }[];
  }[];
}

interface ProduceAnswer {
  readonly responses: readonly { readonly partitionResponses: readonly PartitionAnswer[] }[];
}

interface PartitionAnswer {
  readonly index: number;
  readonly errorCode: number;
  readonly baseOffset: bigint;
}

/** Asks the brokers of the connection in order. Fails with a HeadgateError. */
export async function openKafkaSession(context: BrokerContext, clock: Clock, signal: AbortSignal): Promise<KafkaSession> {
  const { brokers } = context.settings;
  for (const [index, place] of brokers.entries()) {
    let session: KafkaSession | undefined;
    const end = () => session?.destroy();
    signal.addEventListener('abort', end, { once: true });
    try {
      session = new KafkaSession(await openBroker(place, context, signal), context, clock);
      await session.open();
      return session;
    } catch (error) {
      session?.destroy();
      const failure = connectionFailure(error);
      const isLast = index + 1 === brokers.length;
      if (isLast || signal.aborted || failure.code !== connectorErrors.E_TARGET_UNREACHABLE) throw failure;
    } finally {
      signal.removeEventListener('abort', end);
    }
  }
  throw new HeadgateError(connectorErrors.E_TARGET, 'the connection names no broker');
}

export class KafkaSession implements PooledSession {
  readonly #context: BrokerContext;

  readonly #clock: Clock;

  /** Answers for the cluster; it may be a leader as well. */
  readonly #first: KafkaBroker;

  readonly #connected = new Map<string, KafkaBroker>();

  #places = new Map<number, BrokerPlace>();

  /** By partition, the broker that leads it, negative where none does. */
  #leaders: readonly number[] = [];

  #readAtMs = Number.NEGATIVE_INFINITY;

  #producer = { producerId: -1n, producerEpoch: -1 };

  readonly #sequences = new NumericMap();

  /** Not to be used by another attempt. */
  #isBroken = false;

  #isDestroyed = false;

  constructor(first: KafkaBroker, context: BrokerContext, clock: Clock) {
    this.#first = first;
    this.#context = context;
    this.#clock = clock;
    this.#connected.set(keyOf(first.place), first);
  }

  get isBroken(): boolean {
    return this.#isBroken || [...this.#connected.values()].some((broker) => broker.isBroken);
  }

  get partitions(): number {
    return this.#leaders.length;
  }

  async open(): Promise<void> {
    await this.#readLeaders();
    this.#producer = await this.#first.request('initProducerId', [null, this.#context.settings.timeoutMs, -1n, -1]);
  }

  /** Who leads may have changed since, and partitions may have come. */
  async refresh(maxAgeMs = metadataAgeMsMax): Promise<void> {
    if (this.#clock.monotonicMs() - this.#readAtMs >= maxAgeMs) await this.#readLeaders();
  }

  /** Null: nobody for now, or there is no such partition. */
  leaderOf(partition: number): number | null {
    const leader = this.#leaders[partition] ?? -1;
    return leader < 0 || !this.#places.has(leader) ? null : leader;
  }

  /** Connects to it where that was not done yet. Fails with a HeadgateError, and nothing was sent then. */
  async connect(leader: number, signal: AbortSignal): Promise<KafkaBroker> {
    const place = this.#places.get(leader)!;
    const known = this.#connected.get(keyOf(place));
    if (known !== undefined) return known;
    const broker = await openBroker(place, this.#context, signal);
    // One that is only broken ends after the attempt: what another broker refused says nothing of this one.
    if (this.#isDestroyed) {
      broker.destroy();
      throw new HeadgateError(connectorErrors.E_TARGET_UNREACHABLE, 'the connection was ended');
    }
    this.#connected.set(keyOf(place), broker);
    return broker;
  }

  /**
   * All of them are handed over with this call. Rejects with a HeadgateError when the connection ends before the answer:
   * nobody knows then.
   */
  async produce(broker: KafkaBroker, parts: ReadonlyMap<number, readonly KafkaMessage[]>): Promise<ReadonlyMap<number, PartitionVerdict>> {
    const { topic, compression, timeoutMs } = this.#context.settings;
    const timestamp = BigInt(this.#clock.nowMs());
    const messages: MessageRecord[] = [];
    for (const [partition, own] of parts)
      for (const { key, value, headers } of own)
        messages.push({ ...(key === null ? {} : { key }), value, headers, topic, partition, timestamp });
    const options = { compression, sequences: this.#sequences, ...this.#producer };
    let answer: ProduceAnswer;
    try {
      answer = await broker.request('produce', [allReplicas, timeoutMs, messages, options]);
    } catch (error) {
      const told = answerWithErrors<ProduceAnswer>(error);
      if (told === null) {
        this.#isBroken = true;
        throw connectionFailure(error);
      }
      answer = told;
    }
    return this.#settle(answer, parts);
  }

  destroy(): void {
    this.#isBroken = true;
    this.#isDestroyed = true;
    for (const broker of this.#connected.values()) broker.destroy();
  }

  #settle(answer: ProduceAnswer, parts: ReadonlyMap<number, readonly KafkaMessage[]>): ReadonlyMap<number, PartitionVerdict> {
    const answers = new Map(
      answer.responses.flatMap(({ partitionResponses }) => partitionResponses.map((partition) => [partition.index, partition])),
    );
    const verdicts = new Map<number, PartitionVerdict>();
    for (const [partition, messages] of parts) {
      const verdict = verdictOf(answers.get(partition) ?? notAnswered);
      if (verdict.kind === 'taken') this.#sequences.postIncrement(`${this.#context.settings.topic}:${partition}`, messages.length, 0);
      else if (verdict.kind !== 'faulty') this.#isBroken = true;
      verdicts.set(partition, verdict);
    }
    return verdicts;
  }

  async #readLeaders(): Promise<void> {
    const { topic } = this.#context.settings;
    let answer: MetadataAnswer;
    try {
      answer = await this.#first.request('metadata', [[topic], false, false]);
    } catch (error) {
      // A partition without a leader is an error of the whole answer to the client.
      const told = answerWithErrors<MetadataAnswer & { topics: readonly { errorCode: number }[] }>(error);
      if (told === null) throw connectionFailure(error);
      const code = told.topics[0]?.errorCode ?? 0;
      if (code !== 0) throw topicFailure(code, topic);
      answer = told;
    }
    const leaders: number[] = [];
    for (const { partitionIndex, leaderId } of answer.topics[0]?.partitions ?? []) leaders[partitionIndex] = leaderId;
    if (leaders.length === 0) throw new HeadgateError(connectorErrors.E_TARGET_SETUP, `the topic "${topic}" has no partition`);
    this.#leaders = Array.from(leaders, (leader) => leader ?? -1);
    this.#places = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    this.#readAtMs = this.#clock.monotonicMs();
  }
}

const keyOf = ({ host, port }: BrokerPlace): string => `${host}:${port}`;

/** The client makes one error of an answer that holds any. */
function answerWithErrors<Answer>(error: unknown): Answer | null {
  const { code, response } = (error ?? {}) as { code?: unknown; response?: Answer };
  return code === 'PLT_KFK_RESPONSE' && response !== undefined ? response : null;
}
