/**
 * Sends a file as the body of a POST. It goes through a few buffers that are used again, one being read while another is on its way:
 * as a stream of chunks, each a buffer of its own, a big file took a third more processor time.
 */
import type { FileHandle } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface UploadBody {
  /** As many are sent. */
  readonly bytes: number;
  /** How many were read, 0 only at the end. */
  read(into: Buffer, length: number, position: number): Promise<number>;
}

export function bodyOfFile(handle: FileHandle, bytes: number): UploadBody {
  return { bytes, read: async (into, length, position) => (await handle.read(into, 0, length, position)).bytesRead };
}

export function bodyOfBytes(bytes: Buffer): UploadBody {
  return { bytes: bytes.length, read: async (into, length, position) => bytes.copy(into, 0, position, position + length) };
}

export interface UploadResponse {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

/** The file can't be read to its end; the cause is what reading failed with. */
export class FileReadError extends Error {}

/** The server took everything and says nothing. */
export class UnansweredError extends Error {}

const bufferBytes = 256 * 1024;
const buffersMax = 4;
const idleMsDefault = 300_000;
/** Of what is answered with a list of members. */
const answerBytesMax = 64 * 1024 * 1024;

/**
 * An answer that comes before the end of the file ends the sending. Rejects with FileReadError, UnansweredError, and with the errors of the
 * connection.
 */
export async function uploadFile(
  url: string,
  body: UploadBody,
  headers: Readonly<Record<string, string>>,
  idleMs = idleMsDefault,
): Promise<UploadResponse> {
  const open = url.startsWith('https:') ? requestHttps : requestHttp;
  const request = open(url, { method: 'POST', headers: { ...headers, 'content-length': String(body.bytes) } });
  const over = new AbortController();
  const answered = new Promise<UploadResponse>((resolve, reject) => {
    request.once('response', (response) => {
      over.abort();
      readAnswer(response).then(resolve, reject);
    });
    request.on('error', reject);
    request.setTimeout(idleMs, () => request.destroy(new UnansweredError('no answer came')));
  });
  const sent = sendBody(request, body, over.signal).catch((error: unknown) => {
    // What the server had to say about it comes first.
    if (!over.signal.aborted) throw error;
  });
  try {
    // Whichever fails first; the other one's failure follows from it.
    const [response] = await Promise.all([answered, sent]);
    return response;
  } finally {
    over.abort();
    request.destroy();
  }
}

/** Ends early at the signal. */
async function sendBody(request: ClientRequest, body: UploadBody, over: AbortSignal): Promise<void> {
  const { bytes } = body;
  const free = Array.from({ length: Math.min(buffersMax, Math.ceil(bytes / bufferBytes)) }, () =>
    Buffer.allocUnsafeSlow(Math.min(bufferBytes, bytes)),
  );
  let failure: Error | undefined;
  let wake = () => {};
  over.addEventListener('abort', () => wake(), { once: true });
  const wait = () => new Promise<void>((resolve) => (wake = resolve));
  request.once('close', () => {
    failure ??= new Error('the connection was closed');
    wake();
  });
  for (let position = 0; position < bytes; ) {
    while (free.length === 0 && failure === undefined && !over.aborted) await wait();
    if (over.aborted) return;
    if (failure !== undefined) throw failure;
    const buffer = free.pop()!;
    const bytesRead = await readPiece(body, buffer, Math.min(buffer.length, bytes - position), position);
    position += bytesRead;
    request.write(buffer.subarray(0, bytesRead), (error) => {
      if (error) failure ??= error;
      free.push(buffer);
      wake();
    });
  }
  request.end();
}

async function readPiece(body: UploadBody, buffer: Buffer, length: number, position: number): Promise<number> {
  let bytesRead: number;
  try {
    bytesRead = await body.read(buffer, length, position);
  } catch (cause) {
    throw new FileReadError('the file can not be read', { cause });
  }
  if (bytesRead === 0) throw new FileReadError('the file was shortened while it was sent');
  return bytesRead;
}

async function readAnswer(response: IncomingMessage): Promise<UploadResponse> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > answerBytesMax) throw new Error(`the answer has more than ${answerBytesMax} bytes`);
    pieces.push(piece);
  }
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'] ?? '',
    text: Buffer.concat(pieces).toString('utf8'),
  };
}
