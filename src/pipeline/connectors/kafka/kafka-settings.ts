/** Settings of kafka targets and connections, and the checks that need more than one of them. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Expression } from '../../engine/expressions/expression.ts';
import type { OutputFieldPlan } from '../../engine/plan.ts';
import type { OpenOptions } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { type ConnectorSetting, readSettings } from '../connector-settings.ts';

export const kafkaTargetSettings: readonly ConnectorSetting[] = [
  { name: 'topic', type: 'text', isRequired: true, default: null, description: 'The topic; a message for each record.' },
  {
    name: 'key',
    type: 'object',
    default: null,
    description: 'Expression over `out` whose value is the key of the message; without it messages have none.',
  },
  {
    name: 'partition',
    type: 'integer',
    default: null,
    description: 'Where all messages go; without it the key decides, and batches take turns where there is no key.',
  },
  {
    name: 'compression',
    type: 'choice',
    choices: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    default: 'none',
    description: 'Of what is sent.',
  },
];

export const kafkaConnectionSettings: readonly ConnectorSetting[] = [
  { name: 'brokers', type: 'texts', isRequired: true, default: null, description: 'host:port of brokers that are asked first, in order.' },
  {
    name: 'tls',
    type: 'choice',
    choices: ['verify-full', 'require', 'disable'],
    default: 'verify-full',
    description: '`disable` only where the policy allows plain connections.',
  },
  { name: 'certificateAuthority', type: 'secret', default: null, description: 'PEM of the authority that signed the brokers.' },
  {
    name: 'sasl',
    type: 'choice',
    choices: ['none', 'plain', 'scram-sha-256', 'scram-sha-512'],
    default: 'none',
    description: 'How the user is authenticated.',
  },
  { name: 'user', type: 'text', default: null, description: 'User, with `sasl`.' },
  { name: 'password', type: 'secret', default: null, description: 'Reference to its password.' },
  {
    name: 'maxMessageBytes',
    type: 'integer',
    default: 1_000_000,
    description: 'The most that the topic takes at once, and the largest message; a larger record is refused alone.',
  },
];

export interface KafkaSettings {
  readonly topic: string;
  readonly key: Expression | null;
  readonly output: readonly OutputFieldPlan[];
  readonly partition: number | null;
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  readonly brokers: readonly BrokerPlace[];
  readonly tls: 'verify-full' | 'require' | 'disable';
  readonly certificateAuthority: string | null;
  readonly sasl: 'none' | 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly user: string | null;
  readonly password: string | null;
  readonly maxMessageBytes: number;
  readonly timeoutMs: number;
  /** `ce_source` of every message. */
  readonly source: string;
}

export interface BrokerPlace {
  readonly host: string;
  readonly port: number;
}

/** Fails with E_TARGET. */
export function readKafkaSettings({ target, plan, connection, egress }: OpenOptions): KafkaSettings {
  const own = readSettings(kafkaTargetSettings, target.settings);
  const cluster = readSettings(kafkaConnectionSettings, connection.settings);
  if (target.body.format !== 'ndjson') refuse('a kafka target needs a body of format ndjson');
  const topic = own['topic'] as string;
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(topic) || /^\.{1,2}$/.test(topic)) refuse('the topic of the target is no topic name');
  const partition = (own['partition'] as number | undefined) ?? null;
  const key = (own['key'] as Expression | undefined) ?? null;
  if (target.order === 'file' && partition === null) refuse('order: file needs partition: Kafka keeps the order of one partition');
  if (target.order === 'by-key' && partition === null && key === null) refuse('order: by-key needs key or partition');
  const sasl = cluster['sasl'] as KafkaSettings['sasl'];
  const user = (cluster['user'] as string | undefined) ?? null;
  const password = (cluster['password'] as string | undefined) ?? null;
  if (sasl === 'none' ? user !== null || password !== null : user === null || password === null)
    refuse('user and password of the connection go with sasl, and sasl with both');
  if (cluster['tls'] === 'disable' && !egress.allowPlain) refuse("Kafka without TLS needs `egress.allowPlain` in the tenant's policy");
  const { tenant, name } = plan.flow;
  return {
    topic,
    key,
    output: plan.output,
    partition,
    compression: own['compression'] as KafkaSettings['compression'],
    brokers: brokersOf(cluster['brokers'] as readonly string[]),
    tls: cluster['tls'] as KafkaSettings['tls'],
    certificateAuthority: (cluster['certificateAuthority'] as string | undefined) ?? null,
    sasl,
    user,
    password,
    maxMessageBytes: cluster['maxMessageBytes'] as number,
    timeoutMs: target.timeoutMs,
    source: `/headgate/${encodeURIComponent(tenant)}/${encodeURIComponent(name)}`,
  };
}

function brokersOf(texts: readonly string[]): BrokerPlace[] {
  if (texts.length === 0 || texts.length > 20) refuse('brokers of the connection has 1 to 20 entries');
  return texts.map((text) => {
    const [, host, port] = /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):([0-9]{1,5})$/.exec(text) ?? [];
    if (host === undefined || Number(port) < 1 || Number(port) > 65_535) refuse('brokers of the connection are written as host:port');
    return { host: host!, port: Number(port) };
  });
}

function refuse(message: string): never {
  throw new HeadgateError(connectorErrors.E_TARGET, message);
}
