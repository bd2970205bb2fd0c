/** A RabbitMQ of the test file, and targets of the amqp connector that deliver to it. */
import { afterAll, beforeAll } from 'vitest';
import { hasComponent } from '../../../../test/support/components.ts';
import { type RabbitMq, startRabbitMq } from '../../../../test/support/rabbitmq.ts';
import type { Target } from '../connector.ts';
import { openOptions } from '../connector-contract.fixture.ts';
import { amqpConnector } from './amqp-connector.ts';

export const protocols = ['amqp-0-9-1', 'amqp-1.0'] as const;

export interface Given {
  readonly protocol: (typeof protocols)[number];
  readonly queue: string;
  readonly port?: number;
  readonly settings?: Record<string, unknown>;
  readonly connection?: Record<string, unknown>;
  readonly env?: Record<string, string>;
  readonly target?: Record<string, unknown>;
}

/** Of queues that refuse what they have no room for. */
export const full = { 'x-overflow': 'reject-publish' };

/** Call it at the top of a test file. Besides the usual user there are `rotating`, and `reader` (password `reading`), who may not write. */
export function useRabbitMq() {
  let rabbit: RabbitMq | undefined;
  let queues = 0;
  beforeAll(async () => {
    if (!hasComponent('rabbitmq')) return;
    rabbit = await startRabbitMq();
    await rabbit.ctl('eval', `${addUser('rotating', 'one', '.*')}, ${addUser('reader', 'reading', '^$')}.`);
  });
  afterAll(async () => await rabbit?.stop());

  function optionsFor({ protocol, queue, port = rabbit!.port, settings, connection, env, target }: Given) {
    return openOptions(amqpConnector, {
      settings: { queue, ...settings },
      connection: { host: '127.0.0.1', port, protocol, user: rabbit!.user, password: 'env:P', tls: 'disable', ...connection },
      env: { P: rabbit!.password, ...env },
      target: { timeoutMs: 3_000, ...target },
    });
  }

  return {
    get rabbit() {
      return rabbit!;
    },
    optionsFor,
    async makeQueue(args: Record<string, unknown> = {}, suffix = ''): Promise<string> {
      const queue = `RTGS.IN.${++queues}${suffix}`;
      await rabbit!.declareQueue(queue, args);
      return queue;
    },
    async withTarget(given: Given, work: (target: Target) => Promise<void>): Promise<void> {
      const target = amqpConnector.open(optionsFor(given));
      try {
        await work(target);
      } finally {
        await target.close();
      }
    },
    /** Takes all out. */
    async idsIn(queue: string): Promise<string[]> {
      const taken = await rabbit!.takeAll(queue);
      return taken.map(({ body }) => (JSON.parse(body) as { id?: string }).id!).filter((id) => id !== undefined);
    },
    /** Until the broker refuses more. */
    async fill(queue: string): Promise<void> {
      for (let tries = 0; tries < 100; tries++) {
        try {
          await rabbit!.publish(queue, '{}');
        } catch {
          return;
        }
      }
      throw new Error('the queue is never full');
    },
  };
}

/** One that may read everything and write where `writes` says so. */
function addUser(name: string, password: string, writes: string): string {
  const module = 'rabbit_auth_backend_internal';
  return `${module}:add_user(<<"${name}">>, <<"${password}">>, <<"t">>), ${module}:set_permissions(<<"${name}">>, <<"/">>, <<".*">>, <<"${writes}">>, <<".*">>, <<"t">>)`;
}
