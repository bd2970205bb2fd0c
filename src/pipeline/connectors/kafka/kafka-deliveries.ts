/** Delivers batches through producers that are kept, and says what became of them. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { createAddressGuard } from '../address-guard.ts';
import type { DeliveryOutcome, OpenOptions, Target } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { joinResults } from '../record-outcomes.ts';
import { connectionFailure, missingPartition } from './kafka-failure.ts';
import { createKeyReader } from './kafka-key.ts';
import { sendBatch } from './kafka-sending.ts';
import { createKafkaSessions } from './kafka-sessions.ts';
import type { KafkaSettings } from './kafka-settings.ts';

export type KafkaDeliveries = Pick<Target, 'deliver' | 'probe' | 'close'>;

export function createKafkaDeliveries(options: OpenOptions, settings: KafkaSettings): KafkaDeliveries {
  const { clock } = options.ports;
  const sessions = createKafkaSessions({
    settings,
    guard: createAddressGuard(options.egress, options.ports.resolveHost),
    secrets: options.secrets,
    clock,
    idleMax: options.target.concurrency,
  });
  const readKey = createKeyReader(settings.key, settings.output);
  let turns = Math.floor(options.ports.rng.fraction() * 1_000);
  return {
    async deliver(batch, signal) {
      try {
        const [keys, recordIds] = [await batch.deliveryKeys(), await batch.recordIds()];
        return await sessions.use(signal, async (session) => {
          await session.refresh();
          turns = (turns + 1) % 1_000_000;
          const failed = await sendBatch({ settings, batch, session, signal, keys, recordIds, readKey, turn: turns });
          return joinResults(failed, batch.records);
        });
      } catch (error) {
        return unsent(error, signal);
      }
    },
    async probe(signal) {
      const startMs = clock.monotonicMs();
      const durationMs = () => clock.monotonicMs() - startMs;
      try {
        const partitions = await sessions.use(signal, async (session) => {
          await session.refresh(0);
          const wanted = settings.partition === null ? [...Array(session.partitions).keys()] : [settings.partition];
          const missing = wanted.find((partition) => partition >= session.partitions);
          if (missing !== undefined) throw missingPartition(settings.topic, missing);
          if (wanted.some((partition) => session.leaderOf(partition) === null))
            throw new HeadgateError(connectorErrors.E_TARGET_BUSY, 'no broker leads a partition of the topic for now');
          for (const leader of new Set(wanted.map((partition) => session.leaderOf(partition)!))) await session.connect(leader, signal);
          return session.partitions;
        });
        const message = `the topic is there, and the brokers that lead its partitions (${partitions}) take connections`;
        return { isReachable: true, code: null, message, durationMs: durationMs() };
      } catch (error) {
        const { code, message } = unsent(error, signal);
        return { isReachable: false, code, message, durationMs: durationMs() };
      }
    },
    close: () => sessions.close(),
  };
}

/** Before the first message was handed over. */
function unsent(error: unknown, signal: AbortSignal): Extract<DeliveryOutcome, { kind: 'refused' }> {
  if (signal.aborted) {
    const message = 'the broker could not be reached in time';
    return { kind: 'refused', retryable: true, code: connectorErrors.E_TARGET_TIMEOUT, message };
  }
  if (!(error instanceof HeadgateError)) throw error;
  const { code, message } = connectionFailure(error);
  return { kind: 'refused', retryable: true, code, message };
}
