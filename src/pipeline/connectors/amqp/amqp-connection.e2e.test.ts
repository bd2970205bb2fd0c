/** What stands between a target and its broker: credentials, rights, TLS, the policy, and a broker that wants no more. */
import { describe, expect, onTestFinished } from 'vitest';
import { itWith } from '../../../../test/support/components.ts';
import { createSecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import { strictEgress } from '../connector.ts';
import { again, outgoing } from '../connector-contract.fixture.ts';
import { protocols, useRabbitMq } from './amqp.fixture.ts';
import { amqpConnector } from './amqp-connector.ts';

const world = useRabbitMq();
const { makeQueue, optionsFor, withTarget, idsIn } = world;
const signal = new AbortController().signal;
const memoryMark = ['set_vm_memory_high_watermark'];

describe.each(protocols)('%s', (protocol) => {
  itWith('rabbitmq')('refuses for now with wrong credentials, shows none, and takes those that came in mid-run', async () => {
    const queue = await makeQueue();
    const env = { P: 'one' };
    const options = optionsFor({ protocol, queue, connection: { user: 'rotating' } });
    const target = amqpConnector.open({ ...options, secrets: createSecretResolver({ env, limits: null }) });
    onTestFinished(() => target.close());
    await world.rabbit.ctl('change_password', 'rotating', 'one');
    expect(await target.deliver(outgoing(['a']), signal)).toEqual({ kind: 'acked' });
    env.P = 'swordfish';
    const refused = await target.deliver(outgoing(['b']), signal);
    expect(refused).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_FORBIDDEN' });
    expect(JSON.stringify(refused)).not.toMatch(/swordfish|rotating/);
    expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_TARGET_FORBIDDEN' });
    await world.rabbit.ctl('change_password', 'rotating', 'swordfish');
    expect(await target.deliver(outgoing(['c']), signal)).toEqual({ kind: 'acked' });
    expect(await idsIn(queue)).toEqual(['a', 'c']);
  });

  itWith('rabbitmq')('refuses for now where the user may not write, and says so when it is probed', async () => {
    const queue = await makeQueue();
    await withTarget({ protocol, queue, connection: { user: 'reader' }, env: { P: 'reading' } }, async (target) => {
      expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_TARGET_FORBIDDEN' });
      const outcome = await target.deliver(outgoing(['a', 'b']), signal);
      expect(outcome).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_FORBIDDEN' });
    });
    expect(await idsIn(queue)).toEqual([]);
  });

  itWith('rabbitmq')('leaves nothing in the queue when it is probed, and delivers after it', async () => {
    const queue = await makeQueue();
    await withTarget({ protocol, queue }, async (target) => {
      expect(await target.probe(signal)).toMatchObject({ isReachable: true });
      expect(await target.deliver(outgoing(['a']), signal)).toEqual({ kind: 'acked' });
      expect(await target.probe(signal)).toMatchObject({ isReachable: true });
    });
    expect(await idsIn(queue)).toEqual(['a']);
  });

  itWith('rabbitmq')('refuses a virtual host that is not there', async () => {
    // By AMQP 1.0 RabbitMQ ends the connection and says nothing.
    const code = protocol === 'amqp-1.0' ? 'E_TARGET_UNREACHABLE' : 'E_TARGET_SETUP';
    await withTarget({ protocol, queue: 'q', connection: { vhost: 'nowhere' } }, async (target) => {
      expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true, code });
    });
  });

  itWith('rabbitmq')('connects to no address that the policy forbids, and to none without TLS unless it allows that', async () => {
    const options = optionsFor({ protocol, queue: 'q' });
    expect(() => amqpConnector.open({ ...options, egress: strictEgress })).toThrowError(/TLS/);
    const target = amqpConnector.open({ ...options, egress: { allowPrivate: [], allowPlain: true } });
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_SSRF' });
    await target.close();
  });

  itWith('rabbitmq')('speaks TLS to the name of the connection, and trusts the authority that it names alone', async () => {
    const queue = await makeQueue();
    const connection = { host: world.rabbit.hostName, tls: 'verify-full' };
    const ports = { resolveHost: async () => ['127.0.0.1'] };
    const open = (authority: Record<string, unknown>) => {
      const options = optionsFor({
        protocol,
        queue,
        port: world.rabbit.tlsPort,
        connection: { ...connection, ...authority },
        env: { CA: world.rabbit.certificate },
      });
      return amqpConnector.open({
        ...options,
        egress: { allowPrivate: ['127.0.0.0/8'], allowPlain: false },
        ports: { ...options.ports, ...ports },
      });
    };
    const trusted = open({ certificateAuthority: 'env:CA' });
    expect(await trusted.deliver(outgoing(['a']), signal)).toEqual({ kind: 'acked' });
    const untrusted = open({});
    expect(await untrusted.deliver(outgoing(['b']), signal)).toMatchObject({
      kind: 'refused',
      retryable: true,
      code: 'E_TARGET_UNREACHABLE',
    });
    await Promise.all([trusted.close(), untrusted.close()]);
    expect(await idsIn(queue)).toEqual(['a']);
  });

  itWith('rabbitmq')('makes a new connection where the broker closed the one that was kept', async () => {
    const queue = await makeQueue();
    await withTarget({ protocol, queue }, async (target) => {
      expect((await target.deliver(outgoing(['a']), signal)).kind).toBe('acked');
      await world.rabbit.ctl('close_all_connections', 'maintenance');
      expect((await target.deliver(outgoing(['b']), signal)).kind).toBe('acked');
    });
    expect(await idsIn(queue)).toEqual(['a', 'b']);
  });

  itWith('rabbitmq')('acknowledges nothing that a broker without free disk has not taken', async () => {
    const queue = await makeQueue();
    await withTarget({ protocol, queue }, async (target) => {
      expect((await target.deliver(outgoing(['a']), signal)).kind).toBe('acked');
      await world.rabbit.ctl('set_disk_free_limit', '1000000GB');
      const batch = outgoing(['b', 'c']);
      const outcome = await target.deliver(batch, AbortSignal.timeout(500));
      await world.rabbit.ctl('set_disk_free_limit', '1MB');
      expect(outcome).toMatchObject({ kind: expect.stringMatching(/unknown|refused/), code: 'E_TARGET_TIMEOUT' });
      expect((await target.deliver(again(batch), signal)).kind).toBe('acked');
    });
    // What was under way may have been taken with the alarm's end.
    expect([...new Set(await idsIn(queue))]).toEqual(['a', 'b', 'c']);
  });

  itWith('rabbitmq')('that is given up while the broker is short of disk leaves no copy that comes behind the labelled one', async () => {
    const ports = { resolveHost: async () => ['127.0.0.1'] };
    const { hostName, tlsPort } = world.rabbit;
    const opened = await Promise.all(
      [{}, { port: tlsPort, connection: { host: hostName, tls: 'require' } }].map(async (place) => {
        const queue = await makeQueue();
        const options = optionsFor({ protocol, queue, ...place });
        const target = amqpConnector.open({ ...options, ports: { ...options.ports, ...ports } });
        onTestFinished(() => target.close());
        return { queue, target, batch: outgoing(['b', 'c', 'd']) };
      }),
    );
    for (const { target } of opened) expect((await target.deliver(outgoing(['a']), signal)).kind).toBe('acked');
    await world.rabbit.ctl('set_disk_free_limit', '1000000GB');
    const outcomes = await Promise.all(opened.map(({ target, batch }) => target.deliver(batch, AbortSignal.timeout(500))));
    await world.rabbit.ctl('set_disk_free_limit', '1MB');
    for (const outcome of outcomes) expect(outcome).toMatchObject({ code: 'E_TARGET_TIMEOUT' });
    for (const { target, batch } of opened) expect((await target.deliver(again(batch), signal)).kind).toBe('acked');
    for (const { queue } of opened) expect(await idsIn(queue)).toEqual(['a', 'b', 'c', 'd']);
  });

  itWith('rabbitmq')('sends nothing to a broker that is short of memory, and says so when it is probed', async () => {
    const queue = await makeQueue();
    await world.rabbit.ctl(...memoryMark, '0.00001');
    for (let round = 0; round < 5; round++) {
      await withTarget({ protocol, queue }, async (target) => {
        expect(await target.probe(AbortSignal.timeout(3_000))).toMatchObject({
          isReachable: false,
          code: 'E_TARGET_BUSY',
          message: 'the broker takes no messages: it is short of memory or disk',
        });
      });
      await withTarget({ protocol, queue }, async (target) => {
        const outcome = await target.deliver(outgoing(['a']), AbortSignal.timeout(500));
        expect(outcome).toMatchObject({ kind: 'refused', retryable: true, message: expect.stringMatching(/short of memory/) });
      });
    }
    await world.rabbit.ctl(...memoryMark, '0.6');
    await withTarget({ protocol, queue }, async (target) => {
      expect(await target.deliver(outgoing(['b']), signal)).toEqual({ kind: 'acked' });
      expect(await target.probe(signal)).toMatchObject({ isReachable: true });
    });
    expect(await idsIn(queue)).toEqual(['b']);
  });

  itWith('rabbitmq')('waits for a broker that is short of memory, and sends each record once when that is over', async () => {
    const queue = await makeQueue();
    await world.rabbit.ctl(...memoryMark, '0.00001');
    await withTarget({ protocol, queue }, async (kept) => {
      await withTarget({ protocol, queue }, async (fresh) => {
        expect(await kept.probe(signal)).toMatchObject({ isReachable: false, code: 'E_TARGET_BUSY' });
        const outcomes = Promise.all([kept.deliver(outgoing(['a', 'b']), signal), fresh.deliver(outgoing(['c']), signal)]);
        await world.rabbit.ctl(...memoryMark, '0.6');
        expect(await outcomes).toEqual([{ kind: 'acked' }, { kind: 'acked' }]);
      });
    });
    expect((await idsIn(queue)).sort()).toEqual(['a', 'b', 'c']);
  });

  itWith('rabbitmq')('C5: sends to the queue that is named and no other place, and text of a record is never a header', async () => {
    const queue = await makeQueue({}, '/exchanges/amq.fanout/${env.SECRET}?x=%2F');
    const text = 'a\r\nheadgate-possible-duplicate: true\u0000';
    await withTarget({ protocol, queue }, async (target) => {
      expect(await target.deliver(outgoing([text]), signal)).toEqual({ kind: 'acked' });
    });
    const [message] = await world.rabbit.takeAll(queue);
    expect(JSON.parse(message!.body)).toMatchObject({ id: text });
    expect(Object.keys(message!.headers).sort()).toEqual([
      'headgate-attempt',
      'headgate-batch-id',
      'headgate-delivery-key',
      'headgate-job-id',
      'headgate-record-id',
      'traceparent',
    ]);
  });
});

describe('C5: settings', () => {
  itWith('rabbitmq')('that name no queue are refused before anything is opened', () => {
    for (const queue of ['a b', 'a\nb', 'ä', '', 'x'.repeat(256)]) {
      const options = optionsFor({ protocol: 'amqp-1.0', queue });
      expect(() => amqpConnector.open(options)).toThrowError(expect.objectContaining({ code: 'E_TARGET' }));
    }
  });
});
