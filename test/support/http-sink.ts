/**
 * An HTTP service that keeps what it is sent in a journal, as a downstream of the worst kind: it takes everything, knows no
 * keys, and answers as the test says.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

export interface SinkRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface SinkAnswer {
  readonly status?: number;
  /** A list of names and values in turn may have a name twice. */
  readonly headers?: Record<string, string> | readonly string[];
  readonly body?: string;
  /** Takes the request and ends the connection without an answer. */
  readonly isLost?: boolean;
  /** Never answers. */
  readonly isSilent?: boolean;
}

export type SinkBehaviour = (request: SinkRequest, number: number) => SinkAnswer | Promise<SinkAnswer>;

export async function startHttpSink(behaviour: SinkBehaviour = () => ({})) {
  const requests: SinkRequest[] = [];
  let behave = behaviour;
  const server = createServer((request, response) => void take(request, response));

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of request) pieces.push(piece as Buffer);
    } catch {
      return;
    }
    const taken = { method: request.method!, path: request.url!, headers: request.headers, body: Buffer.concat(pieces).toString() };
    requests.push(taken);
    const answer = await behave(taken, requests.length);
    if (answer.isSilent) return;
    if (answer.isLost) {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status ?? 200, answer.headers as Record<string, string>);
    response.end(answer.body ?? '');
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    requests,
    /** Every line of every request body taken. */
    lines: () => requests.flatMap(({ body }) => body.split('\n').filter((line) => line !== '')),
    answer(next: SinkBehaviour) {
      behave = next;
    },
    close,
  };
}
