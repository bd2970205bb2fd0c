/**
 * What brokers have before them and the mock cluster has not: TLS, and users who prove themselves by SASL PLAIN or SCRAM
 * (RFC 5802, RFC 7677) before anything else is let through. Passes on what comes after to the first broker of a cluster, and
 * names itself in its place.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

export interface KafkaFront {
  readonly port: number;
  /** Which users may come in; may be changed. */
  readonly users: Map<string, string>;
  /** Topics that the cluster knows by another name of the same length: so one gets other partitions. May be changed. */
  readonly topics: Map<string, string>;
  /** How many connections proved themselves. */
  readonly loginsDone: number;
  close(): Promise<void>;
}

export interface KafkaFrontOptions {
  /** host:port */
  readonly broker: string;
  readonly hostName: string;
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly mechanism?: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
}

const apis = { versions: 18, handshake: 17, authenticate: 36 };
const saslFailed = 58;
const mechanismUnknown = 33;

export async function startKafkaFront(options: KafkaFrontOptions): Promise<KafkaFront> {
  const users = new Map<string, string>();
  const topics = new Map<string, string>();
  const sockets = new Set<Socket>();
  let loginsDone = 0;
  const at = options.broker.lastIndexOf(':');
  const [host, port] = [options.broker.slice(0, at), Number(options.broker.slice(at + 1))];
  const server: Server = options.tls === undefined ? createTcpServer(serve) : createTlsServer(options.tls, serve);
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ownPort = (server.address() as { port: number }).port;
  const theirs = placeBytes(host, port);
  const own = placeBytes(options.hostName, ownPort);

  function serve(client: Socket): void {
    const upstream = connect({ host, port });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    const login = options.mechanism === undefined ? null : new Login(options.mechanism, users);
    onFrames(upstream, (frame) => {
      for (const [topic, other] of topics) rename(frame, other, topic);
      client.write(framed(replaced(frame, theirs, own)));
    });
    onFrames(client, (frame) => {
      const api = frame.readInt16BE(0);
      for (const [topic, other] of topics) rename(frame, topic, other);
      if (login === null || login.isDone || api === apis.versions) {
        upstream.write(framed(frame));
        return;
      }
      const answer = login.answer(frame);
      if (login.isDone) loginsDone += 1;
      if (answer === null) client.destroy();
      else client.write(framed(answer));
    });
  }

  return {
    port: ownPort,
    users,
    topics,
    get loginsDone() {
      return loginsDone;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

class Login {
  readonly #mechanism: NonNullable<KafkaFrontOptions['mechanism']>;

  readonly #users: ReadonlyMap<string, string>;

  /** Of SCRAM, after the first message. */
  #scram: { readonly password: string; readonly salt: Buffer; readonly first: string; readonly bare: string } | null = null;

  isDone = false;

  constructor(mechanism: NonNullable<KafkaFrontOptions['mechanism']>, users: ReadonlyMap<string, string>) {
    this.#mechanism = mechanism;
    this.#users = users;
  }

  /** Null: the connection is ended. */
  answer(frame: Buffer): Buffer | null {
    const [api, version, correlation] = [frame.readInt16BE(0), frame.readInt16BE(2), frame.subarray(4, 8)];
    const body = frame.subarray(10 + Math.max(0, frame.readInt16BE(8)));
    if (api === apis.handshake) {
      const asked = body.subarray(2).toString();
      return Buffer.concat([correlation, int16(asked === this.#mechanism ? 0 : mechanismUnknown), int32(1), string(this.#mechanism)]);
    }
    if (api !== apis.authenticate) return null;
    const isFlexible = version >= 2;
    // With a tag buffer before and behind.
    const token = isFlexible ? compactBytes(body.subarray(1)) : body.subarray(4, 4 + body.readInt32BE(0));
    const reply = this.#reply(token.toString());
    const code = int16(reply === null ? saslFailed : 0);
    const bytes = Buffer.from(reply ?? '');
    if (isFlexible)
      return Buffer.concat([correlation, Buffer.of(0), code, Buffer.of(0), varint(bytes.length + 1), bytes, Buffer.alloc(8), Buffer.of(0)]);
    return Buffer.concat([correlation, code, int16(-1), int32(bytes.length), bytes, version >= 1 ? Buffer.alloc(8) : Buffer.alloc(0)]);
  }

  #reply(token: string): string | null {
    if (this.#mechanism === 'PLAIN') {
      const [, user = '', password] = token.split('\0');
      this.isDone = this.#users.has(user) && this.#users.get(user) === password;
      return this.isDone ? '' : null;
    }
    return this.#scram === null ? this.#scramFirst(token) : this.#scramFinal(token);
  }

  #scramFirst(token: string): string | null {
    const bare = token.replace(/^n,[^,]*,/, '');
    const { n = '', r = '' } = attributes(bare);
    const password = this.#users.get(n);
    if (password === undefined) return null;
    const salt = randomBytes(16);
    const first = `r=${r}${randomBytes(12).toString('hex')},s=${salt.toString('base64')},i=4096`;
    this.#scram = { password, salt, first, bare };
    return first;
  }

  #scramFinal(token: string): string | null {
    const { password, salt, first, bare } = this.#scram!;
    const { p = '', r } = attributes(token);
    if (r !== attributes(first)['r']) return null;
    const algorithm = this.#mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512';
    const hmac = (key: Buffer, text: string) => createHmac(algorithm, key).update(text).digest();
    const salted = pbkdf2Sync(password, salt, 4096, algorithm === 'sha256' ? 32 : 64, algorithm);
    const clientKey = hmac(salted, 'Client Key');
    const message = `${bare},${first},${token.replace(/,p=.*$/, '')}`;
    const signature = hmac(createHash(algorithm).update(clientKey).digest(), message);
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]!));
    this.isDone = proof.toString('base64') === p;
    return this.isDone ? `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}` : null;
  }
}

function attributes(text: string): Record<string, string> {
  return Object.fromEntries(text.split(',').map((part) => [part[0]!, part.slice(2)]));
}

function onFrames(socket: Socket, take: (frame: Buffer) => void): void {
  let left = Buffer.alloc(0);
  socket.on('data', (data: Buffer) => {
    left = Buffer.concat([left, data]);
    while (left.length >= 4 && left.length >= 4 + left.readInt32BE(0)) {
      const end = 4 + left.readInt32BE(0);
      take(left.subarray(4, end));
      left = left.subarray(end);
    }
  });
}

const framed = (frame: Buffer) => Buffer.concat([int32(frame.length), frame]);

/** As a place stands in metadata that is not compact, or is, with a length of one byte either way. */
function placeBytes(host: string, port: number): Buffer {
  return Buffer.concat([Buffer.of(host.length), Buffer.from(host), int32(port)]);
}

function replaced(frame: Buffer, from: Buffer, to: Buffer): Buffer {
  // A compact length is one more.
  for (const by of [0, 1]) {
    const [sought, given] = [Buffer.from(from), Buffer.from(to)];
    sought[0]! += by;
    given[0]! += by;
    const at = frame.indexOf(sought);
    if (at >= 0) return Buffer.concat([frame.subarray(0, at), given, frame.subarray(at + sought.length)]);
  }
  return frame;
}

function rename(frame: Buffer, from: string, to: string): void {
  for (let at = frame.indexOf(from); at >= 0; at = frame.indexOf(from, at + 1)) frame.write(to, at);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const string = (text: string) => Buffer.concat([int16(text.length), Buffer.from(text)]);

function varint(value: number): Buffer {
  return value < 128 ? Buffer.of(value) : Buffer.of((value & 0x7f) | 0x80, value >>> 7);
}

function compactBytes(bytes: Buffer): Buffer {
  const isLong = (bytes[0]! & 0x80) !== 0;
  const length = (isLong ? (bytes[0]! & 0x7f) | (bytes[1]! << 7) : bytes[0]!) - 1;
  return bytes.subarray(isLong ? 2 : 1, (isLong ? 2 : 1) + length);
}
