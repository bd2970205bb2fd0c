/**
 * One connection to one broker, over the client's own connection and protocol, to an address that the guard let through. The
 * client's timeouts only end what nobody waits for any more: whoever waits is let go when the connection ends, and the
 * deadline of the attempt ends it. It never reconnects.
 */
import { isIP, type Socket } from 'node:net';
import { Connection, type ConnectionOptions } from '@platformatic/kafka';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { AddressGuard } from '../address-guard.ts';
import { connectorErrors } from '../connector-errors.ts';
import type { SessionSecrets } from '../session-pool.ts';
import { connectionFailure } from './kafka-failure.ts';
import { type Api, type ApiName, chooseApis, readVersions } from './kafka-protocol.ts';
import type { BrokerPlace, KafkaSettings } from './kafka-settings.ts';

/** Answers are offsets and the places of one topic's partitions. */
const answerBytesMax = 8 * 1024 * 1024;
const keepAliveMs = 30_000;

export interface BrokerContext {
  readonly settings: KafkaSettings;
  readonly guard: AddressGuard;
  readonly secrets: SessionSecrets;
}

/** Tries every address of the broker in order. Fails with a HeadgateError; `signal` gives up. */
export async function openBroker(place: BrokerPlace, context: BrokerContext, signal: AbortSignal): Promise<KafkaBroker> {
  const addresses = await context.guard.addressesOf(place.host);
  let failure = new HeadgateError(connectorErrors.E_TARGET_UNREACHABLE, 'the broker has no address');
  for (const address of addresses) {
    const broker = new KafkaBroker(place, context);
    const end = () => broker.destroy();
    signal.addEventListener('abort', end, { once: true });
    try {
      signal.throwIfAborted();
      await broker.open(address);
      return broker;
    } catch (error) {
      broker.destroy();
      failure = connectionFailure(error);
      if (failure.code !== connectorErrors.E_TARGET_UNREACHABLE || signal.aborted) throw failure;
    } finally {
      signal.removeEventListener('abort', end);
    }
  }
  throw failure;
}

export class KafkaBroker {
  readonly place: BrokerPlace;

  readonly #connection: Connection;

  /** Whoever waits for an answer. */
  readonly #waiting = new Set<(error: HeadgateError) => void>();

  #ending: HeadgateError | undefined;

  #apis!: Readonly<Record<ApiName, Api>>;

  #answerBytes = 0;

  constructor(place: BrokerPlace, context: BrokerContext) {
    this.place = place;
    this.#connection = new Connection('headgate', connectionOptions(place, context));
    this.#connection.on('error', (error: unknown) => void this.#fail(error));
    this.#connection.on('close', () => void this.#fail(undefined));
  }

  get isBroken(): boolean {
    return this.#ending !== undefined;
  }

  async open(address: string): Promise<void> {
    const connected = this.#connection.connect(address, this.place.port) as Promise<void>;
    const { socket } = this.#connection;
    socket.setKeepAlive(true, keepAliveMs);
    socket.on('data', ({ length }: Buffer) => {
      this.#answerBytes += length;
      if (this.#answerBytes > answerBytesMax)
        this.#fail(new HeadgateError(connectorErrors.E_TARGET_ANSWER, 'the broker sends more than its answer can be'));
    });
    await this.#orEnded(connected);
    this.#apis = chooseApis(await this.#orEnded(readVersions(this.#connection)));
  }

  /** Rejects with a HeadgateError when the connection ends first, and with the client's own error for an answer that tells of one. */
  async request<Answer>(name: ApiName, args: readonly unknown[]): Promise<Answer> {
    if (this.#ending !== undefined) throw this.#ending;
    this.#answerBytes = 0;
    return (await this.#orEnded(this.#apis[name].async(this.#connection, ...args))) as Answer;
  }

  /** At once and without a farewell. */
  destroy(): void {
    this.#fail(new HeadgateError(connectorErrors.E_TARGET_UNREACHABLE, 'the connection was ended'));
  }

  /** The first reason counts. */
  #fail(error: unknown): void {
    if (this.#ending !== undefined) return;
    this.#ending = connectionFailure(error);
    for (const reject of this.#waiting) reject(this.#ending);
    this.#waiting.clear();
    const socket = this.#connection.socket as Socket | undefined;
    // The client's own end lets go of its timers; what is late must not become an error of the process.
    void this.#connection.close(() => {});
    socket?.on('error', () => {});
    socket?.destroy();
  }

  /** A race with one promise for the whole life of the connection would remember every request. */
  async #orEnded<T>(promise: Promise<T>): Promise<T> {
    const { promise: ended, reject } = Promise.withResolvers<never>();
    this.#waiting.add(reject);
    try {
      if (this.#ending !== undefined) throw this.#ending;
      return await Promise.race([promise, ended]);
    } finally {
      this.#waiting.delete(reject);
      promise.catch(() => {});
    }
  }
}

/** `connectTimeout`: another broker has its turn within the same attempt. */
function connectionOptions({ host }: BrokerPlace, { settings, secrets }: BrokerContext): ConnectionOptions {
  const { tls, sasl, timeoutMs } = settings;
  return {
    connectTimeout: Math.ceil(timeoutMs / 3),
    requestTimeout: 2 * timeoutMs,
    ...(tls === 'disable'
      ? {}
      : {
          tls: {
            rejectUnauthorized: tls === 'verify-full',
            ...(secrets.certificateAuthority === null ? {} : { ca: secrets.certificateAuthority }),
          },
          ...(isIP(host) === 0 && !host.startsWith('[') ? { tlsServerName: host } : {}),
        }),
    ...(sasl === 'none' ? {} : { sasl: { mechanism: mechanisms[sasl], username: settings.user!, password: secrets.password } }),
  };
}

const mechanisms = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const;
