/**
 * A downstream of the story, on this machine: an HTTP service that keeps what it takes in the order in which it came, and that
 * can die and come back. While it is dead nothing listens at its address.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface TakenRecord {
  readonly id: string;
  readonly account: string;
  /** Its request said that it may have come before. */
  readonly isLabelled: boolean;
}

export interface Downstream {
  readonly url: string;
  /** Records in the order in which they came. */
  readonly taken: readonly TakenRecord[];
  die(): Promise<void>;
  comeBack(): Promise<void>;
}

export async function startDownstream(): Promise<Downstream> {
  const taken: TakenRecord[] = [];
  let server: Server | undefined;

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const piece of request.setEncoding('utf8')) text += piece as string;
    if (request.method === 'POST') {
      const isLabelled = request.headers['headgate-possible-duplicate'] === 'true';
      for (const line of text.split('\n')) {
        if (line !== '') taken.push({ ...(JSON.parse(line) as Omit<TakenRecord, 'isLabelled'>), isLabelled });
      }
    }
    response.end();
  }
  async function listen(port: number): Promise<number> {
    const opened = createServer((request, response) => void take(request, response).catch(() => response.destroy()));
    server = opened;
    await new Promise<void>((resolve, reject) => {
      opened.once('error', reject);
      opened.listen(port, '127.0.0.1', resolve);
    });
    return (opened.address() as { port: number }).port;
  }
  const port = await listen(0);
  return {
    url: `http://127.0.0.1:${port}`,
    taken,
    async die() {
      const closed = server;
      server = undefined;
      closed?.closeAllConnections();
      await new Promise<void>((resolve) => (closed === undefined ? resolve() : closed.close(() => resolve())));
    },
    async comeBack() {
      if (server === undefined) await listen(port);
    },
  };
}
