import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { hasComponent, itWith } from '../../../../test/support/components.ts';
import { type RabbitMq, startRabbitMq } from '../../../../test/support/rabbitmq.ts';
import { startTcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { createSecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import { type DeliveryOutcome, type RecordResult, strictEgress, type Target } from '../connector.ts';
import { again, describeConnectorContract, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { amqpConnector } from './amqp-connector.ts';

const protocols = ['amqp-0-9-1', 'amqp-1.0'] as const;
type Protocol = (typeof protocols)[number];

let rabbit: RabbitMq;
beforeAll(async () => {
  if (!hasComponent('rabbitmq')) return;
  rabbit = await startRabbitMq();
  await rabbit.ctl('eval', `${addUser('rotating', 'one', '.*')}, ${addUser('reader', 'reading', '^$')}.`);
});
afterAll(async () => await rabbit?.stop());

/** One that may read everything and write where `writes` says so. */
function addUser(name: string, password: string, writes: string): string {
  const module = 'rabbit_auth_backend_internal';
  return `${module}:add_user(<<"${name}">>, <<"${password}">>, <<"t">>), ${module}:set_permissions(<<"${name}">>, <<"/">>, <<".*">>, <<"${writes}">>, <<".*">>, <<"t">>)`;
}

const signal = new AbortController().signal;
let queues = 0;

async function makeQueue(args: Record<string, unknown> = {}): Promise<string> {
  const queue = `RTGS.IN.${++queues}`;
  await rabbit.declareQueue(queue, args);
  return queue;
}

interface Given {
  readonly protocol: Protocol;
  readonly queue: string;
  readonly port?: number;
  readonly settings?: Record<string, unknown>;
  readonly connection?: Record<string, unknown>;
  readonly env?: Record<string, string>;
  readonly target?: Record<string, unknown>;
}

function optionsFor({ protocol, queue, port = rabbit.port, settings, connection, env, target }: Given) {
  return openOptions(amqpConnector, {
    settings: { queue, ...settings },
    connection: { host: '127.0.0.1', port, protocol, user: rabbit.user, password: 'env:P', tls: 'disable', ...connection },
    env: { P: rabbit.password, ...env },
    target: { timeoutMs: 3_000, ...target },
  });
}

async function withTarget(given: Given, work: (target: Target) => Promise<void>): Promise<void> {
  const target = amqpConnector.open(optionsFor(given));
  try {
    await work(target);
  } finally {
    await target.close();
  }
}

async function idsIn(queue: string): Promise<string[]> {
  return (await rabbit.takeAll(queue)).map(({ body }) => (JSON.parse(body) as { id?: string }).id!).filter((id) => id !== undefined);
}

/** Until the broker refuses more. */
async function fill(queue: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      await rabbit.publish(queue, '{}');
    } catch {
      return;
    }
  }
  throw new Error('the queue is never full');
}

const full = { 'x-overflow': 'reject-publish' };

describe.runIf(hasComponent('rabbitmq')).each(protocols)('over %s', (protocol) => {
  describeConnectorContract({
    connector: amqpConnector,
    async open() {
      const queue = await makeQueue({ ...full, 'x-max-length': 10 });
      const proxy = await startTcpProxy({ host: '127.0.0.1', port: rabbit.port });
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
        isIdempotent: false,
        async arrange(fault) {
          switch (fault) {
            case 'reply lost':
              proxy.arm({ match: /"customer"/, how: 'forward-and-drop-answer' });
              return 'arranged';
            case 'reset while sending':
              proxy.arm({ match: /"customer"/, how: 'cut-before-forward' });
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
    const [a, b, again0] = await rabbit.takeAll(queue);
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
      expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_SETUP' });
      expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_TARGET_SETUP' });
    });
  });

  itWith('rabbitmq')('refuses for now what comes back because its queue is gone', async () => {
    const queue = await makeQueue();
    await withTarget({ protocol, queue }, async (target) => {
      expect((await target.deliver(outgoing(['a']), signal)).kind).toBe('acked');
      await rabbit.deleteQueue(queue);
      const outcome = await target.deliver(outgoing(['b', 'c']), signal);
      expect(outcome).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_SETUP' });
    });
  });

  itWith('rabbitmq')('refuses for now with wrong credentials, shows none, and takes those that came in mid-run', async () => {
    const queue = await makeQueue();
    const env = { P: 'one' };
    const options = optionsFor({ protocol, queue, connection: { user: 'rotating' } });
    const target = amqpConnector.open({ ...options, secrets: createSecretResolver({ env, limits: null }) });
    onTestFinished(() => target.close());
    await rabbit.ctl('change_password', 'rotating', 'one');
    expect(await target.deliver(outgoing(['a']), signal)).toEqual({ kind: 'acked' });
    env.P = 'swordfish';
    const refused = await target.deliver(outgoing(['b']), signal);
    expect(refused).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_FORBIDDEN' });
    expect(JSON.stringify(refused)).not.toMatch(/swordfish|rotating/);
    expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_TARGET_FORBIDDEN' });
    await rabbit.ctl('change_password', 'rotating', 'swordfish');
    expect(await target.deliver(outgoing(['c']), signal)).toEqual({ kind: 'acked' });
    expect(await idsIn(queue)).toEqual(['a', 'c']);
  });

  itWith('rabbitmq')('refuses for now where the user may not write', async () => {
    const queue = await makeQueue();
    await withTarget({ protocol, queue, connection: { user: 'reader' }, env: { P: 'reading' } }, async (target) => {
      const outcome = await target.deliver(outgoing(['a', 'b']), signal);
      expect(outcome).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_FORBIDDEN' });
    });
    expect(await idsIn(queue)).toEqual([]);
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
    const connection = { host: rabbit.hostName, tls: 'verify-full' };
    const ports = { resolveHost: async () => ['127.0.0.1'] };
    const open = (authority: Record<string, unknown>) => {
      const options = optionsFor({
        protocol,
        queue,
        port: rabbit.tlsPort,
        connection: { ...connection, ...authority },
        env: { CA: rabbit.certificate },
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

  itWith('rabbitmq')('refuses a record that is larger than the broker takes, alone', async () => {
    const queue = await makeQueue();
    const batch = outgoing(['a', 'x'.repeat(2_000), 'c']);
    await withTarget({ protocol, queue, connection: { maxMessageBytes: 1_000 } }, async (target) => {
      expect(await target.deliver(batch, signal)).toEqual({
        kind: 'acked',
        perRecord: [{ index: 1, status: 'refused', code: 'E_TARGET_RECORD' }],
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
      const proxy = await startTcpProxy({ host: '127.0.0.1', port: rabbit.port });
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
    await rabbit.declareQueue(queue);
    expect(await idsIn(queue)).toEqual(['a', 'b']);
  });

  itWith('rabbitmq')('is for AMQP 0-9-1', () => {
    const options = optionsFor({ protocol: 'amqp-1.0', queue: 'q', settings: { createQueue: true } });
    expect(() => amqpConnector.open(options)).toThrowError(/createQueue needs protocol/);
  });
});
