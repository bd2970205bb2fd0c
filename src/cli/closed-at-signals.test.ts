import { afterEach, beforeEach, expect, it } from 'vitest';
import { closedAtSignals } from './closed-at-signals.ts';

const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
let before: ReadonlyMap<string, readonly unknown[]>;

beforeEach(() => {
  before = new Map(signals.map((signal) => [signal, process.listeners(signal)]));
});
afterEach(() => {
  for (const signal of signals)
    for (const listener of process.listeners(signal)) if (!before.get(signal)!.includes(listener)) process.off(signal, listener);
});

it('what is open is closed at a signal, though its use goes on', async () => {
  const said: string[] = [];
  const ended = closedAtSignals({
    open: async () => 'it',
    async use() {
      process.emit('SIGHUP', 'SIGHUP');
      return await new Promise<never>(() => {});
    },
    close: async (opened) => void said.push(`closed ${opened}`),
  });
  await expect(ended).rejects.toMatchObject({ code: 'E_INTERRUPTED', exitCode: 129 });
  expect(said).toEqual(['closed it']);
});

it('what a signal finds being opened is closed once it is open, and is not used', async () => {
  const said: string[] = [];
  const ended = closedAtSignals({
    async open() {
      process.emit('SIGTERM', 'SIGTERM');
      await Promise.resolve();
      said.push('opened');
    },
    use: async () => void said.push('used'),
    close: async () => void said.push('closed'),
  });
  await expect(ended).rejects.toMatchObject({ code: 'E_INTERRUPTED', exitCode: 143 });
  expect(said).toEqual(['opened', 'closed']);
});

it('what is done when it is closed is told, though a signal came before', async () => {
  const isClosing = Promise.withResolvers<void>();
  const done = closedAtSignals({
    open: async () => {},
    async use() {
      process.emit('SIGINT', 'SIGINT');
      await isClosing.promise;
      return 'a key that is shown once';
    },
    async close() {
      isClosing.resolve();
      await new Promise(setImmediate);
    },
  });
  expect(await done).toBe('a key that is shown once');
});
