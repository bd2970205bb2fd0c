/** HTTP written by hand over a socket: for requests that no client library would send, or not at that pace. */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawConnection {
  readonly socket: Socket;
  /** Resolves once the system has taken it; false when the other side is gone. */
  write(bytes: string | Uint8Array): Promise<boolean>;
  /** The next answer, whole; undefined when the connection ends before one came. */
  answer(): Promise<RawAnswer | undefined>;
  /** When the other side has closed. */
  readonly closed: Promise<void>;
}

export function openConnection(port: number): RawConnection {
  const socket = connect({ host: '127.0.0.1', port });
  let received = Buffer.alloc(0);
  let waiting: (() => void) | undefined;
  const wake = () => waiting?.();
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  socket.on('data', (piece: Buffer) => {
    received = Buffer.concat([received, piece]);
    wake();
  });
  socket.once('close', wake);
  return {
    socket,
    closed,
    write: (bytes) => new Promise((resolve) => socket.write(bytes, (error) => resolve(!error))),
    async answer() {
      for (;;) {
        const parsed = parse(received);
        if (parsed) {
          received = received.subarray(parsed.length);
          return parsed.answer;
        }
        if (socket.closed) return undefined;
        await new Promise<void>((resolve) => {
          waiting = resolve;
        });
      }
    },
  };
}

function parse(bytes: Buffer): { answer: RawAnswer; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const status = Number(first!.split(' ')[1]);
  if (status === 100) return parse(bytes.subarray(end + 4));
  const length = end + 4 + Number(headers['content-length'] ?? 0);
  if (bytes.length < length) return undefined;
  return { answer: { status, headers, body: bytes.toString('utf8', end + 4, length) }, length };
}
