import { describe, expect, onTestFinished } from 'vitest';
import { hasComponent, itWith } from '../../../../test/support/components.ts';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { DeliveryOutcome, RecordResult } from '../connector.ts';
import { again, describeConnectorContract, outgoing } from '../connector-contract.fixture.ts';
import { full, type Given, protocols, useRabbitMq } from './amqp.fixture.ts';
import { amqpConnector } from './amqp-connector.ts';

const world = useRabbitMq();
const { makeQueue, optionsFor, withTarget, idsIn, fill } = world;
const signal = new AbortController().signal;

describe.runIf(hasComponent('rabbitmq')).each(protocols)('over %s', (protocol) => {
  describeConnectorContract({
    connector: amqpConnector,
    cannot: ['refused', 'one record refused'],
    async open() {
      const queue = await makeQueue({ ...full, 'x-max-length': 10 });
      const proxy = await startTcpProxy({ host: '127.0.0.1', port: world.rabbit.port });
      const taken: string[] = [];
      const target = amqpConnector.open(optionsFor({ protocol, queue, port: proxy.port }));
      let isOpen = true;
      return {
        target,
        async stored() {
          taken.push(...(await idsIn(queue)));
          return taken.toSorted();
        },
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
              // Before the deadline of the test, so that the message is under way by then.
              await target.probe(signal);
              proxy.arm({ match: /"customer"/, how: 'hold' });
              return 'arranged';
            case 'busy':
              await fill(queue);
              return 'arranged';
            case 'refused':
              return undefined;
            case 'one record refused':
              return undefined;
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

describe.each(protocols)('%s', (protocol) => {
  itWith('rabbitmq')('says of each message what it is of, and that it may be there twice', async () => {
    const queue = await makeQueue();
    const batch = outgoing(['a', 'b']);
    await withTarget({ protocol, queue }, async (target) => {
      expect(await target.deliver(batch, signal)).toEqual({ kind: 'acked' });
      expect(await target.deliver(again(batch), signal)).toEqual({ kind: 'acked' });
    });
    const [a, b, again0] = await world.rabbit.takeAll(queue);
    const [keys, recordIds] = [await batch.deliveryKeys(), await batch.recordIds()];
    expect(a!.headers).toEqual({
      'headgate-job-id': batch.jobIds[0],
      'headgate-record-id': recordIds[0],
      'headgate-delivery-key': keys[0],
      'headgate-batch-id': batch.batchId,
      'headgate-attempt': '1',
      traceparent: batch.traceparent,
    });
    expect(a!.properties).toMatchObject({ durable: true, contentType: 'application/json', messageId: keys[0] });
    expect(JSON.parse(a!.body)).toMatchObject({ id: 'a', amount: '1.00' });
    expect(b!.headers).toMatchObject({ 'headgate-record-id': recordIds[1], 'headgate-delivery-key': keys[1] });
    expect(again0!.headers).toMatchObject({
      'headgate-attempt': '2',
      'headgate-possible-duplicate': 'true',
      'headgate-delivery-key': keys[0],
    });
  });

  itWith('rabbitmq')('never makes the queue: a missing one is a fault of the settings', async () => {
    await withTarget({ protocol, queue: `missing.${protocol}` }, async (target) => {
      const told = { code: 'E_TARGET_SETUP', message: expect.stringContaining(`no queue "missing.${protocol}" or no virtual host "/"`) };
      expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true, ...told });
      expect(await target.probe(signal)).toMatchObject({ isReachable: false, ...told });
    });
  });

  itWith('rabbitmq')('refuses for now what comes back because its queue is gone', async () => {
    const queue = await makeQueue();
    await withTarget({ protocol, queue }, async (target) => {
      expect((await target.deliver(outgoing(['a']), signal)).kind).toBe('acked');
      await world.rabbit.deleteQueue(queue);
      const outcome = await target.deliver(outgoing(['b', 'c']), signal);
      expect(outcome).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_SETUP' });
    });
  });

  itWith('rabbitmq')('refuses a record that is larger than the broker takes, alone', async () => {
    const queue = await makeQueue();
    const batch = outgoing(['a', 'x'.repeat(2_000), 'c']);
    await withTarget({ protocol, queue, connection: { maxMessageBytes: 1_000 } }, async (target) => {
      expect(await target.deliver(batch, signal)).toEqual({
        kind: 'acked',
        perRecord: [{ index: 1, status: 'refused', code: 'E_TARGET_RECORD', message: 'the record is larger than the broker takes' }],
      });
    });
    expect(await idsIn(queue)).toEqual(['a', 'c']);
  });

  itWith('rabbitmq')('keeps the order of a batch, far more than the broker gives credit for', async () => {
    const queue = await makeQueue();
    const ids = Array.from({ length: 1_000 }, (_, index) => `r${index}`);
    await withTarget({ protocol, queue, target: { timeoutMs: 20_000 } }, async (target) => {
      expect(await target.deliver(outgoing(ids), signal)).toEqual({ kind: 'acked' });
    });
    expect(await idsIn(queue)).toEqual(ids);
  });

  itWith('rabbitmq')('takes no record past an earlier one of its key that the queue did not take', async () => {
    const queue = await makeQueue({ ...full, 'x-max-length': 5 });
    const ids = Array.from({ length: 40 }, (_, index) => `r${index}`);
    const batch = outgoing(ids, { orderKeys: async () => ids.map(() => 'k') });
    await withTarget({ protocol, queue, target: { order: 'by-key' } }, async (target) => {
      const left = leftOf(await target.deliver(batch, signal));
      expect(left.every(({ status, code }) => status === 'retry' && code === 'E_TARGET_BUSY')).toBe(true);
      expect(left.length).toBeGreaterThan(0);
      expect([...(await idsIn(queue)), ...left.map(({ index }) => ids[index])]).toEqual(ids);
    });
  });

  itWith('rabbitmq')(
    'tells what was confirmed, what nobody knows of and what was not sent when the connection ends in a batch',
    async () => {
      const queue = await makeQueue();
      const proxy = await startTcpProxy({ host: '127.0.0.1', port: world.rabbit.port });
      onTestFinished(() => proxy.close());
      const ids = Array.from({ length: 6 }, (_, index) => `r${index}`);
      proxy.arm({ match: /"r3"/, how: 'forward-and-drop-answer' });
      await withTarget({ protocol, queue, port: proxy.port, target: { order: 'file' } }, async (target) => {
        expect(leftOf(await target.deliver(outgoing(ids), signal)).map(({ index, status }) => [index, status])).toEqual([
          [3, 'unknown'],
          [4, 'retry'],
          [5, 'retry'],
        ]);
      });
      expect(await idsIn(queue)).toEqual(['r0', 'r1', 'r2', 'r3']);
    },
  );

  itWith('rabbitmq')('hands nothing over once the lease is lost', async () => {
    const queue = await makeQueue();
    const lost = new HeadgateError('E_ATTEMPT_ABANDONED', 'the lease of the batch has run out', { retryable: true });
    const assertOurs = () => {
      throw lost;
    };
    await withTarget({ protocol, queue }, async (target) => {
      const outcome = await target.deliver(outgoing(['a'], { assertOurs }), signal);
      expect(outcome).toMatchObject({ kind: 'refused', code: 'E_ATTEMPT_ABANDONED' });
    });
    expect(await idsIn(queue)).toEqual([]);
  });
});

function leftOf(outcome: DeliveryOutcome): readonly RecordResult[] {
  expect(outcome.kind).toBe('acked');
  return outcome.kind === 'acked' ? (outcome.perRecord ?? []) : [];
}

/** The broker of this file takes `bytes` at most, and says so to nobody, until the test ends. */
async function limitMessages(bytes: number): Promise<void> {
  const set = (limit: number) => world.rabbit.ctl('eval', `persistent_term:put(max_message_size, ${limit}).`);
  await set(bytes);
  onTestFinished(async () => void (await set(16 * 1024 * 1024)));
}

describe('records that are larger than a broker of AMQP 0-9-1 takes, which ends the session over them', () => {
  const ids = Array.from({ length: 60 }, (_, index) => `r${index}${'x'.repeat({ 20: 6_000, 25: 5_500, 40: 8_000 }[index] ?? 0)}`);
  const large = [ids[20]!, ids[25]!, ids[40]!];

  itWith('rabbitmq')('are refused alone, and no other one comes again each time', async () => {
    const queue = await makeQueue();
    await limitMessages(5_000);
    let left = ids;
    const refused: string[] = [];
    await withTarget({ protocol: 'amqp-0-9-1', queue }, async (target) => {
      for (let tries = 0; left.length > 0; tries++) {
        expect(tries).toBeLessThan(10);
        const outcome = await target.deliver(outgoing(left), signal);
        const failed =
          outcome.kind === 'acked' ? (outcome.perRecord ?? []) : left.map((_, index) => ({ index, status: 'retry', code: '' }));
        refused.push(...failed.filter(({ status }) => status === 'refused').map(({ index }) => left[index]!));
        expect(failed.some(({ code }) => code === 'E_TARGET_SETUP')).toBe(false);
        left = failed.filter(({ status }) => status !== 'refused').map(({ index }) => left[index]!);
      }
    });
    expect(refused.sort()).toEqual(large.sort());
    const taken = await idsIn(queue);
    expect([...new Set(taken)].sort()).toEqual(ids.filter((id) => !large.includes(id)).sort());
    // Each large one is found by one attempt in which it is one of several, and by another in which it is alone.
    for (const id of new Set(taken)) expect(taken.filter((other) => other === id).length).toBeLessThanOrEqual(1 + large.length);
  });

  itWith('rabbitmq')('are refused at once where each goes alone', async () => {
    const queue = await makeQueue();
    await limitMessages(5_000);
    await withTarget({ protocol: 'amqp-0-9-1', queue, target: { order: 'file' } }, async (target) => {
      expect(leftOf(await target.deliver(outgoing(['a', 'x'.repeat(6_000), 'c']), signal))).toMatchObject([
        { index: 1, status: 'refused', code: 'E_TARGET_RECORD' },
        { index: 2, status: 'retry', code: 'E_TARGET_RECORD' },
      ]);
    });
    expect(await idsIn(queue)).toEqual(['a']);
  });
});

describe('createQueue', () => {
  itWith('rabbitmq')('makes a missing queue, a quorum one, and leaves one that is there as it is', async () => {
    const queue = 'made.by.headgate';
    const given: Given = { protocol: 'amqp-0-9-1', queue, settings: { createQueue: true } };
    await withTarget(given, async (target) => {
      expect(await target.deliver(outgoing(['a']), signal)).toEqual({ kind: 'acked' });
    });
    await withTarget(given, async (target) => {
      expect(await target.deliver(outgoing(['b']), signal)).toEqual({ kind: 'acked' });
    });
    // Of another kind this would be refused.
    await world.rabbit.declareQueue(queue);
    expect(await idsIn(queue)).toEqual(['a', 'b']);
  });

  itWith('rabbitmq')('is for AMQP 0-9-1', () => {
    const options = optionsFor({ protocol: 'amqp-1.0', queue: 'q', settings: { createQueue: true } });
    expect(() => amqpConnector.open(options)).toThrowError(/createQueue needs protocol/);
  });
});

/** Last: nothing is left to deliver to. */
describe('a broker that is killed', () => {
  itWith('rabbitmq')('ends what is under way as unknown and what comes after as refused, and nothing else of this process', async () => {
    const queue = await makeQueue();
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: world.rabbit.port });
    onTestFinished(() => proxy.close());
    const targets = protocols.flatMap((protocol) =>
      [proxy.port, world.rabbit.port].map((port) => amqpConnector.open(optionsFor({ protocol, queue, port }))),
    );
    for (const target of targets) expect((await target.deliver(outgoing(['a']), signal)).kind).toBe('acked');
    const underWay = [0, 2].map(async (index) => {
      proxy.arm({ match: /"held"/, how: 'hold' });
      return await targets[index]!.deliver(outgoing(['held']), signal);
    });
    await world.rabbit.kill();
    await proxy.close();
    expect((await Promise.all(underWay)).map(({ kind }) => kind)).toEqual(['unknown', 'unknown']);
    for (const target of targets) {
      expect(await target.deliver(outgoing(['b']), signal)).toMatchObject({
        kind: 'refused',
        retryable: true,
        code: 'E_TARGET_UNREACHABLE',
      });
      await target.close();
    }
  });
});
