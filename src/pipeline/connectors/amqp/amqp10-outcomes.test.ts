/** Messages that the broker gives back, as `modified` too, which RabbitMQ never says: a server of AMQP 1.0 in this process does. */
import type { AddressInfo, Server } from 'node:net';
import rhea, { type Delivery, type EventContext } from 'rhea';
import { expect, onTestFinished, test } from 'vitest';
import { openOptions, outgoing } from '../connector-contract.fixture.ts';
import { amqpConnector } from './amqp-connector.ts';

/** A target of a server that takes the first message and answers the second as told. */
async function targetOf(answer: (delivery: Delivery) => void) {
  const broker = rhea.create_container({ id: 'broker' });
  (broker as unknown as { sasl_server_mechanisms: { enable_plain(check: () => boolean): void } }).sasl_server_mechanisms.enable_plain(
    () => true,
  );
  let messages = 0;
  broker.on('disconnected', () => {});
  // The library makes one answer of two that are given in one turn.
  broker.on('message', ({ delivery }: EventContext) => (++messages === 1 ? delivery!.accept() : setImmediate(answer, delivery!)));
  const server: Server = broker.listen({ port: 0, host: '127.0.0.1', receiver_options: { autoaccept: false } });
  await new Promise((resolve) => server.once('listening', resolve));
  const target = amqpConnector.open(
    openOptions(amqpConnector, {
      settings: { queue: 'q' },
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
  ['E_TARGET_BUSY', 'modified', (delivery: Delivery) => delivery.modified({ delivery_failed: true, undeliverable_here: false })],
  [
    'E_TARGET_SETUP',
    'modified, undeliverable here',
    (delivery: Delivery) => delivery.modified({ delivery_failed: true, undeliverable_here: true }),
  ],
  ['E_TARGET_SETUP', 'released', (delivery: Delivery) => delivery.release()],
])('a message is not taken (%s), and goes again, when it is %s', async (code, _, answer) => {
  const target = await targetOf(answer);
  const outcome = await target.deliver(outgoing(['a', 'b']), new AbortController().signal);
  expect(outcome).toEqual({ kind: 'acked', perRecord: [{ index: 1, status: 'retry', code }] });
});
