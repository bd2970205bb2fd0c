/** amqp against rabbitmq-client: persistent, mandatory and confirmed messages to a quorum queue, with the same headers. */
import { type Channel, Connection } from 'rabbitmq-client';
import { commonHeaders, recordHeaders } from '../../src/pipeline/connectors/amqp/amqp-headers.ts';
import { findProgram } from '../../test/support/debian-programs.ts';
import { startRabbitMq } from '../../test/support/rabbitmq.ts';
import { type CaseMaker, lanes, openTarget } from './delivery-case.ts';

export const amqpCase: CaseMaker = {
  connector: 'amqp',
  sizes: { batched: 40_000, single: 4_000 },
  missing: () => (findProgram('rabbitmq') === null ? 'rabbitmq' : null),
  async make() {
    const rabbit = await startRabbitMq();
    const queue = 'bench.deliveries';
    await rabbit.declareQueue(queue);
    const { target } = await openTarget({
      target: `{ type: amqp, connection: c, queue: ${queue} }`,
      connection: `{ type: amqp, host: 127.0.0.1, port: ${rabbit.port}, user: ${rabbit.user}, password: "env:HEADGATE_SECRET_BENCH__P", tls: disable }`,
      password: rabbit.password,
    });
    const bare = new Connection({
      hostname: '127.0.0.1',
      port: rabbit.port,
      username: rabbit.user,
      password: rabbit.password,
      noDelay: true,
    });
    const channels: Channel[] = [];
    for (let lane = 0; lane < lanes; lane++) {
      const channel = await bare.acquire();
      await channel.confirmSelect();
      channels.push(channel);
    }
    return {
      connector: 'amqp',
      against: 'rabbitmq-client',
      target,
      async sendBare({ batch, lines, keys, recordIds }, lane) {
        const common = commonHeaders(batch);
        const timestamp = Math.floor(batch.cutAt.getTime() / 1_000);
        await Promise.all(
          lines.map((line, index) =>
            channels[lane].basicPublish(
              {
                routingKey: queue,
                mandatory: true,
                durable: true,
                contentType: 'application/json',
                messageId: keys[index],
                timestamp,
                appId: 'headgate',
                headers: { ...common, ...recordHeaders(keys[index], recordIds[index]) },
              },
              line.subarray(0, -1),
            ),
          ),
        );
      },
      async taken() {
        const messages = await rabbit.takeAll(queue);
        return messages
          .map(({ body, headers, properties }) => JSON.stringify([body, sorted(headers), properties['messageId'], properties['durable']]))
          .sort();
      },
      async reset() {
        await bare.queuePurge({ queue });
      },
      async close() {
        await target.close();
        for (const channel of channels) await channel.close();
        await bare.close();
        await rabbit.stop();
      },
    };
  },
};

const sorted = (headers: Readonly<Record<string, unknown>>) => Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1));
