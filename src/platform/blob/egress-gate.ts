/**
 * OpenDAL resolves names and connects by itself, where no address can be judged. It has one HTTP client for the whole process,
 * which goes through the proxy that the environment names when the client is made: this one. So whatever a service, its name or
 * its redirections lead to, a connection is made only to a host that is admitted at that moment, and there only to an address
 * that its judge has allowed for this very connection. TLS passes through and is checked end to end. Nobody else on the machine
 * can use the gate: it asks for a password that only this process knows.
 */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request as requestHttp, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Destination } from './blob-service.ts';

/** Addresses of a host that may be connected to, at least one. Rejects when there is none, or any is forbidden. */
export type AddressesOf = (host: string) => Promise<readonly string[]>;

export interface EgressGate {
  readonly proxyUrl: string;
  /** How many requests have come through that knew the password. */
  readonly passed: number;
  /** Until `end`, what leads to the host and port is connected to. One host may be admitted several times, with judges of its own. */
  admit(destination: Destination, addressesOf: AddressesOf): Admission;
}

export interface Admission {
  /** Connections to the host that were not made, and why the last was not: what the judge said, or the network. */
  readonly failures: number;
  readonly lastFailure: unknown;
  /** From now on: what comes from the host and port, over all connections to it. */
  count(): ReceivedCount;
  end(): void;
}

export interface ReceivedCount {
  bytesSince(): number;
  /**
   * Those that brought something since, but less than so much, and asked for nothing: they are in the middle of one answer. Others are sending, or
   * asked for little, or are idle, perhaps for another tenant.
   */
  cutSlow(bytesMin: number): void;
}

/** Connections to one host and port. */
interface Traffic {
  readonly open: Set<Socket>;
  /** Of those that are closed. */
  closedBytes: number;
}

interface Judge {
  readonly addressesOf: AddressesOf;
  failures: number;
  lastFailure: unknown;
}

const connectionsMax = 1_024;
const addressesMax = 3;
const connectMs = 10_000;

/** On a port of the loopback interface; holds no process open. */
export async function openEgressGate(password: string): Promise<EgressGate> {
  const admitted = new Map<string, Set<Judge>>();
  const expected = Buffer.from(`Basic ${Buffer.from(`headgate:${password}`).toString('base64')}`);
  const traffics = new Map<string, Traffic>();
  let passed = 0;

  /** Forgotten when nobody is admitted there any more and the last connection is closed. */
  function trafficOf(key: string): Traffic {
    const traffic = traffics.get(key) ?? { open: new Set(), closedBytes: 0 };
    traffics.set(key, traffic);
    return traffic;
  }

  function follow(socket: Socket, key: string): Socket {
    const traffic = trafficOf(key);
    traffic.open.add(socket);
    socket.once('close', () => {
      traffic.open.delete(socket);
      traffic.closedBytes += socket.bytesRead;
      forget(key);
    });
    return socket;
  }

  function forget(key: string): void {
    if (!admitted.has(key) && traffics.get(key)?.open.size === 0) traffics.delete(key);
  }

  function isKnown(request: IncomingMessage): boolean {
    const given = Buffer.from(request.headers['proxy-authorization'] ?? '');
    const isRight = given.length === expected.length && timingSafeEqual(given, expected);
    if (isRight) passed += 1;
    return isRight;
  }

  /** Rejects when no judge lets it be connected to, and when nothing answers there. */
  async function connectTo(host: string, port: number): Promise<Socket> {
    let failure: unknown = new Error('the host is not admitted');
    for (const judge of [...(admitted.get(keyOf({ host, port })) ?? [])]) {
      try {
        return follow(await connectToFirst((await judge.addressesOf(host)).slice(0, addressesMax), port), keyOf({ host, port }));
      } catch (error) {
        failure = error;
        judge.failures += 1;
        judge.lastFailure = error;
      }
    }
    throw failure;
  }

  function forward(request: IncomingMessage, response: ServerResponse): void {
    const url = isKnown(request) ? URL.parse(request.url ?? '') : null;
    if (url?.protocol !== 'http:') return void response.writeHead(407, refusedHeader).end();
    const { 'proxy-authorization': _password, 'proxy-connection': _connection, connection: _own, ...headers } = request.headers;
    const host = url.hostname;
    const port = Number(url.port || 80);
    let isConnected = true;
    const outgoing = requestHttp({
      host,
      port,
      method: request.method,
      path: url.pathname + url.search,
      headers,
      createConnection: (_options, done) => {
        void connectTo(host, port).then(
          (socket) => done(null, socket),
          (error: Error) => {
            isConnected = false;
            done(error, undefined as never);
          },
        );
        return undefined;
      },
    });
    outgoing.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, leadingNowhereElse(answer.headers, url));
      answer.pipe(response);
      answer.once('aborted', () => response.destroy());
    });
    outgoing.once('error', () => {
      if (isConnected) response.destroy();
      else response.writeHead(502, refusedHeader).end();
    });
    response.once('close', () => outgoing.destroy());
    request.pipe(outgoing);
  }

  async function tunnel(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    client.on('error', () => client.destroy());
    const url = isKnown(request) ? URL.parse(`https://${request.url ?? ''}`) : null;
    if (url === null) return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    try {
      const server = await connectTo(url.hostname, Number(url.port || 443));
      server.on('error', () => server.destroy());
      client.once('close', () => server.destroy());
      server.once('close', () => client.destroy());
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      if (head.length > 0) server.write(head);
      server.pipe(client);
      client.pipe(server);
    } catch {
      client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    }
  }

  const server = createServer({ keepAliveTimeout: 120_000 }, forward);
  server.maxConnections = connectionsMax;
  server.requestTimeout = 0;
  server.on('connect', (request, client, head) => void tunnel(request, client, head));
  server.on('connection', (socket) => socket.unref());
  server.unref();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    proxyUrl: `http://headgate:${password}@127.0.0.1:${(server.address() as AddressInfo).port}`,
    get passed() {
      return passed;
    },
    admit(destination, addressesOf) {
      const key = keyOf(destination);
      const judge: Judge = { addressesOf, failures: 0, lastFailure: undefined };
      const judges = admitted.get(key) ?? new Set();
      admitted.set(key, judges.add(judge));
      return {
        get failures() {
          return judge.failures;
        },
        get lastFailure() {
          return judge.lastFailure;
        },
        count: () => countOf(trafficOf(key)),
        end() {
          judges.delete(judge);
          if (judges.size === 0 && admitted.get(key) === judges) admitted.delete(key);
          forget(key);
        },
      };
    },
  };
}

const refusedHeader = { 'x-headgate-gate': 'refused' };

/** No host of this name is ever admitted (RFC 2606). */
const nowhere = 'http://gate.invalid/';

/** What a service answers without TLS leads to no other host, also not to one that somebody else has admitted. */
function leadingNowhereElse(headers: IncomingHttpHeaders, asked: URL): IncomingHttpHeaders {
  if (headers.location === undefined || URL.parse(headers.location, asked)?.origin === asked.origin) return headers;
  return { ...headers, location: nowhere };
}

function countOf(traffic: Traffic): ReceivedCount {
  const before = new Map([...traffic.open].map((socket) => [socket, { read: socket.bytesRead, written: socket.bytesWritten }]));
  const received = () => [...traffic.open].reduce((sum, socket) => sum + socket.bytesRead, traffic.closedBytes);
  const receivedBefore = received();
  return {
    bytesSince: () => received() - receivedBefore,
    cutSlow(bytesMin) {
      for (const [socket, { read, written }] of before) {
        const bytes = socket.bytesRead - read;
        if (bytes > 0 && bytes < bytesMin && socket.bytesWritten === written) socket.destroy();
      }
    },
  };
}

function keyOf({ host, port }: Destination): string {
  return `${host.toLowerCase()}:${port}`;
}

async function connectToFirst(addresses: readonly string[], port: number): Promise<Socket> {
  let failure: unknown = new Error('the host has no address');
  for (const address of addresses) {
    try {
      return await connectToAddress(address, port);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function connectToAddress(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, timeout: connectMs });
    socket.unref();
    socket.once('timeout', () => socket.destroy(new Error('not connected in time')));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
