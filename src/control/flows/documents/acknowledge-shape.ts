/** The keys of `spec.acknowledge`: what is written for the sender when a file is closed, and where. */
import { choice, type Key, list, name, object, text } from './shape.ts';
import { serverPath } from './source-shapes.ts';

export const acknowledgeKey: Key = {
  description: 'What the sender of a file is told when it is closed, as a file (docs/acknowledgements.md).',
  shape: object({
    format: { shape: choice(['json', 'csv', 'pain.002', 'nacha']), required: true, description: 'How it is written.' },
    levels: {
      shape: list(choice(['file', 'record']), { min: 1, max: 2 }),
      default: ['file'],
      description: 'A file for each: `file` says what became of the file, `record` lists every rejected record and why as well.',
    },
    acceptedAs: {
      shape: choice(['ACSP', 'ACCP']),
      description:
        'pain.002: what the sender is told of transactions that were accepted: their settlement is in process (ACSP, without this key), or what the customer agreed was checked as well (ACCP).',
    },
    to: { shape: name, description: 'Id of a source of type folder, sftp or blob: its connection takes them; this or `connection`.' },
    connection: { shape: name, description: 'A connection of type folder, sftp, s3, azure-blob or gcs that takes them.' },
    path: {
      shape: serverPath,
      default: '.',
      description: "Folder below the connection's root, and not one that a source of the flow takes files from.",
    },
    name: {
      shape: text('a file name', '^[^/\\\\\\u0000-\\u001f]+$', 200),
      default: '{file}.{job}.{level}.{extension}',
      description:
        'Name of a file: {file} (name of the file as its sender gave it), {job}, {level}, {flow}, {number} (of the file in the flow), {date} (yyyyMMdd) and {time} (HHmmss) of the end of the job, and {extension} are replaced.',
    },
    encrypt: {
      shape: { kind: 'boolean' },
      default: false,
      description: "They are OpenPGP messages to the connection's `pgpRecipients`; {extension} ends with .pgp.",
    },
    sign: { shape: { kind: 'boolean' }, default: false, description: "encrypt: also signed with the connection's `pgpSigningKey`." },
  }),
};
