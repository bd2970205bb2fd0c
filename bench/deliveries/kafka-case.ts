/** kafka against @platformatic/kafka's own producer: idempotent, acknowledged by all, the same keys, headers and partitions. */
import { compatibilityPartitioner, Producer } from '@platformatic/kafka';
import { commonHeaders, messageHeaders } from '../../src/pipeline/connectors/kafka/kafka-headers.ts';
import { findProgram } from '../../test/support/debian-programs.ts';
import { startKafka } from '../../test/support/kafka-mock.ts';
import type { BenchBatch } from './delivery-batches.ts';
import { type CaseMaker, lanes, openTarget } from './delivery-case.ts';

export const kafkaCase: CaseMaker = {
  connector: 'kafka',
  sizes: { batched: 100_000, single: 4_000 },
  missing: () => (findProgram('kcat') === null || findProgram('python3') === null ? 'kcat or python3' : null),
  async make() {
    const kafka = await startKafka();
    let topic = await kafka.makeTopic(lanes);
    const open = async () =>
      await openTarget({
        target: `{ type: kafka, connection: c, topic: ${topic}, key: "out.id" }`,
        connection: `{ type: kafka, brokers: ["${kafka.brokers[0]}"], tls: disable }`,
      });
    let { target } = await open();
    // Without an id of its own to begin with: of the id 0, which it asks for otherwise, the mock cluster knows nothing.
    const own = { idempotent: true, producerId: -1n, producerEpoch: -1 };
    const producers = Array.from(
      { length: lanes },
      (_, lane) => new Producer({ clientId: `bare-${lane}`, bootstrapBrokers: kafka.brokers.slice(), ...own }),
    );
    const messagesOf = ({ batch, records, lines, keys, recordIds }: BenchBatch) => {
      const common = commonHeaders(batch, '/headgate/bench/deliveries');
      return lines.map((line, index) => ({
        topic,
        key: Buffer.from(records[index].id),
        value: line.subarray(0, -1),
        headers: messageHeaders(common, keys[index], recordIds[index]),
      }));
    };
    return {
      connector: 'kafka',
      against: '@platformatic/kafka',
      get target() {
        return target;
      },
      async sendBare(batch, lane) {
        await producers[lane].send({ messages: messagesOf(batch), partitioner: compatibilityPartitioner });
      },
      async taken() {
        const records = await kafka.read(topic);
        return records.map(({ partition, key, payload, headers }) => JSON.stringify([partition, key, payload, headers])).sort();
      },
      // A topic keeps what it has; another one has nothing.
      async reset() {
        await target.close();
        topic = await kafka.makeTopic(lanes);
        ({ target } = await open());
      },
      async close() {
        await target.close();
        await Promise.all(producers.map((producer) => producer.close()));
        await kafka.stop();
      },
    };
  },
};
