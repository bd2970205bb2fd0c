/**
 * The body of an upload as pieces, with a limit on silence: a sender that stalls does not hold a place for ever. Where the
 * rest of a body is not wanted, the answer still reaches a sender that is busy sending, within limits.
 */
import type { IncomingMessage } from 'node:http';
import { arrivalErrors } from '../pipeline/arrivals/arrival-errors.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { freeBytes } from '../platform/base/freed-bytes.ts';
import type { Sleep } from '../platform/base/ports.ts';

/**
 * Rejects with E_UPLOAD_TIMEOUT when nothing came for `idleMs` while it was waited for, with E_UPLOAD_ABORTED when the sender went
 * away, with E_DIGEST_HEADER when a digest came behind it. Whoever stops early leaves the connection open, so that it can be answered. A piece is only valid until the next one is asked for.
 */
export async function* readBody(message: IncomingMessage, idleMs: number): AsyncGenerator<Uint8Array> {
  const pieces = message.iterator({ destroyOnReturn: false });
  const idle = Promise.withResolvers<never>();
  idle.promise.catch(() => undefined);
  const { socket } = message;
  let isWaiting = false;
  const onIdle = () => {
    if (isWaiting) idle.reject(new HeadgateError(arrivalErrors.E_UPLOAD_TIMEOUT, `nothing came for ${idleMs} ms`));
  };
  // A listener on the message keeps the server from cutting the socket itself, before anything was answered.
  message.on('timeout', onIdle);
  try {
    for (;;) {
      // From now on: what the last piece took is not the sender's time.
      socket.setTimeout(idleMs);
      isWaiting = true;
      const next = await Promise.race([pieces.next(), idle.promise]);
      isWaiting = false;
      if (next.done) break;
      const piece = next.value as Uint8Array<ArrayBuffer>;
      yield piece;
      freeBytes(piece);
    }
  } catch (cause) {
    if (cause instanceof HeadgateError) throw cause;
    throw new HeadgateError(arrivalErrors.E_UPLOAD_ABORTED, 'the sender went away before the end of the file', { cause });
  } finally {
    socket.setTimeout(0);
    message.off('timeout', onIdle);
    // Not awaited: it waits for a piece that may never come.
    void pieces.return?.(undefined);
  }
  if (!message.complete) throw new HeadgateError(arrivalErrors.E_UPLOAD_ABORTED, 'the sender went away before the end of the file');
  // One that was not announced.
  if ('repr-digest' in message.trailers || 'content-digest' in message.trailers) throw digestBehind();
}

/** The digest is compared when the last byte has come: what it must be has to be known before. */
export function digestBehind(): HeadgateError {
  return new HeadgateError(arrivalErrors.E_DIGEST_HEADER, 'a digest comes as a trailer, behind the body; send it as a header');
}

const unwantedBytesMax = 8 * 1024 * 1024;
const unwantedMs = 5_000;

/** Reads on for a while after the answer, then cuts: closing at once would make the sender lose the answer. */
export async function dropRest(message: IncomingMessage, sleep: Sleep): Promise<void> {
  if (message.complete || message.destroyed) return;
  const ended = new AbortController();
  let bytes = 0;
  const stop = () => ended.abort();
  message.on('data', (piece: Uint8Array) => {
    bytes += piece.length;
    if (bytes > unwantedBytesMax) stop();
  });
  message.once('end', stop);
  message.once('close', stop);
  message.resume();
  await sleep.sleep(unwantedMs, ended.signal);
  if (!message.complete) message.socket.destroy();
}
