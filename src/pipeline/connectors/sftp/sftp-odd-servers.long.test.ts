import { expect, it, onTestFinished } from 'vitest';
import { type MemorySftp, startMemorySftp } from '../../../../test/support/memory-sftp.ts';
import type { Target } from '../connector.ts';
import { again, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { sftpConnector } from './sftp-connector.ts';

async function start(settings: Record<string, unknown> = {}): Promise<{ readonly server: MemorySftp; readonly target: Target }> {
  const server = await startMemorySftp();
  onTestFinished(() => server.close());
  const { host, port, username, hostKey } = server;
  const target = sftpConnector.open(
    openOptions(sftpConnector, {
      settings: { path: 'in', ...settings },
      connection: { host, port, user: username, password: 'env:P', root: '/', hostKeys: [hostKey.publicKey] },
      env: { P: 'right' },
      target: { timeoutMs: 10_000 },
    }),
  );
  onTestFinished(() => target.close());
  return { server, target };
}

const signal = new AbortController().signal;

it('a file that the server damaged is found out before it has its name, and written again', async () => {
  const { server, target } = await start();
  server.behaviour.damagesWrites = true;
  const batch = outgoing(['a', 'b']);
  expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_READ_BACK' });
  expect([...server.files.keys()]).toEqual([]);
  server.behaviour.damagesWrites = false;
  expect((await target.deliver(again(batch), signal)).kind).toBe('acked');
  expect([...server.files.keys()]).toEqual(['eft-out-1-0000.ndjson']);
});

it('a server that is full takes nothing for now, is left without half a file, and has it once there is room', async () => {
  const { server, target } = await start();
  server.behaviour.isFull = true;
  const batch = outgoing(['a', 'b']);
  expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_BUSY' });
  expect([...server.files.keys()]).toEqual([]);
  server.behaviour.isFull = false;
  expect((await target.deliver(again(batch), signal)).kind).toBe('acked');
  expect([...server.files.keys()]).toEqual(['eft-out-1-0000.ndjson']);
});

it('a server that damages what it takes is found out by a probe, which leaves nothing there', async () => {
  const { server, target } = await start({ readBack: 'none' });
  expect(await target.probe(signal)).toMatchObject({ isReachable: true, code: null });
  server.behaviour.damagesWrites = true;
  expect(await target.probe(signal)).toMatchObject({
    isReachable: false,
    code: 'E_TARGET_ANSWER',
    message: 'the folder gives back other bytes than it took',
  });
  expect([...server.files.keys()]).toEqual([]);
});

it('only what is asked for is compared', async () => {
  for (const readBack of ['size', 'none']) {
    const { server, target } = await start({ readBack });
    server.behaviour.damagesWrites = true;
    expect((await target.deliver(outgoing(['a']), signal)).kind).toBe('acked');
    expect(server.offsets).toEqual([]);
  }
});

it('a file that the server says to have renamed and did not is no delivery, and one that the partner took at once is', async () => {
  const { server, target } = await start();
  const batch = outgoing(['a', 'b']);
  server.behaviour.renamesNothing = true;
  expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_READ_BACK' });
  expect([...server.files.keys()]).toEqual([]);
  expect((await target.resolve!(batch, signal)).kind).toBe('resendable');
  server.behaviour.renamesNothing = false;
  server.behaviour.onRename = (moment) => (moment === 'after' ? server.files.clear() : undefined);
  expect((await target.deliver(again(batch), signal)).kind).toBe('acked');
});

it('a file that has its name is not said to be none where the look after it is refused: nobody knows, and the server is asked', async () => {
  const { server, target } = await start();
  const batch = outgoing(['a', 'b']);
  server.behaviour.onRename = (moment) => {
    server.behaviour.refusesLooks = moment === 'after';
  };
  expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_BUSY' });
  server.behaviour.refusesLooks = false;
  expect(await target.resolve!(batch, signal)).toMatchObject({ kind: 'acked' });
});

it('a server that says nothing of larger writes gets pieces of 32 KiB, and is not said to have made anything durable', async () => {
  const { server, target } = await start();
  const ids = Array.from({ length: 1_500 }, (_, index) => `record-${index}`);
  const outcome = await target.deliver(outgoing(ids), signal);
  expect(outcome).toMatchObject({ kind: 'acked', evidence: 'the file was written, read back, and named' });
  expect(Math.max(...server.written)).toBe(32 * 1024);
});

it('a server that falls silent before the name is asked for refuses, and one that does so after it leaves the outcome unknown', async () => {
  for (const [moment, expected] of [
    ['before', { kind: 'refused', retryable: true, code: 'E_TARGET_TIMEOUT' }],
    ['after', { kind: 'unknown', code: 'E_TARGET_TIMEOUT' }],
  ] as const) {
    const { server, target } = await start();
    const deadline = new AbortController();
    const fall = () => {
      server.behaviour.isSilent = true;
      queueMicrotask(() => deadline.abort());
    };
    const batch = outgoing(['a']);
    const body = {
      ...batch.body,
      *pieces() {
        if (moment === 'before') fall();
        yield* batch.body.pieces();
      },
    };
    const assertOurs = () => (moment === 'after' ? fall() : undefined);
    expect(await target.deliver({ ...batch, body, assertOurs }, deadline.signal)).toMatchObject(expected);
  }
});
