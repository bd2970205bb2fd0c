/**
 * Reads a document against its description: unknown and missing keys, types, bounds and choices are reported with what
 * to write instead; the result has every default filled in. Parts with mistakes come back as undefined.
 */
import { expressionProblems } from '../../../pipeline/engine/expressions/expression-errors.ts';
import { nearestName } from '../../../platform/base/nearest-name.ts';
import { readSecretReference } from '../../../platform/secrets/secret-references.ts';
import { flowErrors } from '../flow-errors.ts';
import { type Finding, type Path, pathText } from './diagnostics.ts';
import { type RawValue, rawFromData } from './raw-value.ts';
import { readScalar } from './read-scalar.ts';
import type { Key, ObjectShape, Shape, VariantShape } from './shape.ts';

export type Refuse = (finding: Finding) => void;

const laterCode = expressionProblems.E_NOT_SUPPORTED_YET;

export function readShape(raw: RawValue, shape: Shape, path: Path, refuse: Refuse): unknown {
  switch (shape.kind) {
    case 'object':
      return readObject(raw, shape, path, refuse);
    case 'variant':
      return readVariant(raw, shape, path, refuse);
    case 'map':
      return readMap(raw, shape, path, refuse);
    case 'list':
      return readList(raw, shape, path, refuse);
    case 'range':
      return readRange(raw, path, refuse);
    case 'either':
      return readEither(raw, shape, path, refuse);
    case 'secret':
      return readSecret(raw, path, refuse);
    default:
      return readPlain(raw, shape, path, refuse);
  }
}

function wrong(refuse: Refuse, path: Path, message: string, code: string = flowErrors.E_CONFIG_VALUE): undefined {
  refuse({ code, path, message, atValue: true });
  return undefined;
}

/** Of an item of a list the whole path: its number alone names nothing. */
function nameOf(path: Path): string {
  const last = path.at(-1);
  return typeof last === 'number' ? pathText(path) : (last ?? 'the document');
}

function readPlain(raw: RawValue, shape: Shape, path: Path, refuse: Refuse): unknown {
  const name = nameOf(path);
  if (raw.kind !== 'scalar') return wrong(refuse, path, `${name} must be one value, not a ${raw.kind}`);
  const read = readScalar(raw, shape);
  if ('value' in read) return read.value;
  const code = read.isLater ? laterCode : flowErrors.E_CONFIG_VALUE;
  return wrong(refuse, path, `${name} ${read.problem}`, code);
}

/** The text is never repeated: it may be the secret itself. */
function readSecret(raw: RawValue, path: Path, refuse: Refuse): unknown {
  if (raw.kind === 'scalar' && typeof raw.value === 'string' && readSecretReference(raw.value) !== null) return raw.value;
  return wrong(
    refuse,
    path,
    `${nameOf(path)} must be a reference to a secret: env:NAME or file:/absolute/path`,
    flowErrors.E_SECRET_INLINE,
  );
}

function readEither(raw: RawValue, shape: Extract<Shape, { kind: 'either' }>, path: Path, refuse: Refuse): unknown {
  const [first, second] = shape.shapes;
  const isSecond = raw.kind === 'scalar' ? second.kind !== 'list' && typeof raw.value === 'number' : second.kind === 'list';
  return readShape(raw, isSecond ? second : first, path, refuse);
}

function readRange(raw: RawValue, path: Path, refuse: Refuse): unknown {
  const numbers = raw.kind === 'list' ? raw.items.map((item) => (item.kind === 'scalar' ? item.value : null)) : [];
  const isSound =
    numbers.length === 2 &&
    numbers.every((number) => typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= 1_000_000);
  return isSound ? numbers : wrong(refuse, path, `${nameOf(path)} must be [first position, length], both from 1`);
}

function readList(raw: RawValue, shape: Extract<Shape, { kind: 'list' }>, path: Path, refuse: Refuse): unknown {
  if (raw.kind !== 'list') return wrong(refuse, path, `${nameOf(path)} must be a list`);
  if (raw.items.length < shape.min) return wrong(refuse, path, `${nameOf(path)} needs at least ${shape.min}`);
  if (raw.items.length > shape.max)
    return wrong(refuse, path, `${nameOf(path)} has ${raw.items.length} items; at most ${shape.max} are allowed`);
  return raw.items.map((item, index) => readShape(item, shape.of, [...path, index], refuse));
}

function readMap(raw: RawValue, shape: Extract<Shape, { kind: 'map' }>, path: Path, refuse: Refuse): unknown {
  if (raw.kind !== 'map') return wrong(refuse, path, `${nameOf(path)} must be a map`);
  const { size } = raw.entries;
  if (size < shape.min) return wrong(refuse, path, `${nameOf(path)} needs at least ${shape.min}`);
  if (size > shape.max) return wrong(refuse, path, `${nameOf(path)} has ${size} entries; at most ${shape.max} are allowed`);
  const pattern = new RegExp(shape.keyPattern, 'u');
  const values: [string, unknown][] = [];
  for (const [key, value] of raw.entries) {
    if (!pattern.test(key))
      refuse({ code: flowErrors.E_CONFIG_VALUE, path: [...path, key], message: `the name must be ${shape.keyExpected}` });
    else if (key in Object.prototype)
      refuse({ code: flowErrors.E_CONFIG_VALUE, path: [...path, key], message: `${key} is a reserved name` });
    else values.push([key, readShape(value, shape.of, [...path, key], refuse)]);
  }
  return Object.fromEntries(values);
}

function readObject(raw: RawValue, shape: ObjectShape, path: Path, refuse: Refuse): unknown {
  if (raw.kind !== 'map') return wrong(refuse, path, `${nameOf(path)} must be a map of keys`);
  for (const key of raw.entries.keys()) {
    if (!Object.hasOwn(shape.keys, key)) refuseKey(key, shape, path, refuse);
  }
  const values: Record<string, unknown> = {};
  for (const [key, description] of Object.entries(shape.keys)) values[key] = readKey(raw, key, description, path, refuse);
  return values;
}

function readKey(raw: RawValue & { kind: 'map' }, key: string, description: Key, path: Path, refuse: Refuse): unknown {
  const value = raw.entries.get(key);
  const isMissing = value === undefined || (value.kind === 'scalar' && value.value === null);
  if (!isMissing) return readShape(value, description.shape, [...path, key], refuse);
  if (value !== undefined) {
    refuse({ code: flowErrors.E_CONFIG_VALUE, path: [...path, key], message: `${key} is empty; leave the key out or give it a value` });
    return undefined;
  }
  if (description.default !== undefined) return readShape(rawFromData(description.default), description.shape, [...path, key], refuse);
  if (description.required)
    refuse({
      code: flowErrors.E_CONFIG_KEY,
      path,
      message: `${key} is missing in ${nameOf(path)}: ${description.description}`,
    });
  return undefined;
}

function refuseKey(key: string, shape: ObjectShape, path: Path, refuse: Refuse): void {
  if (shape.later?.includes(key)) {
    refuse({ code: laterCode, path: [...path, key], message: laterMessage(shape, key), isHarmless: true });
    return;
  }
  const known = Object.keys(shape.keys);
  const nearest = nearestName(key, known);
  const shown = key.length > 64 ? `${key.slice(0, 64)}…` : key;
  const hint = nearest === null ? `; known are ${known.join(', ')}` : `; did you mean ${nearest}?`;
  refuse({ code: flowErrors.E_CONFIG_KEY, path: [...path, key], message: `unknown key ${JSON.stringify(shown)}${hint}`, isHarmless: true });
}

function laterMessage({ laterNotes = {} }: Pick<ObjectShape, 'laterNotes'>, key: string): string {
  return `${key} is not supported yet${Object.hasOwn(laterNotes, key) ? `: ${laterNotes[key]}` : ''}`;
}

function readVariant(raw: RawValue, shape: VariantShape, path: Path, refuse: Refuse): unknown {
  if (raw.kind !== 'map') return wrong(refuse, path, `${nameOf(path)} must be a map of keys`);
  const tag = raw.entries.get(shape.tag);
  const tagPath = [...path, shape.tag];
  const known = Object.keys(shape.variants);
  if (tag === undefined) {
    refuse({ code: flowErrors.E_CONFIG_KEY, path, message: `${shape.tag} is missing; it is one of ${known.join(', ')}` });
    return undefined;
  }
  const type = tag.kind === 'scalar' && typeof tag.value === 'string' ? tag.value : '';
  const variant = Object.hasOwn(shape.variants, type) ? shape.variants[type] : undefined;
  if (variant !== undefined) {
    const later = [...shape.later, ...(variant.later ?? [])];
    return readObject(raw, { ...variant, later, laterNotes: { ...shape.laterNotes, ...variant.laterNotes } }, path, refuse);
  }
  for (const key of shape.later) {
    if (raw.entries.has(key)) refuse({ code: laterCode, path: [...path, key], message: laterMessage(shape, key), isHarmless: true });
  }
  if (shape.laterVariants.includes(type)) {
    refuse({ code: laterCode, path: tagPath, message: `${shape.tag} ${type} is not supported yet`, atValue: true, isHarmless: true });
    return undefined;
  }
  const nearest = nearestName(type, known);
  return wrong(refuse, tagPath, `${shape.tag} must be one of ${known.join(', ')}${nearest === null ? '' : `; did you mean ${nearest}?`}`);
}
