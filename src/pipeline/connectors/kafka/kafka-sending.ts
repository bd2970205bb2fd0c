/**
 * One attempt over one producer: each record goes to the partition of its key, those of one partition in their order, one
 * request after the other. A record counts as delivered when all replicas in sync have it; behind one that was not taken
 * nothing of its partition is sent.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { OutgoingBatch, RecordResult } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { createKeyOrder, type KeyOrder } from '../key-order.ts';
import type { FailedRecord } from '../record-outcomes.ts';
import type { KafkaBroker } from './kafka-broker.ts';
import { connectionFailure, missingPartition, type PartitionVerdict } from './kafka-failure.ts';
import { commonHeaders, headerBytes, messageHeaders } from './kafka-headers.ts';
import type { KeyReader } from './kafka-key.ts';
import { partitionHash } from './kafka-partition.ts';
import type { KafkaMessage, KafkaSession } from './kafka-session.ts';
import type { KafkaSettings } from './kafka-settings.ts';

/** Lengths and deltas of a record, and its part of what stands before them. */
const recordOverheadBytes = 40;
/** What stands before the records of a request's partition. */
const batchOverheadBytes = 100;

export interface SendingOptions {
  readonly settings: KafkaSettings;
  readonly batch: OutgoingBatch;
  readonly session: KafkaSession;
  readonly signal: AbortSignal;
  readonly keys: readonly string[];
  readonly recordIds: readonly string[];
  readonly readKey: KeyReader;
  /** Where messages without a key go. */
  readonly turn: number;
}

interface Outgoing extends KafkaMessage {
  readonly index: number;
  readonly bytes: number;
}

/** What is left for one partition; a piece is never larger than a request may be, and goes as a whole or is halved. */
type Pieces = Outgoing[][];

interface Reason {
  readonly code: string;
  readonly message: string;
}

const noLeader: Reason = { code: connectorErrors.E_TARGET_BUSY, message: 'no broker leads the partition for now' };

/** The records that were not taken, in order. Fails before anything was sent. */
export async function sendBatch(options: SendingOptions): Promise<readonly FailedRecord[]> {
  const order = await createKeyOrder(options.batch);
  const sending = new Sending(options, order);
  sending.readRecords();
  await sending.run();
  return sending.failed();
}

class Sending {
  readonly #options: SendingOptions;

  readonly #order: KeyOrder;

  readonly #failed: FailedRecord[] = [];

  readonly #partitions = new Map<number, Pieces>();

  constructor(options: SendingOptions, order: KeyOrder) {
    this.#options = options;
    this.#order = order;
  }

  /** Nothing is sent before all of them were read: a batch that can't be read is refused as a whole. */
  readRecords(): void {
    const { batch, settings, session, keys, recordIds, readKey } = this.#options;
    const common = commonHeaders(batch, settings.source);
    const bytesMax = settings.maxMessageBytes - batchOverheadBytes;
    const open = new Map<number, number>();
    let next = 0;
    for (const line of batch.body.lines()) {
      const index = next++;
      const value = Buffer.from(line.subarray(0, -1));
      const key = readKey(value);
      if (key === false) {
        this.#refuse(index, 'the key of the record can not be computed');
        continue;
      }
      const headers = messageHeaders(common, keys[index]!, recordIds[index]!);
      const bytes = value.length + (key?.length ?? 0) + headerBytes(headers) + recordOverheadBytes;
      if (bytes > bytesMax) {
        this.#refuse(index, 'the record is larger than the topic takes');
        continue;
      }
      const partition = this.#partitionOf(key, session.partitions);
      const pieces = this.#partitions.get(partition) ?? [];
      const filled = open.get(partition) ?? Number.POSITIVE_INFINITY;
      if (filled + bytes > bytesMax) pieces.push([]);
      open.set(partition, (filled + bytes > bytesMax ? 0 : filled) + bytes);
      pieces.at(-1)!.push({ index, key, value, headers, bytes });
      this.#partitions.set(partition, pieces);
    }
  }

  async run(): Promise<void> {
    const { session, settings } = this.#options;
    const byLeader = new Map<number, number[]>();
    for (const partition of this.#partitions.keys()) {
      const leader = session.leaderOf(partition);
      if (leader === null && partition >= session.partitions) this.#stop(partition, missingPartition(settings.topic, partition));
      else if (leader === null) this.#stop(partition, noLeader);
      else byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition]);
    }
    await Promise.all([...byLeader].map(([leader, partitions]) => this.#sendTo(leader, partitions)));
  }

  failed(): readonly FailedRecord[] {
    return this.#failed.toSorted((a, b) => a.index - b.index);
  }

  #partitionOf(key: Buffer | null, partitions: number): number {
    const { settings, turn } = this.#options;
    if (settings.partition !== null) return settings.partition;
    return (key === null ? turn : partitionHash(key)) % partitions;
  }

  async #sendTo(leader: number, partitions: readonly number[]): Promise<void> {
    let broker: KafkaBroker;
    try {
      broker = await this.#options.session.connect(leader, this.#options.signal);
    } catch (error) {
      for (const partition of partitions) this.#stop(partition, this.#reasonOf(error));
      return;
    }
    for (;;) {
      const parts = this.#nextParts(partitions);
      if (parts.size === 0) return;
      try {
        this.#options.batch.assertOurs();
      } catch (error) {
        for (const [partition, piece] of parts) this.#takeBack(partition, piece);
        for (const partition of partitions) this.#stop(partition, this.#reasonOf(error));
        return;
      }
      await this.#sendParts(broker, parts);
    }
  }

  /** One piece of each partition, without what must wait for an earlier record of its key. */
  #nextParts(partitions: readonly number[]): Map<number, Outgoing[]> {
    const parts = new Map<number, Outgoing[]>();
    for (const partition of partitions) {
      const pieces = this.#partitions.get(partition)!;
      for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
        const isHeldBack = ({ index }: Outgoing) => this.#order.isHeldBack(index);
        for (const { index } of piece.filter(isHeldBack))
          this.#fail(index, 'retry', { code: connectorErrors.E_TARGET_ORDER, message: 'an earlier record of the same key was refused' });
        const left = piece.filter((one) => !isHeldBack(one));
        if (left.length === 0) continue;
        parts.set(partition, left);
        break;
      }
    }
    return parts;
  }

  async #sendParts(broker: KafkaBroker, parts: ReadonlyMap<number, Outgoing[]>): Promise<void> {
    let verdicts: ReadonlyMap<number, PartitionVerdict>;
    try {
      verdicts = await this.#options.session.produce(broker, parts);
    } catch (error) {
      const { aborted } = this.#options.signal;
      const code = aborted ? connectorErrors.E_TARGET_TIMEOUT : connectorErrors.E_TARGET_REPLY_LOST;
      for (const [partition, piece] of parts) {
        for (const { index } of piece)
          this.#fail(index, 'unknown', { code, message: 'the connection ended before the messages were acknowledged' });
        this.#stop(partition, this.#reasonOf(error));
      }
      return;
    }
    for (const [partition, piece] of parts) this.#settle(partition, piece, verdicts.get(partition)!);
  }

  #settle(partition: number, piece: Outgoing[], { kind, code, message }: PartitionVerdict): void {
    if (kind === 'taken') return;
    if (kind === 'faulty') {
      if (piece.length === 1) {
        this.#refuse(piece[0]!.index, message);
        return;
      }
      const middle = piece.length >>> 1;
      this.#partitions.get(partition)!.unshift(piece.slice(0, middle), piece.slice(middle));
      return;
    }
    for (const { index } of piece) this.#fail(index, kind === 'unknown' ? 'unknown' : 'retry', { code, message });
    this.#stop(partition, kind === 'unknown' ? { code: connectorErrors.E_TARGET_BUSY, message } : { code, message });
  }

  #takeBack(partition: number, piece: Outgoing[]): void {
    this.#partitions.get(partition)!.unshift(piece);
  }

  /** What is left for the partition is not sent. */
  #stop(partition: number, reason: Reason): void {
    for (const piece of this.#partitions.get(partition)!.splice(0)) for (const { index } of piece) this.#fail(index, 'retry', reason);
  }

  #reasonOf(error: unknown): Reason {
    if (this.#options.signal.aborted) return { code: connectorErrors.E_TARGET_TIMEOUT, message: 'the broker did not acknowledge in time' };
    if (!(error instanceof HeadgateError)) throw error;
    const { code, message } = connectionFailure(error);
    return { code, message };
  }

  #refuse(index: number, message: string): void {
    this.#order.refuse(index);
    this.#fail(index, 'refused', { code: connectorErrors.E_TARGET_RECORD, message });
  }

  #fail(index: number, status: RecordResult['status'], { code, message }: Reason): void {
    this.#failed.push({ index, status, code, message });
  }
}
