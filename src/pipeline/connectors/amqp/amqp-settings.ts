/** Settings of amqp targets and connections, and the checks that need more than one of them. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { OpenOptions } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { type ConnectorSetting, readSettings } from '../connector-settings.ts';

export const amqpTargetSettings: readonly ConnectorSetting[] = [
  { name: 'queue', type: 'text', isRequired: true, default: null, description: 'The queue; a message for each record.' },
  {
    name: 'createQueue',
    type: 'boolean',
    default: false,
    description: 'Make it, durable and replicated (quorum), where it is missing; else a missing queue is refused.',
  },
  {
    name: 'confirmsInFlight',
    type: 'integer',
    default: 256,
    description:
      'Messages of one batch that wait for their confirm at the same time; one of a key with `order: by-key`, one with `order: file`.',
  },
];

export const amqpConnectionSettings: readonly ConnectorSetting[] = [
  { name: 'host', type: 'text', isRequired: true, default: null, description: 'Host name or address.' },
  { name: 'port', type: 'integer', default: null, description: 'Port; 5671, or 5672 without TLS.' },
  {
    name: 'protocol',
    type: 'choice',
    choices: ['amqp-0-9-1', 'amqp-1.0'],
    default: 'amqp-0-9-1',
    description: 'What is spoken. 1.0 with the addresses of RabbitMQ 4.',
  },
  { name: 'vhost', type: 'text', default: '/', description: 'Virtual host.' },
  { name: 'user', type: 'text', isRequired: true, default: null, description: 'User.' },
  { name: 'password', type: 'secret', isRequired: true, default: null, description: 'Reference to its password.' },
  {
    name: 'tls',
    type: 'choice',
    choices: ['verify-full', 'require', 'disable'],
    default: 'verify-full',
    description: '`disable` only where the policy allows plain connections.',
  },
  { name: 'certificateAuthority', type: 'secret', default: null, description: 'PEM of the authority that signed the server.' },
  {
    name: 'maxMessageBytes',
    type: 'integer',
    default: 16 * 1024 * 1024,
    description: 'The largest message that the broker takes; a larger record is refused alone.',
  },
];

export interface AmqpSettings {
  readonly queue: string;
  readonly createQueue: boolean;
  readonly confirmsInFlight: number;
  readonly host: string;
  readonly port: number;
  readonly protocol: 'amqp-0-9-1' | 'amqp-1.0';
  readonly vhost: string;
  readonly user: string;
  readonly password: string;
  readonly tls: 'verify-full' | 'require' | 'disable';
  readonly certificateAuthority: string | null;
  readonly maxMessageBytes: number;
}

/** Fails with E_TARGET. */
export function readAmqpSettings({ target, connection, egress }: OpenOptions): AmqpSettings {
  const own = readSettings(amqpTargetSettings, target.settings);
  const server = readSettings(amqpConnectionSettings, connection.settings);
  const refuse = (message: string): never => {
    throw new HeadgateError(connectorErrors.E_TARGET, message);
  };
  if (target.body.format !== 'ndjson') refuse('an amqp target needs a body of format ndjson');
  const queue = own['queue'] as string;
  if (!/^[\x21-\x7e]{1,255}$/.test(queue)) refuse('the queue of the target is no queue name');
  const host = server['host'] as string;
  if (!/^[A-Za-z0-9._:-]{1,253}$/.test(host)) refuse('the host of the connection is no host name or address');
  if (server['tls'] === 'disable' && !egress.allowPlain) refuse("AMQP without TLS needs `egress.allowPlain` in the tenant's policy");
  if (own['createQueue'] === true && server['protocol'] === 'amqp-1.0') refuse('createQueue needs protocol amqp-0-9-1');
  return {
    queue,
    createQueue: own['createQueue'] as boolean,
    confirmsInFlight: target.order === 'file' ? 1 : Math.max(1, Math.min(1024, own['confirmsInFlight'] as number)),
    host,
    port: (server['port'] as number | undefined) ?? (server['tls'] === 'disable' ? 5672 : 5671),
    protocol: server['protocol'] as AmqpSettings['protocol'],
    vhost: server['vhost'] as string,
    user: server['user'] as string,
    password: server['password'] as string,
    tls: server['tls'] as AmqpSettings['tls'],
    certificateAuthority: (server['certificateAuthority'] as string | undefined) ?? null,
    maxMessageBytes: server['maxMessageBytes'] as number,
  };
}
