/** `kind: TenantPolicy`: what bounds a tenant; and the metadata that all kinds but flows have. */
import { labels, owner } from './flow-shape.ts';
import { choice, integer, type Key, list, name, object, type Shape, text } from './shape.ts';

export const metadata: Key = {
  required: true,
  description: 'Its name and tenant.',
  shape: object({
    tenant: { shape: name, required: true, description: 'The tenant.' },
    name: { shape: name, required: true, description: 'One of a kind in the tenant, for this kind.' },
    owner,
    labels,
  }),
};

const dayMs = 86_400_000;
const bytes: Shape = { kind: 'size', minBytes: 1, maxBytes: 1024 ** 5 };

export const tenantPolicyKeys: Readonly<Record<string, Key>> = {
  metadata,
  spec: {
    required: true,
    description: 'The policy itself.',
    shape: object(
      {
        tier: { shape: choice(['gold', 'silver', 'bronze']), default: 'silver', description: "The tenant's share of the workers." },
        admission: {
          default: {},
          description: 'What is refused before a file is accepted (429 or 507).',
          shape: object({
            maxStoredBytes: { shape: bytes, default: '1TiB', description: 'Bytes of files kept.' },
            maxHeldBytes: { shape: bytes, default: '50GiB', description: 'Bytes of files that wait for a decision.' },
            maxChunksInFlight: { shape: integer(1, 1_000_000), default: 10_000, description: 'Chunks that are not done.' },
            maxRecordBytes: {
              shape: { kind: 'size', minBytes: 1_024, maxBytes: 16 * 1024 * 1024 },
              default: '16MiB',
              description: 'Bytes of one record.',
            },
            filesPerMinute: { shape: integer(1, 1_000_000), default: 6_000, description: 'Files accepted a minute, over all flows.' },
          }),
        },
        masking: {
          default: {},
          description: 'The least mask of fields of a class.',
          shape: {
            kind: 'map',
            keyPattern: '^[a-z][a-z0-9-]{0,62}$',
            keyExpected: 'a class of fields',
            of: choice(['last4', 'all']),
            min: 0,
            max: 100,
          },
        },
        deadLetters: {
          default: {},
          description: 'How long records that were given up wait for a decision.',
          shape: object({
            expireAfter: {
              shape: { kind: 'duration', minMs: dayMs, maxMs: 3_650 * dayMs },
              default: '90d',
              description: 'They expire then, as if they had been discarded.',
            },
            warnBefore: {
              shape: { kind: 'duration', minMs: 0, maxMs: 365 * dayMs },
              default: '7d',
              description: 'So long before that, an event warns of each; none expires sooner after its warning.',
            },
          }),
        },
        egress: {
          default: {},
          description:
            'Where targets may connect to. Private and loopback addresses are refused unless they are named; link-local and metadata addresses always.',
          shape: object({
            allowPrivate: {
              shape: list(
                text('an address range such as 10.1.0.0/16, or 127.0.0.1/32 for one address', '^[0-9a-fA-F.:]+/[0-9]{1,3}$', 50),
                { max: 100 },
              ),
              default: [],
              description: 'Address ranges (CIDR). None opens link-local addresses or those where clouds serve credentials.',
            },
            allowPlain: { shape: { kind: 'boolean' }, default: false, description: 'http, PostgreSQL, MySQL, AMQP and Kafka without TLS.' },
          }),
        },
      },
      ['approvals', 'retention', 'residency', 'rollout', 'replay'],
    ),
  },
};
