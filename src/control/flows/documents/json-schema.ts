/**
 * The JSON Schema (2020-12) of all documents, for editors, generated from the same description that the checker reads. It
 * knows keys, kinds, bounds and choices; what needs several keys at once only the checker knows.
 */
import { apiVersion, documentShape, type WrittenKind, writtenKinds } from './other-shapes.ts';
import type { Key, ObjectShape, Shape, VariantShape } from './shape.ts';

type Schema = Record<string, unknown>;

export function headgateJsonSchema(): Schema {
  const kinds = Object.keys(writtenKinds) as WrittenKind[];
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `${apiVersion} documents`,
    description: 'Generated from the descriptions that the checker reads.',
    type: 'object',
    required: ['apiVersion', 'kind'],
    properties: { apiVersion: { const: apiVersion }, kind: { enum: kinds } },
    allOf: kinds.map((kind) => ({
      if: { properties: { kind: { const: kind } }, required: ['kind'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { $ref: `#/$defs/${kind}` },
    })),
    $defs: Object.fromEntries(kinds.map((kind) => [kind, schemaOf(documentShape(kind))])),
  };
}

/** schemas/headgate.v1.json. */
export function renderJsonSchema(): string {
  return `${JSON.stringify(headgateJsonSchema(), null, 2)}\n`;
}

function schemaOf(shape: Shape): Schema {
  switch (shape.kind) {
    case 'text':
      return { type: 'string', ...(shape.pattern === undefined ? {} : { pattern: shape.pattern }), maxLength: shape.maxLength ?? 200 };
    case 'choice':
      return shape.choices.length === 1 ? { const: shape.choices[0] } : { enum: shape.choices };
    case 'boolean':
      return { type: 'boolean' };
    case 'integer':
      return { type: 'integer', minimum: shape.min, maximum: shape.max };
    case 'ratio':
      return { type: 'number', minimum: 0, maximum: 1 };
    case 'duration':
      return { type: 'string', pattern: '^[0-9]{1,9}(ms|s|m|h|d|y)$' };
    case 'size':
      return {
        type: ['string', 'integer'],
        pattern: '^[0-9]{1,15}(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?$',
        minimum: shape.minBytes,
        maximum: shape.maxBytes,
      };
    case 'rate':
      return { type: 'string', pattern: '^[0-9]{1,9}/(s|m)$' };
    case 'exact-text':
      return { type: ['string', 'number'] };
    case 'byte':
      return { type: 'string', minLength: shape.canBeEmpty ? 0 : 1, maxLength: 2 };
    case 'secret':
      return { type: 'string', pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)$' };
    case 'expression':
      return { type: 'string', maxLength: 16_384 };
    case 'range':
      return { type: 'array', items: { type: 'integer', minimum: 1, maximum: 1_000_000 }, minItems: 2, maxItems: 2 };
    case 'list':
      return { type: 'array', items: schemaOf(shape.of), minItems: shape.min, maxItems: shape.max };
    case 'map':
      return {
        type: 'object',
        propertyNames: { pattern: shape.keyPattern },
        additionalProperties: schemaOf(shape.of),
        minProperties: shape.min,
        maxProperties: shape.max,
      };
    case 'either':
      return { anyOf: shape.shapes.map(schemaOf) };
    case 'object':
      return objectSchema(shape);
    case 'variant':
      return variantSchema(shape);
  }
}

function objectSchema(shape: ObjectShape): Schema {
  const required = Object.keys(shape.keys).filter((key) => shape.keys[key]!.required);
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(shape.keys).map(([name, key]) => [name, keySchema(key)])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

function keySchema(key: Key): Schema {
  return { description: key.description, ...(key.default === undefined ? {} : { default: key.default }), ...schemaOf(key.shape) };
}

/** Conditions instead of alternatives, so that an editor names the mistake in the variant that was meant. */
function variantSchema(shape: VariantShape): Schema {
  return {
    type: 'object',
    required: [shape.tag],
    properties: { [shape.tag]: { enum: Object.keys(shape.variants) } },
    allOf: Object.entries(shape.variants).map(([name, variant]) => ({
      if: { properties: { [shape.tag]: { const: name } }, required: [shape.tag] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: objectSchema({
        ...variant,
        keys: { ...variant.keys, [shape.tag]: { shape: { kind: 'choice', choices: [name] }, description: `${shape.tag} ${name}` } },
      }),
    })),
  };
}
