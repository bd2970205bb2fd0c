/** The target of a topic. The client is loaded with the first delivery: that takes a quarter of the start of a server, and few have such targets. */
import type { OpenOptions, Target } from '../connector.ts';
import type { KafkaDeliveries } from './kafka-deliveries.ts';
import { readKafkaSettings } from './kafka-settings.ts';

/** Fails with E_TARGET on settings that can't work. */
export function openKafkaTarget(options: OpenOptions): Target {
  const settings = readKafkaSettings(options);
  let begun: Promise<KafkaDeliveries> | undefined;
  const deliveries = () => {
    begun ??= import('./kafka-deliveries.ts').then(({ createKafkaDeliveries }) => createKafkaDeliveries(options, settings));
    return begun;
  };
  return {
    unknownResolution: 'labelled-resend',
    deliver: async (batch, signal) => await (await deliveries()).deliver(batch, signal),
    probe: async (signal) => await (await deliveries()).probe(signal),
    close: async () => await (await begun)?.close(),
  };
}
