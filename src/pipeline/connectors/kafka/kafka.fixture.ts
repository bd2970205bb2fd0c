/** A Kafka cluster of the test file, and targets of the kafka connector that deliver to it. */
import { afterAll, beforeAll } from 'vitest';
import { hasComponent } from '../../../../test/support/components.ts';
import { type KafkaCluster, startKafka } from '../../../../test/support/kafka-mock.ts';
import type { Expression } from '../../engine/expressions/expression.ts';
import type { OpenOptions, Target } from '../connector.ts';
import { openOptions } from '../connector-contract.fixture.ts';
import { kafkaConnector } from './kafka-connector.ts';

export interface Given {
  readonly topic: string;
  readonly brokers?: readonly string[];
  readonly settings?: Record<string, unknown>;
  readonly connection?: Record<string, unknown>;
  readonly env?: Record<string, string>;
  readonly target?: Record<string, unknown>;
}

/** `out.id` of `outgoing`, as the flow compiler makes it. */
export const outId: Expression = { kind: 'field', type: 'string', scope: 'out', index: 0, name: 'id' };

/** Call it at the top of a test file. */
export function useKafka(options: { readonly brokers?: number } = {}) {
  let cluster: KafkaCluster | undefined;
  beforeAll(async () => {
    if (hasComponent('kafka')) cluster = await startKafka(options);
  });
  afterAll(async () => await cluster?.stop());

  function optionsFor({ topic, brokers = cluster!.brokers, settings, connection, env, target }: Given): OpenOptions {
    return openOptions(kafkaConnector, {
      settings: { topic, ...settings },
      connection: { brokers, tls: 'disable', ...connection },
      env: env ?? {},
      target: { timeoutMs: 3_000, ...target },
    });
  }

  return {
    get cluster() {
      return cluster!;
    },
    optionsFor,
    async withTarget(given: Given, work: (target: Target) => Promise<void>): Promise<void> {
      const target = kafkaConnector.open(optionsFor(given));
      try {
        await work(target);
      } finally {
        await target.close();
      }
    },
    async idsIn(topic: string): Promise<string[]> {
      return (await cluster!.read(topic)).map(({ payload }) => (JSON.parse(payload) as { id: string }).id);
    },
  };
}
