/** The amqp connector. */
import type { Connector } from '../connector.ts';
import { amqpConnectionSettings, amqpTargetSettings } from './amqp-settings.ts';
import { openAmqpTarget } from './amqp-target.ts';

export const amqpConnector: Connector = {
  name: 'amqp',
  summary: 'A message for each record to a queue, by AMQP 0-9-1 or 1.0.',
  documentation: 'connectors/amqp.md',
  connectionType: 'amqp',
  bodies: ['ndjson'],
  targetSettings: amqpTargetSettings,
  connectionSettings: amqpConnectionSettings,
  open: openAmqpTarget,
};
