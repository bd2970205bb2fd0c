/**
 * Messages that the broker gives back, as `modified` too, which RabbitMQ never says, and one that does not fit into what it takes: a
 * server of AMQP 1.0 in this process does.
 */
import type { AddressInfo, Server } from 'node:net';
import rhea, { type Container, type Delivery, type EventContext } from 'rhea';
import { expect, onTestFinished, test } from 'vitest';
import { openOptions, outgoing } from '../connector-contract.fixture.ts';
import { amqpConnector } from './amqp-connector.ts';

/** A target of a server that takes the first message and answers the second as told. */
function targetOf(answer: (delivery: Delivery) => void) {
  let messages = 0;
  return targetOfBroker((broker) => {
    // The library makes one answer of two that are given in one turn.
    broker.on('message', ({ delivery }: EventContext) => (++messages === 1 ? delivery!.accept() : setImmediate(answer, delivery!)));
  });
}

async function targetOfBroker(behave: (broker: Container) => void, settings: Readonly<Record<string, unknown>> = {}) {
  const broker = rhea.create_container({ id: 'broker' });
  (broker as unknown as { sasl_server_mechanisms: { enable_plain(check: () => boolean): void } }).sasl_server_mechanisms.enable_plain(
    () => true,
  );
  broker.on('disconnected', () => {});
  behave(broker);
  const server: Server = broker.listen({ port: 0, host: '127.0.0.1', max_frame_size: 1_024, receiver_options: { autoaccept: false } });
  await new Promise((resolve) => server.once('listening', resolve));
  const target = amqpConnector.open(
    openOptions(amqpConnector, {
      settings: { queue: 'q', ...settings },
      connection: {
        host: '127.0.0.1',
        port: (server.address() as AddressInfo).port,
        protocol: 'amqp-1.0',
        user: 'u',
        password: 'env:P',
        tls: 'disable',
      },
      env: { P: 'p' },
      target: { timeoutMs: 3_000 },
    }),
  );
  onTestFinished(async () => {
    await target.close();
    server.close();
  });
  return target;
}

test.each([
  [
    'E_TARGET_BUSY',
    'modified',
    'the broker gave the message back without having processed it',
    (delivery: Delivery) => delivery.modified({ delivery_failed: true, undeliverable_here: false }),
  ],
  [
    'E_TARGET_SETUP',
    'modified, undeliverable here',
    'the queue "q" is gone: the message came back',
    (delivery: Delivery) => delivery.modified({ delivery_failed: true, undeliverable_here: true }),
  ],
  ['E_TARGET_SETUP', 'released', 'the queue "q" is gone: the message came back', (delivery: Delivery) => delivery.release()],
])('a message is not taken (%s), and goes again, when it is %s', async (code, _, message, answer) => {
  const target = await targetOf(answer);
  const outcome = await target.deliver(outgoing(['a', 'b']), new AbortController().signal);
  expect(outcome).toEqual({ kind: 'acked', perRecord: [{ index: 1, status: 'retry', code, message }] });
});

test('a message whose last frame never left is refused and not unknown when the attempt ends', async () => {
  const target = await targetOfBroker((broker) =>
    broker.on('session_open', ({ session }: EventContext) => {
      const broker = session as unknown as { incoming: object; local: { begin: { incoming_window: number } }; on_transfer(): void };
      // Has room for two frames and says nothing about them.
      broker.local.begin.incoming_window = 2;
      broker.incoming = Object.create(broker.incoming, { window: { get: () => 2 } });
      broker.on_transfer = () => {};
    }),
  );
  const outcome = await target.deliver(outgoing(['a'.repeat(5_000)]), AbortSignal.timeout(300));
  expect(outcome).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_TIMEOUT' });
});

test.each([
  ['amqp:resource-deleted', 'E_TARGET_SETUP'],
  ['amqp:link:detach-forced', 'E_TARGET_UNREACHABLE'],
  ['amqp:internal-error', 'E_TARGET_BUSY'],
])('a link that the broker ends by %s leaves what is under way unknown, and what was not sent goes again (%s)', async (condition, code) => {
  const told = { condition, description: 'of the broker' };
  let messages = 0;
  const target = await targetOfBroker(
    (broker) =>
      broker.on('message', ({ delivery, receiver }: EventContext) => {
        if (++messages === 2) receiver!.close(told);
        else delivery!.accept();
      }),
    { confirmsInFlight: 1 },
  );
  const signal = new AbortController().signal;
  const outcome = await target.deliver(outgoing(['a', 'b', 'c']), signal);
  expect(outcome).toMatchObject({
    kind: 'acked',
    perRecord: [
      { index: 1, status: 'unknown', code: 'E_TARGET_REPLY_LOST' },
      { index: 2, status: 'retry', code },
    ],
  });
  expect(JSON.stringify(outcome)).not.toContain(told.description);
  expect(await target.deliver(outgoing(['b', 'c']), signal)).toEqual({ kind: 'acked' });
});
