/** The kafka connector. */
import type { Connector } from '../connector.ts';
import { kafkaConnectionSettings, kafkaTargetSettings } from './kafka-settings.ts';
import { openKafkaTarget } from './kafka-target.ts';

export const kafkaConnector: Connector = {
  name: 'kafka',
  summary: 'A message for each record to a topic of Kafka.',
  documentation: 'connectors/kafka.md',
  connectionType: 'kafka',
  bodies: ['ndjson'],
  targetSettings: kafkaTargetSettings,
  connectionSettings: kafkaConnectionSettings,
  open: openKafkaTarget,
};
