/**
 * One HTTP request of a command. Of Node's own client, which is there at once: `fetch` is loaded and compiled by each process that calls it.
 * A big body goes through a few buffers that are used again, one being read while another is on its way: as a stream of chunks, each a buffer
 * of its own, a file took half as much processor time again.
 */
import type { FileHandle } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface HttpBody {
  /** As many are sent. */
  readonly bytes: number;
  /** How many were read, 0 only at the end. */
  read(into: Buffer, length: number, position: number): Promise<number>;
}

/** `onRead`: of each piece, with the bytes up to its end. */
export function bodyOfFile(handle: FileHandle, bytes: number, onRead: (done: number) => void = () => {}): HttpBody {
  async function read(into: Buffer, length: number, position: number): Promise<number> {
    const { bytesRead } = await handle.read(into, 0, length, position);
    onRead(position + bytesRead);
    return bytesRead;
  }
  return { bytes, read };
}

export function bodyOfBytes(bytes: Buffer): HttpBody {
  return { bytes: bytes.length, read: async (into, length, position) => bytes.copy(into, 0, position, position + length) };
}

export interface HttpCall {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
  /** For the connection without a byte in either direction. */
  readonly idleMs?: number;
}

/** Redirects are answers like others. `pieces` must be read, and fail where the connection ends before the answer does. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly etag: string | null;
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Of an answer whose pieces nobody wants: nothing waits for them. */
  close(): void;
}

/** The file can't be read to its end; the cause is what reading failed with. */
export class FileReadError extends Error {}

/** The server took everything and says nothing. */
export class UnansweredError extends Error {}

const bufferBytes = 256 * 1024;
const buffersMax = 4;
const idleMsDefault = 300_000;
/** Of what is read as a whole, such as a page of a list. */
const textBytesMax = 256 * 1024 * 1024;

/**
 * An answer that comes before the end of the body ends the sending. Rejects with FileReadError, UnansweredError, and with the errors of the
 * connection.
 */
export async function callHttp(url: string, { method, headers, body, idleMs = idleMsDefault }: HttpCall): Promise<HttpAnswer> {
  const open = url.startsWith('https:') ? requestHttps : requestHttp;
  const length = body === undefined ? {} : { 'content-length': String(body.bytes) };
  const request = open(url, { method, headers: { ...headers, ...length }, timeout: idleMs });
  const over = new AbortController();
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', (response) => {
      over.abort();
      if (!request.writableEnded) response.once('close', () => request.destroy());
      resolve(response);
    });
    request.on('error', reject);
    request.once('timeout', () => request.destroy(new UnansweredError('no answer came')));
  });
  const sent = sendBody(request, body, over.signal).catch((error: unknown) => {
    // What the server had to say about it comes first.
    if (!over.signal.aborted) throw error;
  });
  try {
    // Whichever fails first; the other one's failure follows from it.
    const [response] = await Promise.all([answered, sent]);
    return {
      status: response.statusCode ?? 0,
      contentType: response.headers['content-type'] ?? '',
      etag: response.headers.etag ?? null,
      pieces: response,
      close: () => void response.destroy(),
    };
  } catch (error) {
    over.abort();
    request.destroy();
    throw error;
  }
}

export async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const read: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > textBytesMax) throw new Error(`the answer has more than ${textBytesMax} bytes`);
    read.push(piece);
  }
  return Buffer.concat(read).toString('utf8');
}

/** Ends early at the signal. */
async function sendBody(request: ClientRequest, body: HttpBody | undefined, over: AbortSignal): Promise<void> {
  const bytes = body?.bytes ?? 0;
  const free = Array.from({ length: Math.min(buffersMax, Math.ceil(bytes / bufferBytes)) }, () =>
    Buffer.allocUnsafeSlow(Math.min(bufferBytes, bytes)),
  );
  let failure: Error | undefined;
  let wake = () => {};
  over.addEventListener('abort', () => wake(), { once: true });
  request.once('close', () => {
    failure ??= new Error('the connection was closed');
    wake();
  });
  for (let position = 0; position < bytes; ) {
    while (free.length === 0 && failure === undefined && !over.aborted) await new Promise<void>((resolve) => (wake = resolve));
    if (over.aborted) return;
    if (failure !== undefined) throw failure;
    const buffer = free.pop()!;
    const bytesRead = await readPiece(body!, buffer, Math.min(buffer.length, bytes - position), position);
    position += bytesRead;
    request.write(buffer.subarray(0, bytesRead), (error) => {
      if (error) failure ??= error;
      free.push(buffer);
      wake();
    });
  }
  request.end();
}

async function readPiece(body: HttpBody, buffer: Buffer, length: number, position: number): Promise<number> {
  let bytesRead: number;
  try {
    bytesRead = await body.read(buffer, length, position);
  } catch (cause) {
    throw new FileReadError('the file can not be read', { cause });
  }
  if (bytesRead === 0) throw new FileReadError('the file was shortened while it was sent');
  return bytesRead;
}
