/**
 * AMQP 0-9-1 as RabbitMQ speaks it: publisher confirms, and the mandatory flag by which a message that no queue takes comes
 * back. A session never reconnects: one that ended is dropped, and the next attempt makes another.
 */
import type { Socket } from 'node:net';
import { scheduler } from 'node:timers/promises';
import { type Channel, Connection, type ReturnedMessage } from 'rabbitmq-client';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Ids } from '../../../platform/base/ports.ts';
import { connectorErrors } from '../connector-errors.ts';
import { nameOf, sessionFailure } from './amqp-failure.ts';
import type { AmqpLogin, AmqpMessage, AmqpSession, AmqpVerdict } from './amqp-session.ts';
import type { AmqpSettings } from './amqp-settings.ts';
import { openBelowTls, reset, tlsOptions } from './amqp-socket.ts';

const heartbeatSeconds = 30;

/** Fails with a HeadgateError; `signal` gives up. */
export async function openRabbitSession(settings: AmqpSettings, login: AmqpLogin, signal: AbortSignal, ids: Ids): Promise<AmqpSession> {
  const session = new RabbitSession(settings, login, ids);
  const end = () => session.destroy();
  signal.addEventListener('abort', end, { once: true });
  try {
    signal.throwIfAborted();
    await session.open();
    return session;
  } catch (error) {
    session.destroy();
    throw sessionFailure(error, settings);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

class RabbitSession implements AmqpSession {
  readonly bodyBytesMax = Number.POSITIVE_INFINITY;

  readonly #settings: AmqpSettings;

  readonly #ids: Ids;

  readonly #connection: Connection;

  /** Below TLS; null: without TLS. */
  readonly #belowTls: Socket | null;

  readonly #connected: Promise<void>;

  #channel: Channel | undefined;

  #ending: HeadgateError | undefined;

  readonly #ended: Promise<never>;

  #end!: (error: HeadgateError) => void;

  /** While the broker is short of memory or disk; else null. */
  #unblocked: Promise<void> | null = null;

  #unblock: () => void = () => {};

  #onBlocked: () => void = () => {};

  /** The first one; nothing of a record is handed over before it. */
  #trial: Promise<void> | undefined;

  readonly #returned = new Set<string>();

  constructor(settings: AmqpSettings, login: AmqpLogin, ids: Ids) {
    this.#settings = settings;
    this.#ids = ids;
    this.#ended = new Promise((_, reject) => {
      this.#end = reject;
    });
    this.#ended.catch(() => {});
    const tls = tlsOptions(settings, login);
    this.#belowTls = tls === null ? null : openBelowTls({ host: login.address, port: settings.port });
    this.#connection = new Connection({
      hostname: login.address,
      port: settings.port,
      username: settings.user,
      password: login.password,
      vhost: settings.vhost,
      connectionName: 'headgate',
      heartbeat: heartbeatSeconds,
      frameMax: 131_072,
      noDelay: true,
      ...(tls === null ? {} : { tls: { ...tls, socket: this.#belowTls! } }),
    });
    this.#connection.on('error', (error: unknown) => this.#fail(error));
    this.#connection.on('connection.blocked', () => this.#block());
    this.#connection.on('connection.unblocked', () => this.#unblock());
    this.#connected = new Promise((resolve) => this.#connection.once('connection', resolve));
  }

  async open(): Promise<void> {
    await this.#orEnded(this.#connected);
    if (this.#settings.createQueue) await this.#createMissing();
    const channel = await this.#orEnded(this.#connection.acquire({ emitErrorsFromChannel: true }));
    this.#channel = channel;
    channel.on('error', (error: unknown) => this.#fail(error));
    // Behind the messages that it was closed over, which tell why.
    channel.on('close', () => void scheduler.yield().then(() => this.#fail(undefined)));
    channel.on('basic.return', ({ messageId }: ReturnedMessage) => void this.#returned.add(messageId ?? ''));
    await this.#orEnded(channel.queueDeclare(this.#asked()));
    await this.#orEnded(channel.confirmSelect());
  }

  /** Passive: asks for the queue and never makes it. */
  #asked() {
    return { queue: this.#settings.queue, passive: true };
  }

  /** One that is there stays as it is, whatever its kind. */
  async #createMissing(): Promise<void> {
    const asking = await this.#orEnded(this.#connection.acquire());
    try {
      await this.#orEnded(asking.queueDeclare(this.#asked()));
      await asking.close();
    } catch (error) {
      if (nameOf(error) !== 'NOT_FOUND') throw error;
      const making = await this.#orEnded(this.#connection.acquire());
      await this.#orEnded(making.queueDeclare({ queue: this.#settings.queue, durable: true, arguments: { 'x-queue-type': 'quorum' } }));
      await making.close();
    }
  }

  get isBroken(): boolean {
    return this.#ending !== undefined;
  }

  get isBlocked(): boolean {
    return this.#unblocked !== null;
  }

  async ready(): Promise<void> {
    if (this.#ending !== undefined) throw this.#ending;
    this.#trial ??= this.#try();
    await this.#trial;
    while (this.#unblocked !== null) await this.#orEnded(this.#unblocked);
  }

  async publish({ headers, messageId, createdAt, body }: AmqpMessage): Promise<AmqpVerdict> {
    if (this.#ending !== undefined) throw this.#ending;
    const envelope = {
      routingKey: this.#settings.queue,
      mandatory: true,
      durable: true,
      contentType: 'application/json',
      messageId,
      timestamp: Math.floor(createdAt.getTime() / 1_000),
      appId: 'headgate',
      headers,
    };
    try {
      await this.#channel!.basicPublish(envelope, body);
    } catch (error) {
      const name = nameOf(error);
      if (name === 'NACK') return 'full';
      throw this.#fail(name === 'PRECONDITION_FAILED' ? endedOverMessage(error) : error);
    }
    // The client tells of a returned message a turn later than of its confirm.
    await scheduler.yield();
    return this.#returned.delete(messageId) ? 'unroutable' : 'taken';
  }

  async tryWriting(): Promise<boolean> {
    if (this.#ending !== undefined) throw this.#ending;
    if (this.isBlocked) return false;
    const blocked = new Promise<false>((resolve) => {
      this.#onBlocked = () => resolve(false);
    });
    const trial = this.#try();
    this.#trial ??= trial;
    return await Promise.race([trial.then(() => true), blocked]);
  }

  /**
   * A message to a queue that nobody has: the broker asks for the right to write first, and gives it back. One that is short of
   * memory or disk does so too, as it blocks a connection by the first message only: then it reads no further, so that the
   * question behind the message is answered when the shortage is over.
   */
  async #try(): Promise<void> {
    const channel = this.#channel!;
    const routingKey = `headgate.probe.${this.#ids.next()}`;
    try {
      await this.#orEnded(channel.basicPublish({ routingKey, messageId: routingKey, mandatory: true }, Buffer.alloc(0)));
      await this.#orEnded(channel.queueDeclare(this.#asked()));
    } catch (error) {
      throw this.#fail(error);
    }
    this.#returned.delete(routingKey);
  }

  destroy(): void {
    this.#fail(new HeadgateError(connectorErrors.E_TARGET_UNREACHABLE, 'the connection was ended'));
  }

  /** The first reason counts. The client would connect again by itself. */
  #fail(error: unknown): HeadgateError {
    if (this.#ending === undefined) {
      this.#ending = sessionFailure(error, this.#settings);
      this.#end(this.#ending);
      reset(this.#belowTls ?? (this.#connection as unknown as { readonly _socket: Socket })._socket);
      this.#connection.unsafeDestroy();
    }
    return this.#ending;
  }

  #block(): void {
    this.#unblocked = new Promise((resolve) => {
      this.#unblock = () => {
        this.#unblocked = null;
        resolve();
      };
    });
    this.#onBlocked();
  }

  /** The client waits for a connection that will not come. */
  #orEnded<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#ended]);
  }
}

/** As for one that is larger than its `max_message_size`, which nothing tells beforehand. */
function endedOverMessage(cause: unknown): HeadgateError {
  const message = 'the broker ended the session over a message that it does not take (PRECONDITION_FAILED)';
  return new HeadgateError(connectorErrors.E_TARGET_RECORD, message, { cause });
}
