/**
 * Sends a message for each record of a batch, and takes a record for acknowledged by its own confirm only. What had no
 * confirm when the connection ended is unknown; what was not handed over is to be sent again.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { createAddressGuard } from '../address-guard.ts';
import type { DeliveryOutcome, OpenOptions, OutgoingBatch, RecordResult, Target } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { createKeyOrder } from '../key-order.ts';
import { joinResults } from '../record-outcomes.ts';
import { commonHeaders, recordHeaders } from './amqp-headers.ts';
import { type AmqpSession, type AmqpVerdict, MessageUnsent } from './amqp-session.ts';
import { createAmqpSessions } from './amqp-sessions.ts';
import { type AmqpSettings, readAmqpSettings } from './amqp-settings.ts';

/** Fails with E_TARGET on settings that can't work. */
export function openAmqpTarget(options: OpenOptions): Target {
  const settings = readAmqpSettings(options);
  const sessions = createAmqpSessions({
    settings,
    guard: createAddressGuard(options.egress, options.ports.resolveHost),
    secrets: options.secrets,
    ids: options.ports.ids,
    idleMax: options.target.concurrency,
  });
  const suspicion: Suspicion = { bytesMin: Number.POSITIVE_INFINITY };
  return {
    unknownResolution: 'labelled-resend',
    async deliver(batch, signal) {
      try {
        const known = { keys: await batch.deliveryKeys(), recordIds: await batch.recordIds(), orderKeys: await batch.orderKeys?.() };
        return await sessions.use(signal, async (session) => {
          const sending = new Sending({ settings, batch, session, signal, suspicion, ...known });
          return joinResults(await sending.run(), batch.records);
        });
      } catch (error) {
        return unsent(error, signal);
      }
    },
    async probe(signal) {
      const startMs = options.ports.clock.monotonicMs();
      const durationMs = () => options.ports.clock.monotonicMs() - startMs;
      try {
        // One that is blocked is kept: the broker would not even notice the end of its connection, and of the next.
        const isTaking = await sessions.use(signal, (session) => session.tryWriting());
        if (!isTaking) return { isReachable: false, code: connectorErrors.E_TARGET_BUSY, message: isShort, durationMs: durationMs() };
        return { isReachable: true, code: null, message: 'the queue is there and the user may write to it', durationMs: durationMs() };
      } catch (error) {
        const { code, message } = unsent(error, signal);
        return { isReachable: false, code, message, durationMs: durationMs() };
      }
    },
    close: () => sessions.close(),
  };
}

const isShort = 'the broker takes no messages: it is short of memory or disk';

/** Before the first message was handed over. */
function unsent(error: unknown, signal: AbortSignal): Extract<DeliveryOutcome, { kind: 'refused' }> {
  if (signal.aborted) {
    return { kind: 'refused', retryable: true, code: connectorErrors.E_TARGET_TIMEOUT, message: 'the broker could not be reached in time' };
  }
  if (!(error instanceof HeadgateError)) throw error;
  return { kind: 'refused', retryable: true, code: error.code, message: error.message };
}

/** Bodies of so many bytes go alone: the broker ended a session over one of several under way, and their largest had so many. */
interface Suspicion {
  bytesMin: number;
}

interface SendingOptions {
  readonly settings: AmqpSettings;
  readonly batch: OutgoingBatch;
  readonly session: AmqpSession;
  readonly signal: AbortSignal;
  readonly suspicion: Suspicion;
  readonly keys: readonly string[];
  readonly recordIds: readonly string[];
  /** Where the order of keys is kept. */
  readonly orderKeys: readonly (string | null)[] | undefined;
}

type Failed = RecordResult & { readonly message: string };

/** One attempt over one session. */
class Sending {
  readonly #options: SendingOptions;

  readonly #failed: Failed[] = [];

  /** Messages without a verdict: the bytes of each by its record. */
  readonly #inFlight = new Map<number, number>();

  /** The session ended over a message: the one that was under way alone, or one of several. */
  #endedOver: 'one' | 'several' | null = null;

  /** A programmer's error. */
  #fault: { readonly error: unknown } | null = null;

  /** Called whenever one has its verdict. */
  #onVerdict: () => void = () => {};

  /** By order key: a record goes when the one before it has been taken. */
  readonly #lastOfKey = new Map<string, Promise<void>>();

  /** Why no more is handed over. */
  #stop: { readonly code: string; readonly message: string } | null = null;

  constructor(options: SendingOptions) {
    this.#options = options;
  }

  /** The records that were not taken, in order. */
  async run(): Promise<readonly Failed[]> {
    const { batch } = this.#options;
    const order = await createKeyOrder(batch);
    const headers = commonHeaders(batch);
    let next = 0;
    try {
      for (const line of batch.body.lines()) {
        const index = next;
        const json = Buffer.from(line.subarray(0, -1));
        if (json.length > this.#bodyBytesMax()) {
          this.#refuse(index);
          order.refuse(index);
        } else if (order.isHeldBack(index))
          this.#fail(index, 'retry', connectorErrors.E_TARGET_ORDER, 'an earlier record of the same key was refused');
        else {
          await this.#turnOf(index, json.length);
          if (this.#stop !== null) break;
          batch.assertOurs();
          this.#send(index, json, headers);
          if (this.#isSuspect(json.length)) await this.#allLanded();
        }
        next += 1;
      }
    } catch (error) {
      // The lease is gone, the batch can't be read, or the session ended before it took this record.
      this.#stop ??= this.#reasonOf(error);
    }
    await this.#allLanded();
    if (this.#fault !== null) throw this.#fault.error;
    for (let index = next; index < batch.records; index++) this.#fail(index, 'retry', this.#stop!.code, this.#stop!.message);
    return this.#failed.sort((a, b) => a.index - b.index);
  }

  #bodyBytesMax(): number {
    return Math.min(this.#options.settings.maxMessageBytes, this.#options.session.bodyBytesMax);
  }

  /** Waits for a place, for the record before it of the same key, and for the broker. */
  async #turnOf(index: number, bytes: number): Promise<void> {
    const { settings, session, orderKeys } = this.#options;
    // Filled up again when half of them are confirmed: many messages in a write instead of one.
    if (this.#inFlight.size >= settings.confirmsInFlight) while (this.#inFlight.size > settings.confirmsInFlight / 2) await this.#verdict();
    if (this.#isSuspect(bytes)) await this.#allLanded();
    const key = orderKeys?.[index] ?? null;
    if (key !== null) await this.#lastOfKey.get(key);
    if (this.#stop === null) await session.ready();
  }

  #send(index: number, json: Buffer, headers: Readonly<Record<string, string>>): void {
    const { batch, session, keys, recordIds, orderKeys } = this.#options;
    const message = {
      headers: { ...headers, ...recordHeaders(keys[index]!, recordIds[index]!) },
      messageId: keys[index]!,
      createdAt: batch.cutAt,
      body: json,
    };
    const settled = session.publish(message).then(
      (verdict) => this.#settle(index, verdict),
      (error: unknown) => this.#lose(index, error),
    );
    this.#inFlight.set(index, json.length);
    const land = () => {
      this.#inFlight.delete(index);
      this.#onVerdict();
    };
    const flight = settled.then(land, (error: unknown) => {
      this.#fault ??= { error };
      land();
    });
    const key = orderKeys?.[index] ?? null;
    if (key !== null) this.#lastOfKey.set(key, flight);
  }

  /** The next one of any message. */
  #verdict(): Promise<void> {
    return new Promise((resolve) => {
      this.#onVerdict = resolve;
    });
  }

  #isSuspect(bytes: number): boolean {
    return bytes >= this.#options.suspicion.bytesMin;
  }

  async #allLanded(): Promise<void> {
    while (this.#inFlight.size > 0) await this.#verdict();
  }

  #settle(index: number, verdict: AmqpVerdict): void {
    switch (verdict) {
      case 'taken':
        break;
      case 'full':
        this.#stopAt(index, connectorErrors.E_TARGET_BUSY, 'the queue is full');
        break;
      case 'unprocessed':
        this.#stopAt(index, connectorErrors.E_TARGET_BUSY, 'the broker gave the message back without having processed it');
        break;
      case 'unroutable':
        this.#stopAt(index, connectorErrors.E_TARGET_SETUP, `the queue "${this.#options.settings.queue}" is gone: the message came back`);
        break;
    }
  }

  /** Not taken, and no other would be now. */
  #stopAt(index: number, code: string, message: string): void {
    this.#stop ??= { code, message };
    this.#fail(index, 'retry', code, message);
  }

  /** Handed over, and the session ended before its confirm. */
  #lose(index: number, error: unknown): void {
    if (error instanceof MessageUnsent) {
      const { code, message } = this.#reasonOf(error.reason);
      this.#stopAt(index, code, message);
      return;
    }
    this.#stop ??= this.#reasonOf(error);
    if (isOverMessage(error) && this.#findOut() === 'one') {
      this.#refuse(index);
      return;
    }
    const code = this.#options.signal.aborted ? connectorErrors.E_TARGET_TIMEOUT : connectorErrors.E_TARGET_REPLY_LOST;
    this.#fail(index, 'unknown', code, 'the connection ended before the message was confirmed');
  }

  /**
   * The broker does not say which message it ended the session over. Of several under way the largest are suspected, and go alone from
   * then on, so that each time fewer can be meant, and in the end one.
   */
  #findOut(): 'one' | 'several' {
    if (this.#endedOver === null) {
      this.#endedOver = this.#inFlight.size === 1 ? 'one' : 'several';
      if (this.#endedOver === 'several') this.#options.suspicion.bytesMin = Math.max(...this.#inFlight.values());
    }
    return this.#endedOver;
  }

  #reasonOf(error: unknown): { readonly code: string; readonly message: string } {
    const { session, signal } = this.#options;
    if (signal.aborted) {
      const message = session.isBlocked ? isShort : 'the broker did not confirm in time';
      return { code: connectorErrors.E_TARGET_TIMEOUT, message };
    }
    if (!(error instanceof HeadgateError)) throw error;
    return { code: error.code, message: error.message };
  }

  #refuse(index: number): void {
    this.#fail(index, 'refused', connectorErrors.E_TARGET_RECORD, 'the record is larger than the broker takes');
  }

  #fail(index: number, status: RecordResult['status'], code: string, message: string): void {
    this.#failed.push({ index, status, code, message });
  }
}

function isOverMessage(error: unknown): boolean {
  return error instanceof HeadgateError && error.code === connectorErrors.E_TARGET_RECORD;
}
