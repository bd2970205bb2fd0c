/** The body of an upload as pieces, with a limit on silence: a sender that stalls does not hold a place for ever. */
import type { IncomingMessage } from 'node:http';
import { arrivalErrors } from '../pipeline/arrivals/arrival-errors.ts';
import { HeadgateError } from '../platform/base/errors.ts';

/** Rejects with E_UPLOAD_TIMEOUT when nothing came for `idleMs`, with E_UPLOAD_ABORTED when the sender went away. */
export async function* readBody(message: IncomingMessage, idleMs: number): AsyncGenerator<Uint8Array> {
  let isIdle = false;
  const onIdle = () => {
    isIdle = true;
    message.destroy();
  };
  message.socket.setTimeout(idleMs, onIdle);
  try {
    for await (const piece of message) yield piece as Uint8Array;
  } catch (cause) {
    if (isIdle) throw new HeadgateError(arrivalErrors.E_UPLOAD_TIMEOUT, `nothing came for ${idleMs} ms`, { cause });
    throw new HeadgateError(arrivalErrors.E_UPLOAD_ABORTED, 'the sender went away before the end of the file', { cause });
  } finally {
    message.socket.setTimeout(0);
    message.socket.off('timeout', onIdle);
  }
  if (!message.complete) throw new HeadgateError(arrivalErrors.E_UPLOAD_ABORTED, 'the sender went away before the end of the file');
}
