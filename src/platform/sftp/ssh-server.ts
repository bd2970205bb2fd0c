/**
 * The side of SSH that is connected to: lets users in by public key only, and gives them SFTP and nothing else: no shell, no
 * command, no forwarding. Bounds what strangers may take: connections, tries, time. Who a user is and what it may do is the
 * business of whoever starts it.
 */
import { createServer, type Server, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type PublicKeyAuthContext, type SFTPWrapper } from 'ssh2';
import type { Ports } from '../base/ports.ts';
import { ConnectionRoom, type RoomLimits } from './connection-room.ts';
import { fingerprintOf } from './host-keys.ts';
import { sshAlgorithms } from './ssh-algorithms.ts';
import type { UserKey } from './user-keys.ts';

export interface SshServerLimits extends RoomLimits {
  /** From the first byte until a user is in. */
  readonly loginMs: number;
  /** Without a request, and with none in hand. */
  readonly idleMs: number;
}

export interface SshServerOptions<User> {
  readonly host: string;
  readonly port: number;
  /** In OpenSSH's format or PEM. */
  readonly hostKey: string;
  readonly limits: SshServerLimits;
  readonly ports: Ports;
  /** Who has this key under this name; null is answered alike whatever the reason, after the same time. */
  findUser(login: string, fingerprint: string): Promise<{ readonly user: User; readonly key: UserKey } | null>;
  /** A place for the session of a user whose key was proved; null when there is none left. */
  enter(user: User): { readonly leave: () => void } | null;
  serve(user: User, channel: SFTPWrapper, connection: ServedConnection): void;
  /** Not let in, or thrown out before it was. */
  onRefused(reason: 'room' | 'credentials' | 'time' | 'sessions'): void;
  onError(error: unknown): void;
}

/** What whoever serves a channel may do with its connection. */
export interface ServedConnection {
  /** The other side can send no more than what is on its way. */
  pause(): void;
  resume(): void;
  /** A request came. */
  touch(): void;
  end(): void;
  /** Aborted when the connection is gone. */
  readonly closed: AbortSignal;
}

export interface SshServer {
  readonly port: number;
  /** Takes no more connections. */
  stopListening(): void;
  /** Cuts all that are left. */
  close(): Promise<void>;
}

const triesMax = 6;
const lastWordsMs = 1_000;
const channelsMax = 4;
/** Also of those that were closed again. */
const channelsEverMax = 1_000;
/** Every refusal takes this long: what is not there is answered as slowly as what is, and guessing costs time. */
const refusalMs = 300;

/** Rejects with the error of the socket when it can not listen. */
export async function startSshServer<User>(options: SshServerOptions<User>): Promise<SshServer> {
  const room = new ConnectionRoom(options.limits, options.ports.clock);
  const open = new Set<Socket>();
  const ssh = new ssh2.Server({ hostKeys: [options.hostKey], ident: 'Headgate', algorithms: sshAlgorithms as never });
  const waiting = new Map<string, Guest<User>>();
  ssh.on('connection', (client, { ip, port }) => {
    waiting.get(placeOf(ip, port))?.meet(client);
  });
  // Answers are small, and each is waited for.
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    const address = socket.remoteAddress ?? '';
    const stay = room.admit(address);
    if (stay === undefined) {
      options.onRefused('room');
      socket.destroy();
      return;
    }
    open.add(socket);
    const guest = new Guest(options, room, stay, socket);
    const place = placeOf(address, socket.remotePort);
    waiting.set(place, guest);
    socket.once('close', () => {
      open.delete(socket);
      waiting.delete(place);
      guest.leave();
    });
    ssh.injectSocket(socket);
  });
  await listen(server, options);
  return {
    port: (server.address() as { port: number }).port,
    stopListening: () => void server.close(),
    async close() {
      const closed = new Promise<void>((resolve) => {
        if (!server.listening && open.size === 0) resolve();
        server.once('close', () => resolve());
      });
      if (server.listening) server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

function placeOf(address: string, port: number | undefined): string {
  return `${address} ${port}`;
}

function listen(server: Server, { host, port, onError }: Pick<SshServerOptions<unknown>, 'host' | 'port' | 'onError'>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      server.on('error', onError);
      resolve();
    });
  });
}

/** One connection, from its first byte to its last. */
class Guest<User> implements ServedConnection {
  readonly #options: SshServerOptions<User>;
  readonly #room: ConnectionRoom;
  readonly #stay: { enter(): void; leave(): void };
  readonly #socket: Socket;
  readonly #closed = new AbortController();
  #client: Connection | undefined;
  #user: User | undefined;
  #place: { readonly leave: () => void } | null = null;
  #tries = 0;
  #isEnding = false;
  #isRefused = false;
  #channels = 0;
  #channelsEver = 0;
  #pauses = 0;
  #touchedMs: number;

  constructor(options: SshServerOptions<User>, room: ConnectionRoom, stay: { enter(): void; leave(): void }, socket: Socket) {
    this.#options = options;
    this.#room = room;
    this.#stay = stay;
    this.#socket = socket;
    this.#touchedMs = options.ports.clock.monotonicMs();
    void this.#endLateLogin();
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  pause(): void {
    if (this.#pauses++ === 0) this.#socket.pause();
  }

  resume(): void {
    if (--this.#pauses === 0) this.#socket.resume();
  }

  touch(): void {
    this.#touchedMs = this.#options.ports.clock.monotonicMs();
  }

  /** What was answered is sent before, to one that reads. */
  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    if (this.#client === undefined) this.#socket.destroy();
    else this.#client.end();
    void this.#options.ports.sleep.sleep(lastWordsMs, this.#closed.signal).then(() => this.#socket.destroy());
  }

  leave(): void {
    // However many keys it offered before it gave up or was ended.
    if (this.#tries > 0 && this.#user === undefined) this.#refuse('credentials');
    this.#stay.leave();
    this.#place?.leave();
    this.#closed.abort();
  }

  /** Told once for a connection. */
  #refuse(reason: 'credentials' | 'sessions' | 'time'): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    this.#options.onRefused(reason);
  }

  meet(client: Connection): void {
    this.#client = client;
    client.on('error', () => this.end());
    client.on('authentication', (context) => {
      this.#authenticate(context).catch((error: unknown) => {
        this.#options.onError(error);
        this.end();
      });
    });
    client.on('ready', () => {
      this.#stay.enter();
      this.touch();
      void this.#endIdle();
    });
    client.on('session', (accept, reject) => {
      if (++this.#channelsEver > channelsEverMax) return reject();
      accept().on('sftp', (acceptSftp, rejectSftp) => {
        if (this.#channels >= channelsMax) return rejectSftp();
        this.#channels += 1;
        const channel = acceptSftp();
        channel.once('close', () => {
          this.#channels -= 1;
        });
        this.#options.serve(this.#user!, channel, this);
      });
    });
  }

  async #authenticate(context: AuthContext): Promise<void> {
    if (context.method !== 'publickey') return context.reject(['publickey']);
    const { ports, findUser, enter } = this.#options;
    const waited = ports.sleep.sleep(refusalMs, this.#closed.signal);
    const found = await findUser(context.username, fingerprintOf(context.key.data));
    // The client may have given up, or have been cut, meanwhile.
    if (this.#closed.signal.aborted) return;
    // Whether the key would do is asked before it is used.
    if (found !== null && context.signature === undefined) return context.accept();
    if (found !== null && isSigned(found.key, context)) {
      this.#place = enter(found.user);
      if (this.#place !== null) {
        this.#user = found.user;
        return context.accept();
      }
      this.#refuse('sessions');
      return this.end();
    }
    await waited;
    this.#room.countFailure(this.#socket.remoteAddress ?? '');
    if (++this.#tries >= triesMax || found !== null) return this.end();
    context.reject(['publickey']);
  }

  async #endLateLogin(): Promise<void> {
    const { ports, limits } = this.#options;
    await ports.sleep.sleep(limits.loginMs, this.#closed.signal);
    if (this.#closed.signal.aborted || this.#user !== undefined) return;
    this.#refuse('time');
    this.#socket.destroy();
  }

  async #endIdle(): Promise<void> {
    const { ports, limits } = this.#options;
    for (;;) {
      const leftMs = this.#touchedMs + limits.idleMs - ports.clock.monotonicMs();
      if (leftMs <= 0) return this.end();
      await ports.sleep.sleep(leftMs, this.#closed.signal);
      if (this.#closed.signal.aborted) return;
    }
  }
}

/** By the key itself, and not with SHA-1. */
function isSigned({ type }: UserKey, { key, signature, blob, hashAlgo }: PublicKeyAuthContext): boolean {
  if (signature === undefined || blob === undefined || (type === 'ssh-rsa' && hashAlgo === undefined)) return false;
  const parsed = ssh2.utils.parseKey(`${type} ${key.data.toString('base64')}`);
  if (parsed instanceof Error) return false;
  const [only] = Array.isArray(parsed) ? parsed : [parsed];
  return only?.verify(blob, signature, hashAlgo) === true;
}
