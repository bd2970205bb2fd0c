/**
 * An export that only an auditor can read: the archive in frames under a fresh data key, which is wrapped to the auditor's
 * public key (ephemeral X25519, HKDF-SHA-256, AES-256-GCM). Each frame is bound to the header, its place and whether it is
 * the last, so that nothing can be cut, reordered or joined unnoticed. It hides content; what is true is the receipt's affair.
 */
import { createCipheriv, createDecipheriv, createHash, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Rng } from '../../../platform/base/ports.ts';
import { canonicalJson } from '../canonical-json.ts';
import { ledgerErrors } from '../ledger-errors.ts';
import { type AuditorKey, auditorKeyFrom, makeEphemeralKey } from './auditor-key.ts';

/** First line of a sealed export; the second is the header. */
export const sealedExportMagic = 'headgate-sealed-export/1\n';
const frameBytes = 256 * 1024;
const tagBytes = 16;
const headerBytesMax = 1024;
/** Top bit of a frame's length. */
const lastFlag = 0x8000_0000;

interface Header {
  /** Thumbprint of the auditor's key. */
  readonly to: string;
  /** Public key of the pair for this export, and the wrapped data key; base64url. */
  readonly ephemeral: string;
  readonly wrapped: string;
}

/** The pieces, sealed for one auditor. */
export function* sealExport(pieces: Iterable<Uint8Array>, to: AuditorKey, rng: Rng): Generator<Uint8Array> {
  const ephemeral = makeEphemeralKey(rng);
  const dataKey = rng.bytes(32);
  const wrapping = wrappingKey({ privateKey: ephemeral.privateKey, publicKey: to.publicKey, ephemeral: ephemeral.key, to });
  const cipher = createCipheriv('aes-256-gcm', wrapping, Buffer.alloc(12));
  const wrapped = Buffer.concat([cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]).toString('base64url');
  const header = Buffer.from(`${canonicalJson({ to: to.kid, ephemeral: ephemeral.key.x, wrapped })}\n`);
  yield Buffer.concat([Buffer.from(sealedExportMagic), header]);
  const frames = new FrameCipher(dataKey, header);
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      if (bytes === frameBytes) {
        yield frames.seal(Buffer.concat(waiting), false);
        [waiting, bytes] = [[], 0];
      }
      const part = piece.subarray(at, at + frameBytes - bytes);
      waiting.push(Buffer.from(part));
      bytes += part.length;
      at += part.length;
    }
  }
  yield frames.seal(Buffer.concat(waiting), true);
}

/** What was sealed, frame by frame. Fails with E_EXPORT_SEALED: another key, cut, or changed. */
export async function* openSealedExport(
  pieces: AsyncIterable<Uint8Array>,
  auditor: { readonly key: AuditorKey; readonly privateKey: KeyObject },
): AsyncGenerator<Uint8Array> {
  const input = new PieceReader(pieces);
  if ((await input.line(sealedExportMagic.length))?.toString('latin1') !== sealedExportMagic) throw broken('it is no sealed export');
  const line = await input.line(headerBytesMax);
  const header = line === null ? null : readHeader(line);
  if (line === null || header === null) throw broken('its header is malformed');
  if (header.to !== auditor.key.kid) throw broken(`it is sealed for the key ${header.to.slice(0, 64)}, not for ${auditor.key.kid}`);
  const frames = new FrameCipher(unwrap(header, auditor), line);
  for (let isLast = false; !isLast; ) {
    const word = (await input.take(4))?.readUInt32BE(0);
    if (word === undefined) throw broken('it is cut');
    isLast = (word & lastFlag) !== 0;
    const length = word & ~lastFlag;
    if (length < tagBytes || length > frameBytes + tagBytes) throw broken('a frame is malformed');
    const frame = await input.take(length);
    if (frame === null) throw broken('it is cut');
    yield frames.open(frame, isLast);
  }
  if (!(await input.isAtEnd())) throw broken('something follows its end');
}

function unwrap({ ephemeral, wrapped }: Header, auditor: { readonly key: AuditorKey; readonly privateKey: KeyObject }): Buffer {
  try {
    const sender = auditorKeyFrom(ephemeral);
    const { key, privateKey } = auditor;
    const decipher = createDecipheriv(
      'aes-256-gcm',
      wrappingKey({ privateKey, publicKey: sender.publicKey, ephemeral: sender, to: key }),
      Buffer.alloc(12),
    );
    const bytes = Buffer.from(wrapped, 'base64url');
    decipher.setAuthTag(bytes.subarray(32));
    return Buffer.concat([decipher.update(bytes.subarray(0, 32)), decipher.final()]);
  } catch {
    throw broken('its key does not open');
  }
}

/** Used for one message only, because one side of the pair is fresh: hence the fixed nonce. Fails for a point of small order. */
function wrappingKey(parts: {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly ephemeral: AuditorKey;
  readonly to: AuditorKey;
}): Buffer {
  const { privateKey, publicKey, ephemeral, to } = parts;
  const secret = diffieHellman({ privateKey, publicKey });
  const info = Buffer.concat([Buffer.from(sealedExportMagic), Buffer.from(ephemeral.x, 'base64url'), Buffer.from(to.x, 'base64url')]);
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), info, 32));
}

function readHeader(line: Buffer): Header | null {
  try {
    const header = JSON.parse(line.toString('utf8')) as Header;
    const { to, ephemeral, wrapped } = header;
    const isShaped = [to, ephemeral, wrapped].every((text) => typeof text === 'string' && /^[A-Za-z0-9_-]{43,64}$/.test(text));
    return isShaped && `${canonicalJson({ to, ephemeral, wrapped })}\n` === line.toString('utf8') ? header : null;
  } catch {
    return null;
  }
}

class FrameCipher {
  readonly #key: Uint8Array;
  readonly #headerHash: Buffer;
  #count = 0n;

  constructor(key: Uint8Array, header: Uint8Array) {
    this.#key = key;
    this.#headerHash = createHash('sha256').update(header).digest();
  }

  seal(plain: Uint8Array, isLast: boolean): Buffer {
    const cipher = createCipheriv('aes-256-gcm', this.#key, this.#nextNonce());
    cipher.setAAD(this.#aad(isLast));
    const body = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE((body.length | (isLast ? lastFlag : 0)) >>> 0);
    return Buffer.concat([length, body]);
  }

  open(frame: Buffer, isLast: boolean): Buffer {
    const decipher = createDecipheriv('aes-256-gcm', this.#key, this.#nextNonce());
    decipher.setAAD(this.#aad(isLast));
    decipher.setAuthTag(frame.subarray(frame.length - tagBytes));
    try {
      return Buffer.concat([decipher.update(frame.subarray(0, frame.length - tagBytes)), decipher.final()]);
    } catch {
      throw broken('a frame was changed or is not in its place');
    }
  }

  /** The key is of one export, so counting never repeats a nonce. */
  #nextNonce(): Buffer {
    const nonce = Buffer.alloc(12);
    nonce.writeBigUInt64BE(this.#count++, 4);
    return nonce;
  }

  #aad(isLast: boolean): Buffer {
    return Buffer.concat([this.#headerHash, Buffer.from([isLast ? 1 : 0])]);
  }
}

/** Holds no more than what is asked for and one piece. */
class PieceReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** Null at the end of the input. */
  async take(bytes: number): Promise<Buffer | null> {
    while (this.#held.length < bytes) if (!(await this.#more())) return null;
    const taken = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes);
    return taken;
  }

  /** With its line end; null when none comes within the limit. */
  async line(bytesMax: number): Promise<Buffer | null> {
    for (;;) {
      const at = this.#held.indexOf(10);
      if (at >= 0 && at < bytesMax) return await this.take(at + 1);
      if (at >= bytesMax || this.#held.length >= bytesMax || !(await this.#more())) return null;
    }
  }

  async isAtEnd(): Promise<boolean> {
    return this.#held.length === 0 && !(await this.#more());
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#pieces.next();
    if (done || value.length === 0) return done ? false : this.#more();
    this.#held = Buffer.concat([this.#held, value]);
    return true;
  }
}

function broken(what: string): HeadgateError {
  return new HeadgateError(ledgerErrors.E_EXPORT_SEALED, `the sealed export cannot be opened: ${what}`);
}
