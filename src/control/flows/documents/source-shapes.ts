/** Where files of a flow come from, and what makes one a duplicate: the keys of `spec.sources` and `spec.duplicates`. */
import { unpackStepNames, unpackStepsMax } from '../../../platform/packing/packings.ts';
import { choice, integer, type Key, list, name, object, relativePath, type Shape, text, type VariantShape } from './shape.ts';

const gibibyte = 1024 ** 3;

const size: Shape = { kind: 'size', minBytes: 1, maxBytes: 1024 * gibibyte };

const limits: Key = {
  description: 'Bounds of one file; a file beyond them is quarantined.',
  default: {},
  shape: {
    kind: 'object',
    keys: {
      maxSize: { shape: size, default: '2GiB', description: 'Bytes of the file as received.' },
      maxUnpackedSize: { shape: size, default: '8GiB', description: 'Bytes of the unpacked file, of all members of an archive together.' },
      maxRatio: { shape: integer(1, 10_000), default: 200, description: 'Unpacked bytes for one received byte.' },
      maxMembers: {
        shape: integer(1, 256),
        default: 256,
        description: 'Entries of an archive, folders included.',
      },
      filesPerMinute: {
        shape: integer(1, 100_000),
        description: "Accepted files of this source a minute; the tenant's policy bounds it too.",
      },
    },
  },
};

const pgp: Key = {
  shape: name,
  description: 'A connection of type pgp: the keys that files are decrypted and verified with, where `unpack` has the step `pgp`.',
};

const commonKeys: Readonly<Record<string, Key>> = {
  id: { shape: name, required: true, description: 'Name of the source in events, metrics and the console.' },
  type: { shape: text(), required: true, description: 'Kind of source.' },
  match: {
    shape: text('a file name pattern with * and ?, no folders', '^[^/\\u0000-\\u001f]+$', 200),
    default: '*',
    description: 'Names of the files to take; `*` is any run of characters, `?` one character.',
  },
  unpack: {
    shape: {
      kind: 'either',
      shapes: [choice(['none', ...unpackStepNames]), list(choice(unpackStepNames), { min: 1, max: unpackStepsMax })],
    },
    default: 'none',
    description:
      'How a file is packed, or the steps that undo it in their order, such as `[pgp, zip]` or `[gzip, tar]`; what comes out is read. Members of an archive are files of their own.',
  },
  pgp,
  limits,
};

const ready = (stableFor: { readonly minMs: number; readonly default: string }): Key => ({
  description: 'When a file counts as complete. Every condition named must hold.',
  default: {},
  shape: {
    kind: 'object',
    keys: {
      stableFor: {
        shape: { kind: 'duration', minMs: stableFor.minMs, maxMs: 86_400_000 },
        default: stableFor.default,
        description: 'Size and time of change stay the same this long.',
      },
      marker: {
        shape: text('a suffix, such as .done', '^[^/\\u0000-\\u001f]{1,32}$', 32),
        description: 'A file with this suffix beside it says that it is complete.',
      },
      manifest: {
        shape: text('a suffix, such as .sha256', '^[^/\\u0000-\\u001f]{1,32}$', 32),
        description: 'A file with this suffix beside it names its SHA-256, which must match.',
      },
      timeout: {
        shape: { kind: 'duration', minMs: 60_000, maxMs: 7 * 86_400_000 },
        default: '24h',
        description: 'A file that is not complete by then is reported.',
      },
    },
  },
});

/** Of a place that is looked at again and again. */
const polledKeys = (own: {
  readonly connection: string;
  readonly path: Shape;
  readonly stableFor: { readonly minMs: number; readonly default: string };
  readonly poll: { readonly minMs: number; readonly default: string };
  readonly afterwards: Readonly<Record<string, Key>>;
}): Readonly<Record<string, Key>> => ({
  id: commonKeys['id']!,
  type: commonKeys['type']!,
  connection: { shape: name, required: true, description: own.connection },
  path: { shape: own.path, default: '.', description: "Folder below the connection's root." },
  match: commonKeys['match']!,
  unpack: commonKeys['unpack']!,
  pgp,
  limits,
  ready: ready(own.stableFor),
  poll: {
    shape: { kind: 'duration', minMs: own.poll.minMs, maxMs: 86_400_000 },
    default: own.poll.default,
    description: 'How often the folder is looked at.',
  },
  ...own.afterwards,
});

const afterwardsOfObjects: Readonly<Record<string, Key>> = {
  afterwards: {
    shape: choice(['move', 'delete', 'leave']),
    default: 'move',
    description: 'What happens to the file at its source after it is taken: moved to `.headgate-done` beside it, deleted, or left alone.',
  },
};

const afterwards: Readonly<Record<string, Key>> = {
  afterwards: {
    shape: choice(['move', 'delete', 'leave', 'mark']),
    default: 'move',
    description:
      'What happens to the file at its source after it is taken: moved to `.headgate-done` beside it, deleted, left alone, or marked: renamed where it is, so that others see that it was taken.',
  },
  mark: {
    shape: text('a suffix, such as .taken', '^\\.[A-Za-z0-9._-]{1,31}$', 32),
    default: '.taken',
    description: 'With `afterwards: mark`, what the names of taken files end with. Files with such names are never taken.',
  },
};

/** At a server, where a leading slash stands for the root. */
export const serverPath = text('a path of plain folders, without ..', '^(\\.|(?!.*(^|/)\\.\\.?(/|$))[^\\u0000-\\u001f\\\\]+)$', 500);

export const sourceShape: VariantShape = {
  kind: 'variant',
  tag: 'type',
  variants: {
    folder: object(
      polledKeys({
        connection: 'A connection of type folder.',
        path: relativePath,
        stableFor: { minMs: 0, default: '5s' },
        poll: { minMs: 100, default: '2s' },
        afterwards,
      }),
    ),
    // SFTP tells the time of a change in whole seconds.
    sftp: object(
      polledKeys({
        connection: 'A connection of type sftp.',
        path: serverPath,
        stableFor: { minMs: 2_000, default: '5s' },
        poll: { minMs: 1_000, default: '10s' },
        afterwards,
      }),
    ),
    // An object is there whole or not at all.
    blob: object(
      polledKeys({
        connection: 'A connection of type s3, azure-blob or gcs.',
        path: serverPath,
        stableFor: { minMs: 0, default: '0s' },
        poll: { minMs: 1_000, default: '10s' },
        afterwards: afterwardsOfObjects,
      }),
    ),
    http: { kind: 'object', keys: commonKeys },
    'sftp-server': object({
      id: commonKeys['id']!,
      type: commonKeys['type']!,
      connection: { shape: name, required: true, description: 'A connection of type sftp-server: the user who brings the files.' },
      folder: {
        shape: text('lower case letters, digits and single hyphens, but not receipts', '^(?!receipts$)[a-z][a-z0-9]*(-[a-z0-9]+)*$', 63),
        required: true,
        description: 'Name of the folder that the user writes them into; one source per folder of a user.',
      },
      complete: {
        shape: choice(['close', 'rename', 'manifest']),
        default: 'close',
        description:
          'When a file is complete: when the client closes it; only when it renames it from its temporary name after that; or when it is closed and is what a manifest says that came before. An interrupted client may close a file that is not whole: only a manifest tells.',
      },
      temporary: {
        shape: text('a suffix, such as .filepart', '^\\.[A-Za-z0-9._-]{1,31}$', 32),
        default: '.filepart',
        description: 'Suffix of a temporary name; such a file is taken when it is renamed to the same name without it.',
      },
      manifest: {
        shape: text('a suffix, such as .sha256', '^\\.[A-Za-z0-9._-]{1,31}$', 32),
        default: '.sha256',
        description: 'With `complete: manifest`, suffix of the manifest of a file: the line of `sha256sum`, uploaded before the file.',
      },
      match: commonKeys['match']!,
      unpack: commonKeys['unpack']!,
      pgp,
      limits,
    }),
  },
  laterVariants: ['ftps', 'as2', 'email', 'amqp', 'jms', 'kafka', 'database'],
  later: ['decrypt', 'verify', 'archive', 'scan', 'parts', 'schedule'],
  laterNotes: {
    decrypt: 'write `unpack: [pgp]`, and `pgp` with the name of a connection of type pgp',
    verify: 'write `unpack: [pgp]`; the connection of type pgp that `pgp` names says whose signatures count',
  },
};

export const duplicatesKey: Key = {
  description: 'What makes a file of this flow the same as an earlier one. Each key counts on its own.',
  default: {},
  shape: {
    kind: 'object',
    keys: {
      file: {
        shape: list(choice(['sha256', 'name', 'records']), { min: 1, max: 3 }),
        default: ['sha256'],
        description:
          '`sha256`: of the file as received and of the unpacked one; `name`: its name; `records`: what its records say, of formats that are packs.',
      },
      window: {
        shape: { kind: 'duration', minMs: 3_600_000, maxMs: 3_660 * 86_400_000 },
        default: '90d',
        description: 'How long an accepted file is remembered.',
      },
      onDuplicate: { shape: choice(['reject', 'hold', 'accept']), default: 'reject', description: 'What happens to a duplicate.' },
      onSameName: {
        shape: choice(['accept', 'hold', 'reject']),
        default: 'accept',
        description: 'A known name with other content; `accept` flags it.',
      },
    },
  },
};
