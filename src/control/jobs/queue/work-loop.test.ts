import { afterEach, expect, it, vi } from 'vitest';
import type { WorkItem } from '../../../pipeline/deliveries/work-queue-port.ts';
import { createNotifier } from '../../../platform/base/notifier.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { silentLogger } from '../../../platform/telemetry/logger.ts';
import type { JobServices } from '../job-services.ts';
import { createWorkLoop } from './work-loop.ts';

afterEach(() => void vi.restoreAllMocks());

it('leaves nothing behind at its signal, however often it waited for room', async () => {
  const rounds = 50;
  let claimed = 0;
  const all = Promise.withResolvers<void>();
  const services = {
    db: { query: async () => ({ rows: [{ name: 'a' }], rowCount: 1 }) },
    ports: systemPorts,
    logger: silentLogger,
    metrics: { add() {}, observe() {} },
    signals: { close: createNotifier() },
    queue: {
      claimWork: async () =>
        claimed++ < rounds ? [{ tenantId: 'a', workId: String(claimed), kind: 'close', fence: 1 } as unknown as WorkItem] : [],
      renewOurs: async () => ({ renewed: new Set(), locked: new Set() }),
    },
  } as unknown as JobServices;
  const open = new Set<unknown>();
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  vi.spyOn(EventTarget.prototype, 'addEventListener').mockImplementation(function (this: EventTarget, ...asked: unknown[]) {
    if (asked[0] === 'abort') open.add(asked[1]);
    Reflect.apply(addEventListener, this, asked);
  });
  vi.spyOn(EventTarget.prototype, 'removeEventListener').mockImplementation(function (this: EventTarget, ...asked: unknown[]) {
    open.delete(asked[1]);
    Reflect.apply(removeEventListener, this, asked);
  });
  const loop = createWorkLoop({
    services,
    kind: 'close',
    workerId: 'w',
    leaseMs: 60_000,
    inHandMax: 1,
    async handle() {
      // So that the loop comes to wait for room meanwhile.
      await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
      if (claimed >= rounds) all.resolve();
    },
  });
  loop.start();
  await all.promise;
  expect(open.size).toBeLessThan(10);
  await loop.stop();
});
