/**
 * A secret value in memory. Whatever prints, joins, logs or serializes it by accident shows `[secret]`; only `reveal`
 * and `bytes` give the value, where it is used.
 */
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';

const shown = '[secret]';

export class Secret {
  readonly #value: Buffer;

  constructor(value: Uint8Array) {
    this.#value = Buffer.from(value);
  }

  /** As UTF-8 text. */
  reveal(): string {
    return this.#value.toString('utf8');
  }

  /** A copy. */
  bytes(): Buffer {
    return Buffer.from(this.#value);
  }

  /** Tells one version of a secret from the next without showing it: 16 hex digits, for long random secrets only. */
  fingerprint(): string {
    return createHash('sha256').update('headgate secret fingerprint\0').update(this.#value).digest('hex').slice(0, 16);
  }

  toString(): string {
    return shown;
  }

  toJSON(): string {
    return shown;
  }

  [Symbol.toPrimitive](): string {
    return shown;
  }

  [inspect.custom](): string {
    return shown;
  }
}
