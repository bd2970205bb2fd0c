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

const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** UUIDv7 (RFC 9562, section 6.2 method 1): 48 bits of ms, 12 bits of counter, 62 random bits; rising within one instance. */
export function createIds(clock: Clock, rng: Pick<Rng, 'bytes'>): Ids {
  let lastMs = 0;
  let counter = 0;
  let time = '';
  const begin = (ms: number) => {
    lastMs = ms;
    counter = 0;
    const text = ms.toString(16).padStart(12, '0');
    time = `${text.slice(0, 8)}-${text.slice(8)}`;
  };
  begin(0);
  return {
    next() {
      const nowMs = clock.nowMs();
      if (nowMs > lastMs) begin(nowMs);
      else if (++counter > 0xfff) begin(lastMs + 1);
      const random = rng.bytes(8);
      const variant = hexOf[(random[0]! & 0x3f) | 0x80]! + hexOf[random[1]!]!;
      let tail = '';
      for (let index = 2; index < 8; index++) tail += hexOf[random[index]!]!;
      return `${time}-${(0x7000 | counter).toString(16)}-${variant}-${tail}`;
    },
  };
}

/** Random bytes fetched many at once: an id takes 8, and fetching costs more than the bytes. Each is given out once. */
function createPooledRng(rng: Rng, poolBytes = 4_096): Pick<Rng, 'bytes'> {
  let pool: Uint8Array = new Uint8Array(0);
  return {
    bytes(length) {
      if (pool.length < length) pool = rng.bytes(Math.max(length, poolBytes));
      const given = pool.subarray(0, length);
      pool = pool.subarray(length);
      return given;
    },
  };
}

export const systemPorts: Ports = {
  clock: systemClock,
  rng: systemRng,
  sleep: systemSleep,
  ids: createIds(systemClock, createPooledRng(systemRng)),
};
