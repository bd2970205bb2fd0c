/** Where records go: the keys of `spec.targets` by type, and of `spec.targetDefaults`. */
import { answersTargetKeys, expectedAnswersKey } from './answer-shapes.ts';
import { choice, fieldName, integer, type Key, list, name, object, relativePath, type Shape, text, type VariantShape } from './shape.ts';

const minuteMs = 60_000;

const batch: Key = {
  description:
    'Most of what one batch holds. A target that holds files makes one of each batch: 1,000,000 records and 1GiB where it says nothing itself, 64MiB in buckets and containers.',
  default: {},
  shape: object({
    size: { shape: integer(1, 10_000_000), default: 500, description: 'Records; at most 10,000 but for targets that hold files.' },
    bytes: {
      shape: { kind: 'size', minBytes: 1_024, maxBytes: 4 * 1024 * 1024 * 1024 },
      default: '1MiB',
      description: 'Bytes; at most 64MiB but for file and sftp targets, 256MiB in buckets and containers.',
    },
    linger: {
      shape: { kind: 'duration', minMs: 1, maxMs: minuteMs },
      description:
        'A batch that is less than half full waits so long for the records of other files, and shares a request with them. For order none, and not for targets that hold files, which have `window`.',
    },
  }),
};

const retry: Key = {
  description: 'How a batch that failed is tried again.',
  default: {},
  shape: object({
    max: { shape: integer(0, 100), default: 60, description: 'Tries after the first; 60 up to the default cap last about four hours.' },
    initial: {
      shape: { kind: 'duration', minMs: 10, maxMs: 60 * minuteMs },
      default: '500ms',
      description: 'Longest wait before the second try; doubles with each.',
    },
    cap: { shape: { kind: 'duration', minMs: 10, maxMs: 24 * 60 * minuteMs }, default: '10m', description: 'Longest wait before any try.' },
    jitter: { shape: choice(['full']), default: 'full', description: 'Each wait is drawn between nothing and its longest.' },
  }),
};

const breaker: Key = {
  description: 'When a target that fails is left alone, and how it is tried whether it is back (docs/breakers.md).',
  default: {},
  shape: object({
    window: {
      shape: { kind: 'duration', minMs: 1_000, maxMs: 60 * minuteMs },
      default: '30s',
      description: 'The time that is looked back over.',
    },
    failureRatio: {
      shape: { kind: 'ratio' },
      default: 0.5,
      description: 'It opens when at least this share of the attempts within the window failed, if they are as many as minCalls.',
    },
    minCalls: {
      shape: integer(2, 10_000),
      default: 10,
      description: 'Attempts that are needed for a judgement; as many failures in a row open it as well.',
    },
    probeEvery: {
      shape: { kind: 'duration', minMs: 100, maxMs: 60 * minuteMs },
      default: '15s',
      description: 'Longest wait before the first probe; doubles up to 2 minutes with each that fails.',
    },
    probes: {
      shape: integer(1, 64),
      default: 3,
      description: 'Batches at once while it is half-open; when so many more were taken than failed it closes.',
    },
  }),
};

/** Keys that a target has or takes from `targetDefaults`. */
export const deliveryKeys: Readonly<Record<string, Key>> = {
  batch,
  order: {
    shape: choice(['none', 'by-key', 'file']),
    default: 'none',
    description: 'Which order is kept: none, that of records with the same business key, or that of the file.',
  },
  onUnknown: {
    shape: choice(['resend', 'hold']),
    default: 'resend',
    description: 'What happens when nobody knows whether a batch arrived; a resend is labelled.',
  },
  onExhausted: { shape: choice(['dead-letter']), default: 'dead-letter', description: 'Where records go when every try failed.' },
  timeout: { shape: { kind: 'duration', minMs: 100, maxMs: 10 * minuteMs }, default: '5s', description: 'Of one attempt.' },
  concurrency: {
    shape: integer(1, 256),
    default: 8,
    description:
      'Batches in flight, over all processes; a file target has 128, an sftp, s3, azure-blob or gcs target 4, unless it says otherwise itself.',
  },
  rate: {
    shape: { kind: 'rate', max: 1_000_000 },
    description: 'Records a second over all processes, such as 200/s; without it unlimited.',
  },
  retry,
  breaker,
};

/** The same keys where a missing one means what `targetDefaults` says. */
export const ownDeliveryKeys: Readonly<Record<string, Key>> = {
  ...Object.fromEntries(Object.entries(deliveryKeys).map(([key, description]) => [key, withoutDefaults(description)])),
  answers: expectedAnswersKey,
  backup: {
    shape: name,
    description:
      'Another target of the flow that takes its batches while its breaker is open; they are still counted here (docs/breakers.md).',
  },
};

function withoutDefaults(key: Key): Key {
  const { shape, description } = key;
  if (shape.kind !== 'object') return { shape, description };
  const keys = Object.fromEntries(Object.entries(shape.keys).map(([name, inner]) => [name, withoutDefaults(inner)]));
  return { shape: { ...shape, keys }, description };
}

export const deliveryLater = ['ack', 'status', 'lookup'];

const type: Key = { shape: text(), required: true, description: 'Kind of target.' };
const lineEnd: Key = { shape: choice(['lf', 'crlf']), default: 'lf', description: 'End of a line.' };

const statusValue = text('a value on one line', '^[^\\u0000-\\u001f\\u007f]+$', 100);

const outputColumn: Shape = object({
  width: { shape: integer(1, 10_000), required: true, description: 'Bytes.' },
  align: { shape: choice(['left', 'right']), default: 'left', description: 'Which side the text is on.' },
  pad: { shape: { kind: 'byte', canBeEmpty: false }, default: ' ', description: 'What fills the other side.' },
});

const fileLine = text('a line without its end', '^[^\\u0000-\\u001f]+$', 1_000);

/** Of targets that hold files. */
const outputFileKeys: Readonly<Record<string, Key>> = {
  name: {
    shape: text('a file name with {number} or {sequence}', '^[^/\\\\\\u0000-\\u001f]+$', 200),
    default: '{flow}-{target}-{number}.{extension}',
    description:
      'Name of a file: {flow}, {target}, {file} (name of the input), {job}, {date} (yyyyMMdd), {time} (HHmmss), {number}, {sequence} (from 1, gapless in the target) and {extension} are replaced; {sequence:6} is filled up with zeros.',
  },
  format: {
    shape: choice(['ndjson', 'csv', 'fixed-width'], ['parquet', 'xml']),
    default: 'ndjson',
    description: 'How records are written.',
  },
  delimiter: { shape: { kind: 'byte', canBeEmpty: false }, description: 'csv: the byte between values; by default a comma.' },
  header: { shape: { kind: 'boolean' }, description: 'csv: a first line names the columns; by default yes.' },
  columns: {
    shape: { kind: 'map', keyPattern: fieldName.pattern!, keyExpected: 'an output field', of: outputColumn, min: 1, max: 500 },
    description: 'fixed-width: the width of every output field.',
  },
  lineEnd,
  headerLines: {
    shape: list(fileLine, { min: 1, max: 5 }),
    description:
      'csv and fixed-width: lines before the records. The placeholders of names, {count} (records), {sum.field} and {minorUnits.field} (totals of a field with `sum: true`, over all currencies, or of one: {sum.field.ZAR}), each with a width such as {count:9}.',
  },
  trailerLines: {
    shape: list(fileLine, { min: 1, max: 5 }),
    description: 'csv and fixed-width: lines behind the records, with the same placeholders.',
  },
  encrypt: {
    shape: { kind: 'boolean' },
    default: false,
    description: "Files are OpenPGP messages to the connection's `pgpRecipients`; {extension} ends with .pgp.",
  },
  sign: { shape: { kind: 'boolean' }, default: false, description: "encrypt: also signed with the connection's `pgpSigningKey`." },
  window: {
    shape: { kind: 'duration', minMs: 1_000, maxMs: 24 * 60 * minuteMs },
    description: 'A file collects the records of every input for so long from its first on; without it each input makes files of its own.',
  },
  maxAmount: {
    shape: object({
      field: { shape: fieldName, required: true, description: 'A field of the schema with `sum: true`.' },
      value: {
        shape: { kind: 'exact-text' },
        required: true,
        description: 'Most of it in one file, without signs, for each currency, such as "1000000.00".',
      },
    }),
    description: 'A file ends before the record with which it would hold more; a single record above it has a file of its own.',
  },
  rollUp: { shape: { kind: 'boolean' }, default: false, description: 'Small jobs of the flow share a file.' },
};

const readBack = (missing: string): Key => ({
  shape: choice(['hash', 'size', 'none']),
  default: missing,
  description: 'What is compared of a file that was written: all of its bytes, its size, or nothing.',
});

/** One for each kind of connection, all alike. */
const blobTarget = (connectionType: string) =>
  object({
    type,
    connection: { shape: name, required: true, description: `A connection of type ${connectionType}.` },
    path: { shape: relativePath, default: '.', description: "Folder below the connection's root: what the names of objects begin with." },
    ...outputFileKeys,
    readBack: readBack('size'),
    ...ownDeliveryKeys,
  });

const tableKeys = (expected: string): Readonly<Record<string, Key>> => ({
  table: {
    shape: text(expected, '^[a-z_][a-z0-9_]{0,62}(\\.[a-z_][a-z0-9_]{0,62})?$', 127),
    required: true,
    description: 'The table; its columns have the names of the output fields.',
  },
  mode: { shape: choice(['insert', 'upsert']), default: 'insert', description: '`upsert` replaces the row with the same keys.' },
  keys: { shape: list(fieldName, { min: 1, max: 16 }), description: 'upsert: the output fields that tell rows apart.' },
});

export const targetShape: VariantShape = {
  kind: 'variant',
  tag: 'type',
  variants: {
    file: object({
      type,
      connection: { shape: name, required: true, description: 'A connection of type folder.' },
      path: { shape: relativePath, default: '.', description: "Folder below the connection's root; made when it is missing." },
      ...outputFileKeys,
      readBack: readBack('none'),
      ...ownDeliveryKeys,
    }),
    sftp: object({
      type,
      connection: { shape: name, required: true, description: 'A connection of type sftp.' },
      path: { shape: relativePath, default: '.', description: "Folder below the connection's root; it must be there." },
      ...outputFileKeys,
      readBack: readBack('hash'),
      ...ownDeliveryKeys,
    }),
    s3: blobTarget('s3'),
    'azure-blob': blobTarget('azure-blob'),
    gcs: blobTarget('gcs'),
    http: object({
      type,
      connection: { shape: name, required: true, description: 'A connection of type http.' },
      path: {
        shape: text('a path that begins with /', '^/(?!/)[^\\u0000-\\u0020#?\\\\]*$', 500),
        default: '/',
        description: "Below the connection's base address.",
      },
      method: { shape: choice(['POST', 'PUT']), default: 'POST', description: 'HTTP method.' },
      mode: {
        shape: choice(['batch', 'single']),
        description:
          'A request for a batch (NDJSON), or one for each record (JSON); by default batch, and single where there is an idempotencyKey.',
      },
      envelope: {
        shape: choice(['none', 'json-array']),
        default: 'none',
        description: 'batch: the records line by line, or as one JSON array.',
      },
      idempotencyKey: {
        shape: text('an output field, such as out.id', '^out\\.[A-Za-z][A-Za-z0-9_]{0,63}$', 70),
        description:
          "single: the output field whose value is the Idempotency-Key, a field with `unique: file` as it is; by default the record's delivery key.",
      },
      requestsInFlight: {
        shape: integer(1, 64),
        default: 8,
        description: 'single: requests at the same time for one batch; always 1 where order is kept.',
      },
      results: {
        shape: choice(['json', 'ndjson']),
        default: 'json',
        description: 'batch: what an answer may say of single records in one JSON object, or must say of each record in a line of its own.',
      },
      status: {
        description:
          'How the service is asked what became of a request whose answer was lost; nothing is sent again before it has said so.',
        shape: object({
          path: {
            shape: text('a path that begins with /, with {key} or {batchId}', '^/(?!/)[^\\u0000-\\u0020#\\\\]*$', 500),
            required: true,
            description: 'Below the base address, asked with GET: {key} is the Idempotency-Key of the request, {batchId} the batch.',
          },
          field: {
            shape: text('a member such as state, or result.state', '^[A-Za-z0-9_-]{1,64}(\\.[A-Za-z0-9_-]{1,64}){0,7}$', 500),
            description: 'Member of the JSON answer whose value decides; without it any 2xx says that the service has it.',
          },
          acked: { shape: list(statusValue, { min: 1, max: 20 }), description: 'Values that say that the service has it, for good.' },
          absent: {
            shape: list(statusValue, { min: 1, max: 20 }),
            description: 'Values that say that it has nothing of it and takes nothing of it any more.',
          },
          absentStatus: {
            shape: list(integer(400, 499), { min: 1, max: 5 }),
            description:
              'Statuses that say so, such as 404. An address that is wrong answers 404 too: name it only where the service keeps what it takes.',
          },
        }),
      },
      ...ownDeliveryKeys,
    }),
    amqp: object({
      type,
      connection: { shape: name, required: true, description: 'A connection of type amqp.' },
      queue: {
        shape: text('a queue name without spaces', '^[\\x21-\\x7e]+$', 255),
        required: true,
        description: 'The queue; a message for each record.',
      },
      createQueue: {
        shape: { kind: 'boolean' },
        default: false,
        description: 'Make it, durable and replicated (quorum), where it is missing; else a missing queue is refused.',
      },
      confirmsInFlight: {
        shape: integer(1, 1_024),
        default: 256,
        description:
          'Messages of one batch that wait for their confirm at the same time; one of a key with `order: by-key`, one with `order: file`.',
      },
      ...ownDeliveryKeys,
    }),
    kafka: object({
      type,
      connection: { shape: name, required: true, description: 'A connection of type kafka.' },
      topic: {
        shape: text('a topic name', '^(?!\\.{1,2}$)[A-Za-z0-9._-]+$', 249),
        required: true,
        description: 'The topic; a message for each record.',
      },
      key: {
        shape: { kind: 'expression', result: 'value' },
        description: 'Over `out`: the key of the message, by which its partition is chosen; without it messages have none.',
      },
      partition: {
        shape: integer(0, 100_000),
        description: 'Where all messages go, whatever their key; `order: file` needs it.',
      },
      compression: {
        shape: choice(['none', 'gzip', 'snappy', 'lz4', 'zstd']),
        default: 'none',
        description: 'Of what is sent.',
      },
      ...ownDeliveryKeys,
    }),
    postgres: object({
      type,
      connection: { shape: name, required: true, description: 'A connection of type postgres.' },
      ...tableKeys('a table, or schema.table, in lower case'),
      ...ownDeliveryKeys,
    }),
    mysql: object({
      type,
      connection: { shape: name, required: true, description: 'A connection of type mysql.' },
      ...tableKeys('a table, or database.table, in lower case'),
      ...ownDeliveryKeys,
    }),
    answers: object({ type, ...answersTargetKeys, ...ownDeliveryKeys }),
  },
  laterVariants: ['jms', 'oracle', 'sqlserver', 'mongodb', 'email', 'soap', 'grpc'],
  later: deliveryLater,
};
