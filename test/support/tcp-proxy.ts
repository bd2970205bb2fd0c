/**
 * A TCP proxy that breaks connections on purpose: it watches what the client sends and, when a message matches, cuts before
 * forwarding it, forwards it and never lets the answer through, or only the beginning of it, keeps it and everything after it
 * while the connection stays open, or answers it by itself. Each fault is used once. It can also be slow, and go down and come up.
 */
import { connect, createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

export interface ProxyFault {
  /** Looked for in each piece of data that the client sends. */
  readonly match: RegExp;
  /** With `answer` that is what the client gets, before its connection ends. */
  readonly how: 'cut-before-forward' | 'forward-and-drop-answer' | 'cut-in-answer' | 'hold' | { readonly answer: string };
}

export interface TcpProxy {
  readonly port: number;
  /** Arms the next fault. */
  arm(fault: ProxyFault): void;
  /** Takes an armed fault that was not used away. */
  disarm(): void;
  /** The connection on which the client has sent so many more bytes is reset on both sides, the rest of them unsent. Once. */
  resetAfter(bytes: number): void;
  /** How many faults were used. */
  readonly faultsUsed: number;
  /** From now on everything goes in pieces of so many bytes, each way, one in a turn of the event loop. */
  slowDown(pieceBytes: number): void;
  /** Ends every connection, and nothing listens any more. */
  goDown(): Promise<void>;
  /** Listens again, at the same port. */
  comeUp(): Promise<void>;
  /** Goes down and comes up in turn, for so long each, whatever is under way. */
  flap(turns: number, ms: number): Promise<void>;
  close(): Promise<void>;
}

export interface TcpProxyOptions {
  /** What the client gets for a piece of an answer; `ownPort` is the proxy's. */
  answers?(data: Buffer, ownPort: number): Buffer;
}

export async function startTcpProxy(target: { host: string; port: number }, { answers }: TcpProxyOptions = {}): Promise<TcpProxy> {
  let armed: ProxyFault | undefined;
  let faultsUsed = 0;
  let bytesToReset = Number.POSITIVE_INFINITY;
  let pieceBytes = Number.POSITIVE_INFINITY;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target);
    let isDropping = false;
    let isHeld = false;
    let isCutting = false;
    const [toClient, toUpstream] = [client, upstream].map((socket) => openWay(socket, () => pieceBytes)) as [Way, Way];
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', (data: Buffer) => {
      bytesToReset -= data.length;
      if (bytesToReset < 0) {
        const sent = data.subarray(0, data.length + bytesToReset);
        bytesToReset = Number.POSITIVE_INFINITY;
        faultsUsed += 1;
        isHeld = true;
        client.pause();
        upstream.write(sent, () => {
          for (const socket of [upstream, client]) socket.resetAndDestroy();
        });
        return;
      }
      if (armed?.match.test(data.toString('latin1'))) {
        const { how } = armed;
        armed = undefined;
        faultsUsed += 1;
        if (how === 'cut-before-forward') {
          upstream.destroy();
          client.destroy();
          return;
        }
        if (typeof how === 'object') {
          isHeld = true;
          client.end(how.answer);
          return;
        }
        if (how === 'hold') isHeld = true;
        else if (how === 'cut-in-answer') isCutting = true;
        else isDropping = true;
      }
      if (!isHeld) toUpstream.write(data);
    });
    upstream.on('data', (data: Buffer) => {
      if (isHeld) return;
      const answer = answers?.(data, port) ?? data;
      if (isCutting) client.write(answer, () => client.destroy());
      else if (!isDropping) toClient.write(answer);
      else client.destroy();
    });
    client.on('close', () => toUpstream.end());
    upstream.on('close', () => toClient.end());
  });
  const listen = (at: number) => new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  const goDown = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  await listen(0);
  const { port } = server.address() as { port: number };
  return {
    port,
    arm(fault) {
      armed = fault;
    },
    disarm() {
      armed = undefined;
    },
    resetAfter(bytes) {
      bytesToReset = bytes;
    },
    get faultsUsed() {
      return faultsUsed;
    },
    slowDown(bytes) {
      pieceBytes = bytes;
    },
    goDown,
    comeUp: () => listen(port),
    async flap(turns, ms) {
      for (let turn = 0; turn < turns; turn++) {
        await goDown();
        await sleep(ms);
        await listen(port);
        await sleep(ms);
      }
    },
    close: goDown,
  };
}

interface Way {
  write(data: Buffer): void;
  /** Once everything has gone. */
  end(): void;
}

function openWay(socket: Socket, pieceBytes: () => number): Way {
  let last = Promise.resolve();
  let waiting = 0;
  async function writePieces(data: Buffer): Promise<void> {
    for (let at = 0; at < data.length && !socket.destroyed; ) {
      const piece = data.subarray(at, at + Math.min(data.length, pieceBytes()));
      socket.write(piece);
      at += piece.length;
      await nextTurn();
    }
    waiting -= 1;
  }
  return {
    write(data) {
      if (waiting === 0 && data.length <= pieceBytes()) {
        socket.write(data);
        return;
      }
      waiting += 1;
      last = last.then(() => writePieces(data));
    },
    end: () => void last.then(() => socket.destroy()),
  };
}
