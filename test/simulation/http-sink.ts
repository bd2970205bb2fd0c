/**
 * A downstream service as a process of its own: it writes every request that it takes into its journal and syncs that
 * before it answers. Arguments: path of the journal, seed. It prints its port as one JSON line.
 *
 * `/batch` takes NDJSON, `/results` takes NDJSON and answers for each record, `/single` takes one JSON object. Records whose
 * note is `refuse` are refused by the last two. Now and then it is busy (503) and takes nothing.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { openJournal } from './journal.ts';
import { seededRandom } from './seeded-random.ts';
import type { SinkEntry } from './sink-entry.ts';

const busyShare = 0.02;

const [journalPath, seed] = process.argv.slice(2);
const journal = await openJournal(journalPath!);
const random = seededRandom(Number(seed));

interface SinkRecord {
  readonly id: string;
  readonly note?: string | null;
}

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'OPTIONS') return answer(response, 204);
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const text = Buffer.concat(pieces).toString('utf8');
  if (random.isTrue(busyShare)) return answer(response, 503);
  const path = request.url ?? '/';
  const records = (path === '/single' ? [text] : text.split('\n').filter((line) => line !== '')).map(
    (line) => JSON.parse(line) as SinkRecord,
  );
  const isRefused = (record: SinkRecord) => path !== '/batch' && record.note === 'refuse';
  const taken = records.filter((record) => !isRefused(record));
  const entry: SinkEntry = {
    path,
    key: header(request, 'idempotency-key'),
    isLabelled: header(request, 'headgate-possible-duplicate') === 'true',
    attempt: Number(header(request, 'headgate-attempt')),
    batchId: header(request, 'headgate-batch-id'),
    ids: taken.map(({ id }) => id),
  };
  if (taken.length > 0) await journal.append(entry);
  if (path === '/single') return answer(response, taken.length > 0 ? 200 : 422);
  if (path === '/batch') return answer(response, 200);
  const results = records.map((record, index) => ({
    index,
    ...(isRefused(record) ? { status: 'refused', code: 'NO_SUCH' } : { status: 'ok' }),
  }));
  answer(response, 200, { results });
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

function answer(response: ServerResponse, status: number, body?: object): void {
  response.writeHead(status, body ? { 'content-type': 'application/json' } : {});
  response.end(body ? JSON.stringify(body) : undefined);
}

const server = createServer((request, response) => {
  take(request, response).catch((error: unknown) => {
    // A request that was cut off was never taken.
    if (!request.complete) response.destroy();
    else {
      process.stderr.write(`sink: ${String(error)}\n`);
      answer(response, 500);
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as { port: number }).port })}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
