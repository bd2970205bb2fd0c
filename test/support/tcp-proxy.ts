/**
 * A TCP proxy that breaks connections on purpose: it watches what the client sends and, when a message matches, cuts before
 * forwarding it, forwards it and never lets the answer through, or only the beginning of it, or keeps it and everything after it
 * while the connection stays open. Each fault is used once.
 */
import { connect, createServer, type Socket } from 'node:net';

export interface ProxyFault {
  /** Looked for in each piece of data that the client sends. */
  readonly match: RegExp;
  readonly how: 'cut-before-forward' | 'forward-and-drop-answer' | 'cut-in-answer' | 'hold';
}

export interface TcpProxy {
  readonly port: number;
  /** Arms the next fault. */
  arm(fault: ProxyFault): void;
  /** Takes an armed fault that was not used away. */
  disarm(): void;
  /** How many faults were used. */
  readonly faultsUsed: number;
  close(): Promise<void>;
}

export interface TcpProxyOptions {
  /** What the client gets for a piece of an answer; `ownPort` is the proxy's. */
  answers?(data: Buffer, ownPort: number): Buffer;
}

export async function startTcpProxy(target: { host: string; port: number }, { answers }: TcpProxyOptions = {}): Promise<TcpProxy> {
  let armed: ProxyFault | undefined;
  let faultsUsed = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target);
    let isDropping = false;
    let isHeld = false;
    let isCutting = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', (data) => {
      if (armed?.match.test(data.toString('latin1'))) {
        const { how } = armed;
        armed = undefined;
        faultsUsed += 1;
        if (how === 'cut-before-forward') {
          upstream.destroy();
          client.destroy();
          return;
        }
        if (how === 'hold') isHeld = true;
        else if (how === 'cut-in-answer') isCutting = true;
        else isDropping = true;
      }
      if (!isHeld) upstream.write(data);
    });
    upstream.on('data', (data: Buffer) => {
      if (isHeld) return;
      const answer = answers?.(data, port) ?? data;
      if (isCutting) client.write(answer, () => client.destroy());
      else if (!isDropping) client.write(answer);
      else client.destroy();
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    arm(fault) {
      armed = fault;
    },
    disarm() {
      armed = undefined;
    },
    get faultsUsed() {
      return faultsUsed;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
