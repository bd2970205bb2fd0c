/** `kind: FlowDefinition`: every key, its bounds and defaults. The meaning across keys is in the `check-*.ts` files. */

import { acknowledgeKey } from './acknowledge-shape.ts';
import { fieldShape, formatShape } from './format-shapes.ts';
import {
  choice,
  fieldName,
  fieldNamePattern,
  integer,
  type Key,
  list,
  name,
  type ObjectShape,
  object,
  type Shape,
  sentence,
  text,
} from './shape.ts';
import { duplicatesKey, sourceShape } from './source-shapes.ts';
import { deliveryKeys, deliveryLater, targetShape } from './target-shapes.ts';

export const versionPattern = '^(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})$';

export const labels: Key = {
  shape: { kind: 'map', keyPattern: '^[a-z][a-zA-Z0-9-]{0,62}$', keyExpected: 'a label name', of: sentence, min: 0, max: 32 },
  default: {},
  description: 'For people and filters; they change nothing.',
};

export const owner: Key = { shape: sentence, description: 'Who answers for it.' };

const metadata: Key = {
  required: true,
  description: 'What the flow is called and whose it is.',
  shape: object({
    tenant: { shape: name, required: true, description: 'The tenant.' },
    service: { shape: name, required: true, description: 'The service of the tenant.' },
    subService: { shape: name, description: 'A part of the service.' },
    name: { shape: name, required: true, description: 'Name of the flow, one of a kind in the tenant.' },
    version: {
      shape: text('a version such as 3.2.0', versionPattern, 20),
      required: true,
      description: 'A version is never changed; other content needs another version.',
    },
    owner,
    labels,
  }),
};

const fields: Key = {
  required: true,
  description: 'The fields, by name.',
  shape: {
    kind: 'map',
    keyPattern: fieldNamePattern,
    keyExpected: 'a field name: a letter, then letters, digits and underscores, at most 64',
    isOrdered: true,
    of: fieldShape,
    min: 1,
    max: 500,
  },
};
const tag: Key = {
  shape: text('the text of the record tag', '^[^\\u0000-\\u001f]{1,64}$', 64),
  description: 'The text that tells this record type.',
};
const envelopeShape: ObjectShape = object({ tag, fields });
const key: Key = {
  shape: list(fieldName, { min: 1, max: 16 }),
  description: 'The fields that make the business key: duplicates, idempotency, order.',
};

const schema: Key = {
  description: 'The record types of the file. Packs have their own; what is said of their fields here is added.',
  shape: object({
    header: { shape: envelopeShape, description: 'A first record about the file.' },
    record: { shape: object({ tag, key, fields }), description: 'The records, where they are of one type.' },
    records: {
      shape: {
        kind: 'map',
        keyPattern: fieldNamePattern,
        keyExpected: 'a name of a record type',
        isOrdered: true,
        of: {
          ...object({
            tag,
            counted: {
              shape: { kind: 'boolean' },
              default: true,
              description: 'They count as records of the file. What does not is read and checked, then left out (filtered).',
            },
            key,
            fields,
          }),
          later: ['parent'],
        },
        min: 1,
        max: 50,
      },
      description: 'The record types by name, where there are several.',
    },
    trailer: { shape: envelopeShape, description: 'A last record about the file.' },
  }),
};

const id: Key = { shape: name, required: true, description: 'Its name in findings, metrics and diffs.' };
const condition: Shape = { kind: 'expression', result: 'bool' };

const validate: Key = {
  default: [],
  description: 'Rules that records or the file must keep.',
  shape: list(
    object({
      id,
      scope: { shape: choice(['record', 'file']), default: 'record', description: 'One record at a time, or the whole file at its end.' },
      assert: { shape: condition, required: true, description: 'What must be true.' },
      severity: { shape: choice(['error', 'warn']), default: 'error', description: '`warn` counts and shows it, and lets it pass.' },
      code: {
        shape: text('a code such as AMT01', '^[A-Z][A-Z0-9_-]{0,31}$', 32),
        required: true,
        description: "The author's code in rejections.",
      },
      message: { shape: sentence, required: true, description: 'What the sender is told.' },
      onFail: { shape: choice(['reject-file', 'hold-file']), default: 'hold-file', description: 'scope file: what happens to the file.' },
    }),
    { max: 200, id: 'id' },
  ),
};

const filter: Key = {
  default: [],
  description: 'Valid records that are left out on purpose, and counted.',
  shape: list(
    object({
      id,
      when: { shape: condition, required: true, description: 'Which records.' },
      reason: { shape: sentence, required: true, description: 'Why.' },
    }),
    {
      max: 200,
      id: 'id',
    },
  ),
};

const transform: Key = {
  default: [],
  description: 'The output fields. Without it, every field of the record under its own name.',
  shape: list(
    object(
      {
        id,
        set: {
          required: true,
          description: 'Output fields in order, by name.',
          shape: {
            kind: 'map',
            keyPattern: fieldNamePattern,
            keyExpected: 'an output field name',
            isOrdered: true,
            of: { kind: 'expression', result: 'value' },
            min: 1,
            max: 500,
          },
        },
      },
      ['lookup', 'enrich', 'split', 'script'],
    ),
    { max: 32, id: 'id' },
  ),
};

const acceptance: Key = {
  default: {},
  description: 'What the file as a whole must be before anything of it is delivered.',
  shape: object({
    release: {
      shape: choice(['file'], ['chunk']),
      default: 'file',
      description: 'Records are delivered when the file as a whole is accepted.',
    },
    mode: {
      shape: choice(['partial', 'all-or-nothing']),
      default: 'partial',
      description: 'Whether valid records pass although others are rejected.',
    },
    maxInvalid: { shape: integer(0, 1_000_000_000), description: 'partial: most rejected records.' },
    maxInvalidRatio: { shape: { kind: 'ratio' }, description: 'partial: most rejected records of all, from 0 to 1.' },
    maxInvalidAmount: {
      shape: {
        kind: 'map',
        keyPattern: '^[A-Z]{3}$',
        keyExpected: 'a currency of three capital letters',
        of: { kind: 'exact-text' },
        min: 1,
        max: 50,
      },
      description: 'partial: most rejected money, without signs, by currency.',
    },
    onExceed: { shape: choice(['hold', 'reject']), default: 'hold', description: 'The file waits for a person, or is rejected.' },
    emptyFile: { shape: choice(['accept', 'reject']), default: 'reject', description: 'A file without records.' },
    onDamage: {
      shape: choice(['hold', 'reject']),
      default: 'hold',
      description: 'A file that can not be read to its end, or of which a format says that it is wrong as a whole. Nobody can release it.',
    },
  }),
};

const to: Key = { shape: list(name, { min: 1, max: 32 }), required: true, description: 'Targets.' };
const routes: Key = {
  required: true,
  description: 'Which records go to which targets.',
  shape: object({
    mode: { shape: choice(['first', 'all']), default: 'first', description: 'The first rule that is true decides, or all that are.' },
    rules: {
      default: [],
      description: 'In order.',
      shape: list(object({ id, when: { shape: condition, required: true, description: 'Which records.' }, to }), { max: 200, id: 'id' }),
    },
    default: { required: true, shape: object({ to }), description: 'Where a record goes that no rule takes.' },
  }),
};

export const flowKeys: Readonly<Record<string, Key>> = {
  metadata,
  spec: {
    required: true,
    description: 'The flow itself.',
    shape: object(
      {
        sources: { default: [], description: 'Where files come from.', shape: list(sourceShape, { max: 16, id: 'id' }) },
        duplicates: duplicatesKey,
        format: { required: true, shape: formatShape, description: 'How the bytes are cut into records and fields.' },
        schema,
        validate,
        filter,
        acceptance,
        transform,
        routes,
        targets: {
          required: true,
          description: 'By name.',
          shape: { kind: 'map', keyPattern: name.pattern!, keyExpected: name.expected!, isOrdered: true, of: targetShape, min: 1, max: 32 },
        },
        targetDefaults: {
          default: {},
          description: 'What every target has unless it says otherwise.',
          shape: object(deliveryKeys, deliveryLater),
        },
        acknowledge: acknowledgeKey,
      },
      ['calendar', 'expect', 'sla', 'replay', 'rollout', 'anomalies', 'retention', 'flags', 'alerts', 'lookups'],
    ),
  },
};
