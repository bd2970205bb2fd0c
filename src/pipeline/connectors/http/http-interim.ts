/**
 * Takes interim answers off what a service writes. A client has to take those that it did not ask for (RFC 9110, section 15.2), and the
 * one below ends the connection over `100 Continue`, so that nobody would know what became of any request. Everything else is left as
 * it is, and so is whatever comes behind the head of an answer.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Of one interim answer; what is longer is left to the client. */
const headBytesMax = 16 * 1024;
/** 101 is no interim answer: the connection is another one behind it. */
const interim = /^HTTP\/1\.[01] 1(?:[1-9]\d|0[02-9])(?=[ \r\n])/;
const interimBytes = 12;
/** What may still become the beginning of one. */
const begins = /^H(?:T(?:T(?:P(?:\/(?:1(?:\.(?:[01](?: (?:1(?:\d\d?)?)?)?)?)?)?)?)?)?)?$/;

const nothing = Buffer.alloc(0);

class Answers {
  /** The head of an answer is to come. */
  #isExpected = false;
  #held: Buffer = nothing;

  expect(): void {
    this.#isExpected = true;
    this.#held = nothing;
  }

  /** What is left of a piece, perhaps nothing. */
  pass(piece: Buffer): Buffer {
    if (!this.#isExpected) return piece;
    let bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    for (;;) {
      const start = bytes.toString('latin1', 0, interimBytes + 1);
      const end = interim.test(start) ? endOfHead(bytes) : null;
      if (end === null && !begins.test(start)) break;
      if (end === null || end < 0) {
        if (bytes.length > headBytesMax) break;
        this.#held = bytes;
        return nothing;
      }
      bytes = bytes.subarray(end);
      if (bytes.length === 0) {
        this.#held = nothing;
        return nothing;
      }
    }
    this.#isExpected = false;
    this.#held = nothing;
    return bytes;
  }
}

/** Negative: it is not all there. */
function endOfHead(bytes: Buffer): number {
  const found = /\r?\n\r?\n/.exec(bytes.toString('latin1', 0, headBytesMax));
  return found === null ? -1 : found.index + found[0].length;
}

const bySocket = new WeakMap<object, Answers>();

subscribe('undici:client:sendHeaders', (message) => {
  bySocket.get((message as { readonly socket: object }).socket)?.expect();
});

/** Of a connection that was just made, before the client reads from it. */
export function withoutInterimAnswers<Connected extends Socket>(socket: Connected): Connected {
  const answers = new Answers();
  bySocket.set(socket, answers);
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
  socket.read = (size?: number): Buffer | null => {
    for (;;) {
      const piece = read(size);
      if (piece === null || piece.length === 0) return piece;
      const left = answers.pass(piece);
      if (left.length > 0) return left;
    }
  };
  return socket;
}
