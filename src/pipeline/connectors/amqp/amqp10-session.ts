/**
 * AMQP 1.0 with the addresses of RabbitMQ 4: a sender link to one queue, whose outcomes say what became of each message. A
 * session never reconnects: one that ended is dropped, and the next attempt makes another.
 */
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import rhea, { type Connection, type EventContext, type Message, type Sender } from 'rhea';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { connectorErrors } from '../connector-errors.ts';
import { sessionFailure } from './amqp-failure.ts';
import { type AmqpLogin, type AmqpMessage, type AmqpSession, type AmqpVerdict, MessageUnsent } from './amqp-session.ts';
import type { AmqpSettings } from './amqp-settings.ts';
import { tlsOptions } from './amqp-socket.ts';

const idleMs = 30_000;
/** Of a message besides its body: properties and headers. */
const envelopeBytes = 4_096;
/** By itself the client tells `modified` as `released`. */
const keepOutcomesApart = { treat_modified_as_released: false };

/** Fails with a HeadgateError; `signal` gives up. */
export async function openAmqp10Session(settings: AmqpSettings, login: AmqpLogin, signal: AbortSignal): Promise<AmqpSession> {
  const session = new Amqp10Session(settings, login);
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

interface Waiting {
  resolve(verdict: AmqpVerdict): void;
  reject(error: HeadgateError | MessageUnsent): void;
}

/** Section 2.5.6: what the client knows of the window of the session, and of the deliveries that it keeps meanwhile. */
interface Outgoing {
  /** Undefined until the broker has opened the session. */
  readonly remote_window: number | undefined;
  /** Number of the first delivery whose last frame was not written. */
  readonly next_pending_delivery: number;
  transfer_window(): number;
}

/** Section 3.4.5: a message that is `modified` was not processed; the node may say that it will never take it. */
function isForThisQueue({ delivery }: EventContext): boolean {
  return (delivery!.remote_state as { readonly undeliverable_here?: boolean } | undefined)?.undeliverable_here !== true;
}

class Amqp10Session implements AmqpSession {
  readonly #settings: AmqpSettings;

  readonly #connection: Connection;

  #sender: Sender | undefined;

  #socket: Socket | undefined;

  #ending: HeadgateError | undefined;

  /** By number of the delivery. */
  readonly #unsettled = new Map<number, Waiting>();

  #handedOver = 0;

  #isOpen = false;

  /** Those that wait for the connection or for credit. */
  #waiting: Omit<PromiseWithResolvers<void>, 'promise'>[] = [];

  constructor(settings: AmqpSettings, login: AmqpLogin) {
    this.#settings = settings;
    const container = rhea.create_container({ id: 'headgate' });
    container.on('error', (error: unknown) => this.#fail(error));
    this.#connection = container.connect({
      // What the client would make of these by itself names no address that was judged.
      connection_details: () => ({ host: login.address, port: settings.port, connect: this.#connector(settings, login) }),
      host: settings.host,
      port: settings.port,
      hostname: `vhost:${settings.vhost}`,
      username: settings.user,
      password: login.password,
      idle_time_out: idleMs,
      reconnect: false,
    });
    this.#listen();
  }

  /** The link is asked for when the connection is open: a broker that refuses the connection resets it over what it has not read. */
  async open(): Promise<void> {
    while (!this.#isOpen) await this.#change();
    this.#sender = this.#connection.open_sender({
      target: { address: `/queues/${encodeURIComponent(this.#settings.queue)}`, durable: 2 },
      snd_settle_mode: 0,
      ...keepOutcomesApart,
    });
    while (this.#credit() <= 0) await this.#change();
  }

  get isBroken(): boolean {
    return this.#ending !== undefined;
  }

  /** RabbitMQ closes the window of the session while it is short of memory or disk. */
  get isBlocked(): boolean {
    return this.#outgoing()?.remote_window === 0;
  }

  get bodyBytesMax(): number {
    const bytes = this.#sender?.max_message_size;
    return typeof bytes === 'number' && bytes > 0 ? Math.max(1, bytes - envelopeBytes) : Number.POSITIVE_INFINITY;
  }

  async ready(): Promise<void> {
    while (!this.#hasRoom()) await this.#change();
    if (this.#ending !== undefined) throw this.#ending;
  }

  async publish({ headers, messageId, createdAt, body }: AmqpMessage): Promise<AmqpVerdict> {
    if (this.#ending !== undefined) throw this.#ending;
    const message = {
      durable: true,
      message_id: messageId,
      content_type: 'application/json',
      creation_time: createdAt.getTime(),
      application_properties: headers,
      body: rhea.message.data_section(body),
    } as unknown as Message;
    const { id } = this.#sender!.send(message);
    this.#handedOver += 1;
    return await new Promise((resolve, reject) => this.#unsettled.set(id, { resolve, reject }));
  }

  /** The broker asked for the right to write when it opened the link. */
  async tryWriting(): Promise<boolean> {
    while (!this.isBlocked && !this.#hasRoom()) await this.#change();
    if (this.#ending !== undefined) throw this.#ending;
    return !this.isBlocked;
  }

  destroy(): void {
    this.#fail(new HeadgateError(connectorErrors.E_TARGET_UNREACHABLE, 'the connection was ended'));
  }

  /** Resolves when the connection has opened or the broker said something: it may have given credit or opened the window. */
  async #change(): Promise<void> {
    if (this.#ending !== undefined) throw this.#ending;
    await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** What the link may still take. */
  #credit(): number {
    return (this.#sender as unknown as { credit: number }).credit - this.#kept();
  }

  /** Handed over and not written yet: the client takes a message off its credit a turn later, or when the window lets it. */
  #kept(): number {
    return this.#handedOver - (this.#sender as unknown as { delivery_count: number }).delivery_count;
  }

  /** In the link and in the window of the session, of which a message takes one frame or more. */
  #hasRoom(): boolean {
    return this.#credit() > 0 && this.#outgoing()!.transfer_window() > this.#kept();
  }

  #outgoing(): Outgoing | undefined {
    return (this.#sender?.session as unknown as { readonly outgoing: Outgoing } | undefined)?.outgoing;
  }

  #connector(settings: AmqpSettings, login: AmqpLogin) {
    return (port: number, host: string, _options: unknown, connected: () => void): Socket => {
      const tls = tlsOptions(settings, login);
      this.#socket = tls === null ? connectPlain({ port, host, noDelay: true }, connected) : connectTls({ port, host, ...tls }, connected);
      // The client hears of an end only when it is announced.
      this.#socket.once('close', () => this.#fail(undefined));
      return this.#socket;
    };
  }

  /** To all that the client would print or throw where nobody listens. */
  #listen(): void {
    const connection = this.#connection;
    const failsBy = (reason: (context: EventContext) => unknown) => (context: EventContext) => void this.#fail(reason(context));
    for (const name of ['connection_error', 'connection_close', 'disconnected'])
      connection.on(
        name,
        failsBy(({ error }) => error),
      );
    for (const name of ['session_error', 'session_close'])
      connection.on(
        name,
        failsBy(({ session }) => session?.error),
      );
    for (const name of ['sender_error', 'sender_close'])
      connection.on(
        name,
        failsBy(({ sender }) => sender?.error),
      );
    for (const name of ['error', 'protocol_error']) connection.on(name, (error: unknown) => void this.#fail(error));
    connection.on('connection_open', () => {
      this.#isOpen = true;
      // Of the window of the session the client tells nothing. Its own listener comes before this one.
      this.#socket!.on('data', () => this.#wake());
      this.#wake();
    });
    connection.on('accepted', (context: EventContext) => this.#settle(context, 'taken'));
    connection.on('rejected', (context: EventContext) => this.#settle(context, 'full'));
    connection.on('released', (context: EventContext) => this.#settle(context, 'unroutable'));
    connection.on('modified', (context: EventContext) => this.#settle(context, isForThisQueue(context) ? 'unprocessed' : 'unroutable'));
  }

  #wake(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #settle({ delivery }: EventContext, verdict: AmqpVerdict): void {
    const waiting = this.#unsettled.get(delivery!.id);
    this.#unsettled.delete(delivery!.id);
    waiting?.resolve(verdict);
  }

  /** The first reason counts. */
  #fail(error: unknown): HeadgateError {
    if (this.#ending === undefined) {
      const ending = sessionFailure(error, this.#settings);
      this.#ending = ending;
      for (const { reject } of this.#waiting.splice(0)) reject(ending);
      const firstKept = this.#outgoing()?.next_pending_delivery ?? 0;
      for (const [id, { reject }] of this.#unsettled) reject(id < firstKept ? ending : new MessageUnsent(ending));
      this.#unsettled.clear();
      this.#drop();
    }
    return this.#ending;
  }

  /** Ends the client's timers with the socket, and lets nothing that is late become an error of the process. */
  #drop(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    (this.#connection as unknown as { abort_socket(socket: Socket): void }).abort_socket(socket);
    socket.on('error', () => {});
    socket.destroy();
  }
}
