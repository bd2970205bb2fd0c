/** The production adapters of the ports in `ports.ts`. The only file that touches the runtime's clock, timers and randomness. */
import { randomBytes } from 'node:crypto';
import type { Clock, Ids, Ports, Rng, Sleep } from './ports.ts';

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export const systemRng: Rng = {
  bytes: (length) => randomBytes(length),
  fraction: () => Math.random(),
};

export const systemSleep: Sleep = {
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

/** Lets whatever has happened outside this thread meanwhile be dealt with first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const digits = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const randomBytesPerId = 8;

/**
 * UUIDv7 (RFC 9562, section 6.2 method 1): 48 bits of ms, 12 bits of counter, 62 random bits; rising within one instance.
 * The bytes of so many ids are fetched at once: fetching costs more than the bytes.
 */
export function createIds(clock: Clock, rng: Pick<Rng, 'bytes'>, idsAtOnce = 1): Ids {
  const text = Buffer.from('00000000-0000-7000-0000-000000000000', 'latin1');
  let lastMs = 0;
  let counter = 0;
  let random: Uint8Array = new Uint8Array(0);
  let at = 0;
  const begin = (ms: number) => {
    lastMs = ms;
    counter = 0;
    const time = ms.toString(16).padStart(12, '0');
    text.write(time.slice(0, 8), 0, 'latin1');
    text.write(time.slice(8), 9, 'latin1');
  };
  const write = (byte: number, place: number) => {
    text[place] = digits[byte >> 4]!;
    text[place + 1] = digits[byte & 0xf]!;
  };
  return {
    next() {
      const nowMs = clock.nowMs();
      if (nowMs > lastMs) begin(nowMs);
      else if (++counter > 0xfff) begin(lastMs + 1);
      if (at === random.length) [random, at] = [rng.bytes(randomBytesPerId * idsAtOnce), 0];
      text[15] = digits[counter >> 8]!;
      write(counter & 0xff, 16);
      write((random[at]! & 0x3f) | 0x80, 19);
      write(random[at + 1]!, 21);
      for (let index = 0; index < 6; index++) write(random[at + 2 + index]!, 24 + 2 * index);
      at += randomBytesPerId;
      return text.toString('latin1');
    },
  };
}

/** Random bytes fetched many at once. Each is given out once. */
export function createPooledRng(rng: Rng, poolBytes = 4_096): Pick<Rng, 'bytes'> {
  let pool: Uint8Array = new Uint8Array(0);
  let at = 0;
  return {
    bytes(length) {
      if (pool.length - at < length) [pool, at] = [rng.bytes(Math.max(length, poolBytes)), 0];
      at += length;
      return pool.subarray(at - length, at);
    },
  };
}

export const systemPorts: Ports = {
  clock: systemClock,
  rng: systemRng,
  sleep: systemSleep,
  ids: createIds(systemClock, systemRng, 512),
};
