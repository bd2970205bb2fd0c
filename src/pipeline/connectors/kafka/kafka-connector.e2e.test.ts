import { describe, expect, onTestFinished } from 'vitest';
import { hasComponent, itWith } from '../../../../test/support/components.ts';
import { kafkaErrors as errors } from '../../../../test/support/kafka-mock.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { DeliveryOutcome, RecordResult } from '../connector.ts';
import { again, describeConnectorContract, outgoing } from '../connector-contract.fixture.ts';
import { outId, useKafka } from './kafka.fixture.ts';
import { kafkaConnector } from './kafka-connector.ts';

const world = useKafka();
const { optionsFor, withTarget, idsIn } = world;
const signal = new AbortController().signal;
/** A broker of its own can't be told to fail. */
const isMock = process.env['HEADGATE_TEST_KAFKA'] === undefined;

describe.runIf(hasComponent('kafka'))('one partition', () => {
  describeConnectorContract({
    connector: kafkaConnector,
    cannot: isMock ? [] : ['busy', 'refused', 'one record refused'],
    async open() {
      const topic = await world.cluster.makeTopic(1);
      const proxy = await world.cluster.startProxy();
      const { faults } = world.cluster;
      const target = kafkaConnector.open(optionsFor({ topic, brokers: [`127.0.0.1:${proxy.port}`] }));
      let isOpen = true;
      return {
        target,
        stored: async () => (await idsIn(topic)).toSorted(),
        interrupted: 'unknown',
        proxy,
        isIdempotent: false,
        async arrange(fault) {
          switch (fault) {
            case 'reply lost':
              proxy.arm({ match: /"customer"/, how: 'forward-and-drop-answer' });
              return 'arranged';
            case 'reset while sending':
              proxy.arm({ match: /"customer"/, how: 'cut-before-forward' });
              return 'arranged';
            case 'half-open':
              proxy.arm({ match: /"customer"/, how: 'hold' });
              return 'arranged';
            case 'too slow':
              // Before the deadline of the test, so that the request is under way by then.
              await target.probe(signal);
              proxy.arm({ match: /"customer"/, how: 'hold' });
              return 'arranged';
            case 'busy':
              if (faults === null) return undefined;
              await faults.produceErrors(errors.NOT_ENOUGH_REPLICAS);
              return 'arranged';
            case 'refused':
              if (faults === null) return undefined;
              await faults.produceErrors(errors.INVALID_RECORD, errors.INVALID_RECORD, errors.INVALID_RECORD);
              return 'arranged';
            case 'one record refused':
              if (faults === null) return undefined;
              // All three, the first, the other two, the second, the third.
              await faults.produceErrors(errors.INVALID_RECORD, 0, errors.INVALID_RECORD, errors.INVALID_RECORD, 0);
              return 'arranged';
            case 'unreachable':
              isOpen = false;
              await proxy.close();
              return 'arranged';
          }
        },
        async close() {
          if (isOpen) await proxy.close();
        },
      };
    },
  });
});

function leftOf(outcome: DeliveryOutcome): readonly RecordResult[] {
  expect(outcome.kind).toBe('acked');
  return outcome.kind === 'acked' ? (outcome.perRecord ?? []) : [];
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `r${index}`);

describe('a message', () => {
  itWith('kafka')('says what it is of, and that it may be there twice', async () => {
    const topic = await world.cluster.makeTopic(1);
    const batch = outgoing(['a', 'b']);
    await withTarget({ topic, settings: { key: outId } }, async (target) => {
      expect(await target.deliver(batch, signal)).toEqual({ kind: 'acked' });
      expect(await target.deliver(again(batch), signal)).toEqual({ kind: 'acked' });
    });
    const [a, b, again0] = await world.cluster.read(topic);
    const [keys, recordIds] = [await batch.deliveryKeys(), await batch.recordIds()];
    expect(a!.headers).toEqual({
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_type: 'headgate.record',
      ce_source: '/headgate/bank/test',
      ce_id: keys[0],
      ce_time: '2026-01-02T03:04:05.000Z',
      'headgate-job-id': batch.jobIds[0],
      'headgate-record-id': recordIds[0],
      'headgate-delivery-key': keys[0],
      'headgate-batch-id': batch.batchId,
      'headgate-attempt': '1',
      traceparent: batch.traceparent,
    });
    expect([a!.key, JSON.parse(a!.payload)]).toMatchObject(['a', { id: 'a', amount: '1.00' }]);
    expect(b!.headers).toMatchObject({ 'headgate-record-id': recordIds[1], 'headgate-delivery-key': keys[1] });
    expect(again0!.headers).toMatchObject({ 'headgate-attempt': '2', 'headgate-possible-duplicate': 'true', ce_id: keys[0] });
  });

  itWith('kafka')('goes to the partition of its key, the same as other producers choose', async () => {
    const topic = await world.cluster.makeTopic(7);
    const ids = numbered(60);
    await withTarget({ topic, settings: { key: outId } }, async (target) => {
      expect(await target.deliver(outgoing(ids), signal)).toEqual({ kind: 'acked' });
    });
    const ours = new Map((await world.cluster.read(topic)).map(({ key, partition }) => [key, partition]));
    const other = await world.cluster.makeTopic(7);
    await world.cluster.write(other, ids);
    const theirs = new Map((await world.cluster.read(other)).map(({ key, partition }) => [key, partition]));
    expect(ours).toEqual(theirs);
    expect(new Set(ours.values()).size).toBe(7);
  });

  itWith('kafka')('without a key goes to one partition with its batch, and batches take turns', async () => {
    const topic = await world.cluster.makeTopic(3);
    await withTarget({ topic }, async (target) => {
      for (const batch of ['a', 'b', 'c'].map((name) => outgoing([`${name}1`, `${name}2`]))) await target.deliver(batch, signal);
    });
    const records = await world.cluster.read(topic);
    expect(records.map(({ key, partition }) => [key, partition])).toEqual([0, 0, 1, 1, 2, 2].map((partition) => [null, partition]));
    for (const partition of [0, 1, 2]) {
      const own = records
        .filter((record) => record.partition === partition)
        .map(({ payload }) => (JSON.parse(payload) as { id: string }).id);
      expect(own[1]).toBe(`${own[0]![0]}2`);
    }
  });

  itWith('kafka')('goes to the partition of the target where it names one', async () => {
    const topic = await world.cluster.makeTopic(3);
    await withTarget({ topic, settings: { partition: 1, key: outId }, target: { order: 'file' } }, async (target) => {
      expect(await target.deliver(outgoing(numbered(10)), signal)).toEqual({ kind: 'acked' });
    });
    expect((await world.cluster.read(topic)).map(({ key, partition }) => [key, partition])).toEqual(numbered(10).map((id) => [id, 1]));
  });

  for (const compression of ['gzip', 'snappy', 'lz4', 'zstd']) {
    itWith('kafka')(`packed with ${compression} is what another reader unpacks`, async () => {
      const topic = await world.cluster.makeTopic(1);
      await withTarget({ topic, settings: { compression } }, async (target) => {
        expect(await target.deliver(outgoing(numbered(50)), signal)).toEqual({ kind: 'acked' });
      });
      expect(await idsIn(topic)).toEqual(numbered(50));
    });
  }
});

describe('a batch', () => {
  itWith('kafka')('of many requests to one partition keeps its order', async () => {
    const topic = await world.cluster.makeTopic(1);
    const before = await world.cluster.faults?.countRequests(0);
    await withTarget({ topic, connection: { maxMessageBytes: 20_000 }, target: { timeoutMs: 20_000 } }, async (target) => {
      expect(await target.deliver(outgoing(numbered(1_000)), signal)).toEqual({ kind: 'acked' });
    });
    expect(await idsIn(topic)).toEqual(numbered(1_000));
    if (before !== undefined) expect((await world.cluster.faults!.countRequests(0)) - before).toBeGreaterThan(20);
  });

  itWith('kafka')('loses the record that is larger than the topic takes, alone', async () => {
    const topic = await world.cluster.makeTopic(1);
    await withTarget({ topic, connection: { maxMessageBytes: 10_000 } }, async (target) => {
      const outcome = await target.deliver(outgoing(['a', 'x'.repeat(10_000), 'c']), signal);
      const message = expect.stringMatching(/larger|TOO_LARGE/);
      expect(outcome).toEqual({ kind: 'acked', perRecord: [{ index: 1, status: 'refused', code: 'E_TARGET_RECORD', message }] });
    });
    expect(await idsIn(topic)).toEqual(['a', 'c']);
  });

  itWith('kafka')('never makes its topic: a missing one is a fault of the settings, as is a missing partition', async () => {
    await withTarget({ topic: 'missing.topic' }, async (target) => {
      const told = { code: 'E_TARGET_SETUP', message: expect.stringMatching(/no topic "missing\.topic"/) };
      expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true, ...told });
      expect(await target.probe(signal)).toMatchObject({ isReachable: false, ...told });
      expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ code: 'E_TARGET_SETUP' });
    });
    const topic = await world.cluster.makeTopic(2);
    await withTarget({ topic, settings: { partition: 2 } }, async (target) => {
      const told = { code: 'E_TARGET_SETUP', message: `the topic "${topic}" has no partition 2` };
      expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true, ...told });
      expect(await target.probe(signal)).toMatchObject({ isReachable: false, ...told });
    });
  });

  itWith('kafka')('hands nothing over once the lease is lost', async () => {
    const topic = await world.cluster.makeTopic(1);
    const assertOurs = () => {
      throw new HeadgateError('E_ATTEMPT_ABANDONED', 'the lease of the batch has run out', { retryable: true });
    };
    await withTarget({ topic }, async (target) => {
      const outcome = await target.deliver(outgoing(['a'], { assertOurs }), signal);
      expect(outcome).toMatchObject({ kind: 'refused', code: 'E_ATTEMPT_ABANDONED' });
    });
    expect(await idsIn(topic)).toEqual([]);
  });

  itWith('kafka')('tells what was acknowledged, what nobody knows of and what was not sent when the connection ends', async () => {
    const topic = await world.cluster.makeTopic(1);
    const proxy = await world.cluster.startProxy();
    onTestFinished(() => proxy.close());
    proxy.arm({ match: /"r35"/, how: 'forward-and-drop-answer' });
    const given = { topic, brokers: [`127.0.0.1:${proxy.port}`], connection: { maxMessageBytes: 10_000 } };
    await withTarget(given, async (target) => {
      const left = leftOf(await target.deliver(outgoing(numbered(100)), signal));
      const arrived = await idsIn(topic);
      const unknown = left.filter(({ status }) => status === 'unknown').map(({ index }) => index);
      const unsent = left.filter(({ status }) => status === 'retry').map(({ index }) => index);
      expect(unknown).toContain(35);
      expect([arrived.length + unsent.length, arrived]).toEqual([100, numbered(arrived.length)]);
      expect(unknown.at(-1)).toBe(arrived.length - 1);
      expect(unsent[0]).toBe(arrived.length);
    });
  });
});

/** Brokers that can be told to fail. */
describe.runIf(isMock)('a broker that says', () => {
  const said = async (code: number, ids: readonly string[] = ['a', 'b']) => {
    const topic = await world.cluster.makeTopic(1);
    let outcome: DeliveryOutcome | undefined;
    const producers = await world.cluster.faults!.countRequests(22);
    await withTarget({ topic }, async (target) => {
      await world.cluster.faults!.produceErrors(code);
      const batch = outgoing(ids);
      outcome = await target.deliver(batch, signal);
      expect(await idsIn(topic)).toEqual([]);
      expect(await target.deliver(again(batch), signal)).toEqual({ kind: 'acked' });
    });
    // With a producer of its own.
    expect((await world.cluster.faults!.countRequests(22)) - producers).toBe(2);
    return outcome;
  };

  for (const [name, code] of [
    ['NOT_LEADER', 'E_TARGET_BUSY'],
    ['NOT_ENOUGH_REPLICAS', 'E_TARGET_BUSY'],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'E_TARGET_BUSY'],
    ['UNKNOWN_PRODUCER_ID', 'E_TARGET_BUSY'],
    ['TOPIC_AUTHORIZATION_FAILED', 'E_TARGET_FORBIDDEN'],
    ['POLICY_VIOLATION', 'E_TARGET_SETUP'],
    ['INVALID_TIMESTAMP', 'E_TARGET_SETUP'],
  ] as const) {
    itWith('kafka')(`${name} has taken nothing, and the next attempt gets through with a new producer`, async () => {
      expect(await said(errors[name])).toMatchObject({ kind: 'refused', retryable: true, code });
    });
  }

  for (const name of ['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'KAFKA_STORAGE_ERROR'] as const) {
    itWith('kafka')(`${name} may have taken it: nobody knows`, async () => {
      expect(await said(errors[name])).toMatchObject({ kind: 'unknown', code: 'E_TARGET_REPLY_LOST' });
    });
  }

  itWith('kafka')('MESSAGE_TOO_LARGE gets the batch in halves, and a producer that is kept goes on', async () => {
    const topic = await world.cluster.makeTopic(1);
    const producers = await world.cluster.faults!.countRequests(22);
    await withTarget({ topic }, async (target) => {
      await world.cluster.faults!.produceErrors(errors.MESSAGE_TOO_LARGE);
      expect(await target.deliver(outgoing(numbered(9)), signal)).toEqual({ kind: 'acked' });
      expect(await target.deliver(outgoing(['z']), signal)).toEqual({ kind: 'acked' });
    });
    expect(await idsIn(topic)).toEqual([...numbered(9), 'z']);
    expect((await world.cluster.faults!.countRequests(22)) - producers).toBe(1);
  });

  itWith('kafka')('INVALID_RECORD of one record has later records of its key wait, and takes the others', async () => {
    const topic = await world.cluster.makeTopic(1);
    const ids = ['k1', 'j1', 'k2', 'j2'];
    const batch = outgoing(ids, { orderKeys: async () => ids.map((id) => id[0]!) });
    await withTarget({ topic, settings: { partition: 0 }, target: { order: 'by-key' } }, async (target) => {
      // All four, the first two, the first alone.
      await world.cluster.faults!.produceErrors(errors.INVALID_RECORD, errors.INVALID_RECORD, errors.INVALID_RECORD);
      expect(leftOf(await target.deliver(batch, signal))).toEqual([
        {
          index: 0,
          status: 'refused',
          code: 'E_TARGET_RECORD',
          message: 'the broker would refuse the message every time (INVALID_RECORD)',
        },
        { index: 2, status: 'retry', code: 'E_TARGET_ORDER', message: 'an earlier record of the same key was refused' },
      ]);
    });
    expect(await idsIn(topic)).toEqual(['j1', 'j2']);
  });

  itWith('kafka')('nothing until after the deadline may have taken it', async () => {
    const topic = await world.cluster.makeTopic(1);
    await withTarget({ topic }, async (target) => {
      await target.probe(signal);
      await world.cluster.faults!.delayProduce(1, 60_000);
      const outcome = await target.deliver(outgoing(['a']), AbortSignal.timeout(300));
      expect(outcome).toMatchObject({ kind: 'unknown', code: 'E_TARGET_TIMEOUT' });
      expect(await target.deliver(outgoing(['b']), signal)).toEqual({ kind: 'acked' });
    });
  });

  itWith('kafka')('that it has no right to make a producer is refused as rights are', async () => {
    const topic = await world.cluster.makeTopic(1);
    await withTarget({ topic }, async (target) => {
      await world.cluster.faults!.errors(22, errors.CLUSTER_AUTHORIZATION_FAILED);
      expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_FORBIDDEN' });
    });
  });
});

/** Of the one broker, whatever it answers. */
describe.runIf(isMock)('a broker with a steady round trip', () => {
  const setRoundTrip = async (ms: number) => {
    onTestFinished(() => world.cluster.faults!.setRoundTrip(1, 0));
    await world.cluster.faults!.setRoundTrip(1, ms);
  };

  itWith('kafka')('of 150 ms takes batches of several requests once and in their order', async () => {
    const [topic, roundTripMs] = [await world.cluster.makeTopic(1), 150];
    await withTarget({ topic, connection: { maxMessageBytes: 20_000 } }, async (target) => {
      await target.probe(signal);
      await setRoundTrip(roundTripMs);
      const requests = await world.cluster.faults!.countRequests(0);
      const startMs = performance.now();
      for (const ids of [numbered(100), numbered(200).slice(100)])
        expect(await target.deliver(outgoing(ids), signal)).toEqual({ kind: 'acked' });
      const sent = (await world.cluster.faults!.countRequests(0)) - requests;
      expect(sent).toBeGreaterThan(4);
      // Each request waits for the answer to the one before.
      expect(performance.now() - startMs).toBeGreaterThan(sent * roundTripMs * 0.95);
    });
    await world.cluster.faults!.setRoundTrip(1, 0);
    expect(await idsIn(topic)).toEqual(numbered(200));
  });

  itWith('kafka')(
    'that is longer than the timeout may have taken the batch: it goes again, with the label of a possible duplicate',
    async () => {
      const topic = await world.cluster.makeTopic(1);
      const batch = outgoing(['a', 'b']);
      await withTarget({ topic }, async (target) => {
        await target.probe(signal);
        await setRoundTrip(1_500);
        expect(await target.deliver(batch, AbortSignal.timeout(300))).toMatchObject({ kind: 'unknown', code: 'E_TARGET_TIMEOUT' });
        // Of a new connection not even the first question is answered in time: nothing was sent.
        expect(await target.deliver(again(batch), AbortSignal.timeout(300))).toMatchObject({
          kind: 'refused',
          retryable: true,
          code: 'E_TARGET_TIMEOUT',
        });
        await setRoundTrip(0);
        expect(await target.deliver(again(batch), signal)).toEqual({ kind: 'acked' });
      });
      const records = await world.cluster.read(topic);
      const labelled = records.map(({ payload, headers }) => [JSON.parse(payload).id, headers['headgate-possible-duplicate'] ?? null]);
      expect(labelled).toEqual([
        ['a', null],
        ['b', null],
        ['a', 'true'],
        ['b', 'true'],
      ]);
      expect(records[2]!.headers['ce_id']).toBe(records[0]!.headers['ce_id']);
    },
  );
});
