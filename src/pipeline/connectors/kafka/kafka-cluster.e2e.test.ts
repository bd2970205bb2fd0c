/** A cluster of three brokers of which some are down, or lead no more. */
import { describe, expect, onTestFinished } from 'vitest';
import { itWith } from '../../../../test/support/components.ts';
import { kafkaApis, kafkaErrors } from '../../../../test/support/kafka-mock.ts';
import { again, outgoing } from '../connector-contract.fixture.ts';
import { outId, useKafka } from './kafka.fixture.ts';

const world = useKafka({ brokers: 3 });
const { withTarget, idsIn } = world;
const signal = new AbortController().signal;
const ids = Array.from({ length: 60 }, (_, index) => `r${index}`);

/** Partition 0 with broker 1, and so on. */
async function makeLedTopic(): Promise<string> {
  const topic = await world.cluster.makeTopic(3);
  for (const partition of [0, 1, 2]) await world.cluster.faults!.setLeader(topic, partition, partition + 1);
  return topic;
}

describe.runIf(process.env['HEADGATE_TEST_KAFKA'] === undefined)('a cluster', () => {
  itWith('kafka')('gets each record at the broker that leads its partition', async () => {
    const topic = await makeLedTopic();
    await withTarget({ topic, settings: { key: outId } }, async (target) => {
      expect(await target.deliver(outgoing(ids), signal)).toEqual({ kind: 'acked' });
      expect(await target.probe(signal)).toMatchObject({ isReachable: true });
    });
    const records = await world.cluster.read(topic);
    expect(records.map(({ key }) => key).toSorted()).toEqual(ids.toSorted());
    expect(new Set(records.map(({ partition }) => partition))).toEqual(new Set([0, 1, 2]));
  });

  itWith('kafka')('of which one broker is down has the records of its partitions wait, and takes the others', async () => {
    const topic = await makeLedTopic();
    const { faults } = world.cluster;
    onTestFinished(() => faults!.setUp(2));
    await withTarget({ topic, settings: { key: outId } }, async (target) => {
      await faults!.setDown(2);
      const batch = outgoing(ids);
      const outcome = await target.deliver(batch, signal);
      expect(outcome.kind).toBe('acked');
      const left = outcome.kind === 'acked' ? outcome.perRecord! : [];
      expect(new Set(left.map(({ status, code }) => `${status} ${code}`))).toEqual(new Set(['retry E_TARGET_UNREACHABLE']));
      expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_TARGET_UNREACHABLE' });
      await faults!.setUp(2);
      const waiting = left.map(({ index }) => ids[index]!);
      expect(await target.deliver(outgoing(waiting), signal)).toEqual({ kind: 'acked' });
      expect((await idsIn(topic)).toSorted()).toEqual(ids.toSorted());
    });
  });

  itWith('kafka')(
    'of which one broker refuses while the others are still being connected to has those take theirs: nothing is unknown',
    async () => {
      const topic = await makeLedTopic();
      const { faults } = world.cluster;
      onTestFinished(async () => {
        for (const broker of [2, 3]) await faults!.setRoundTrip(broker, 0);
      });
      for (const broker of [2, 3]) await faults!.setRoundTrip(broker, 150);
      await faults!.produceErrors(kafkaErrors.TOPIC_AUTHORIZATION_FAILED);
      await withTarget({ topic, settings: { key: outId } }, async (target) => {
        const outcome = await target.deliver(outgoing(ids), signal);
        const left = outcome.kind === 'acked' ? outcome.perRecord! : [];
        expect(new Set(left.map(({ status, code }) => `${status} ${code}`))).toEqual(new Set(['retry E_TARGET_FORBIDDEN']));
        const waiting = left.map(({ index }) => ids[index]!);
        const taken = await world.cluster.read(topic);
        expect(new Set(taken.map(({ partition }) => partition))).toEqual(new Set([1, 2]));
        expect([...taken.map(({ key }) => key), ...waiting].toSorted()).toEqual(ids.toSorted());
      });
    },
  );

  itWith('kafka')('that moved a partition is asked anew after it refused', async () => {
    const topic = await makeLedTopic();
    await withTarget({ topic, settings: { partition: 0 } }, async (target) => {
      expect(await target.deliver(outgoing(['a']), signal)).toEqual({ kind: 'acked' });
      await world.cluster.faults!.setLeader(topic, 0, 3);
      const batch = outgoing(['b']);
      expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_BUSY' });
      expect(await target.deliver(batch, signal)).toEqual({ kind: 'acked' });
    });
    expect(await idsIn(topic)).toEqual(['a', 'b']);
  });

  itWith('kafka')(
    'of which the first broker is down is asked at the next, and one that is down altogether can not be reached',
    async () => {
      const topic = await makeLedTopic();
      const { faults } = world.cluster;
      onTestFinished(async () => {
        for (const broker of [1, 2, 3]) await faults!.setUp(broker);
      });
      await faults!.setDown(1);
      await withTarget({ topic, settings: { partition: 2 } }, async (target) => {
        expect(await target.deliver(outgoing(['a']), signal)).toEqual({ kind: 'acked' });
        for (const broker of [2, 3]) await faults!.setDown(broker);
        const batch = outgoing(['b']);
        expect(await target.deliver(batch, signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_UNREACHABLE' });
        for (const broker of [1, 2, 3]) await faults!.setUp(broker);
        expect(await target.deliver(again(batch), signal)).toEqual({ kind: 'acked' });
      });
      expect(await idsIn(topic)).toEqual(['a', 'b']);
    },
  );

  /** Last: it stays so. */
  itWith('kafka')('that speaks the oldest versions only is spoken to in these', async () => {
    const topic = await makeLedTopic();
    const { faults } = world.cluster;
    await faults!.setVersions(kafkaApis.produce, [3, 3]);
    await faults!.setVersions(kafkaApis.metadata, [4, 4]);
    await faults!.setVersions(kafkaApis.initProducerId, [0, 0]);
    await withTarget({ topic, settings: { key: outId } }, async (target) => {
      expect(await target.deliver(outgoing(ids), signal)).toEqual({ kind: 'acked' });
      await faults!.setVersions(kafkaApis.produce, [0, 2]);
    });
    await withTarget({ topic, settings: { key: outId } }, async (target) => {
      expect(await target.deliver(outgoing(ids), signal)).toMatchObject({ kind: 'refused', code: 'E_TARGET_SETUP' });
    });
    await faults!.setVersions(kafkaApis.produce, [3, 3]);
    expect((await idsIn(topic)).toSorted()).toEqual(ids.toSorted());
  });
});
