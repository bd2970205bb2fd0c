/** Reads one scalar of a document by its described kind. The problem completes "<key> …" and repeats no value. */
import { nearestName } from '../../../platform/base/nearest-name.ts';
import type { RawValue } from './raw-value.ts';
import type { Shape } from './shape.ts';

type Scalar = Extract<RawValue, { kind: 'scalar' }>;
export type ScalarRead = { readonly value: unknown } | { readonly problem: string; readonly isLater?: boolean };

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, y: 366 * 86_400_000 } as const;
const sizes = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;

export function readScalar(raw: Scalar, shape: Shape): ScalarRead {
  const { value } = raw;
  switch (shape.kind) {
    case 'text':
      return readText(value, shape);
    case 'expression':
      return typeof value === 'string' ? { value } : { problem: `must be an expression in quotes, such as "record.amount > 0"` };
    case 'choice':
      return readChoice(value, shape);
    case 'boolean':
      return typeof value === 'boolean' ? { value } : { problem: 'must be true or false' };
    case 'integer': {
      const isSound = typeof value === 'number' && Number.isInteger(value) && value >= shape.min && value <= shape.max;
      return isSound ? { value } : { problem: `must be a whole number from ${shape.min} to ${shape.max}` };
    }
    case 'ratio':
      return typeof value === 'number' && value >= 0 && value <= 1 ? { value } : { problem: 'must be a number from 0 to 1' };
    case 'exact-text':
      return typeof value === 'string' || typeof value === 'number' ? { value: raw.source } : { problem: 'must be a text or a number' };
    case 'duration':
      return readDuration(value, shape);
    case 'size':
      return readSize(value, shape);
    case 'rate':
      return readRate(value, shape.max);
    case 'byte':
      return readByte(value, shape.canBeEmpty);
    default:
      return { problem: `must be a ${shape.kind === 'list' ? 'list' : 'map of keys'}` };
  }
}

function readText(value: Scalar['value'], shape: Extract<Shape, { kind: 'text' }>): ScalarRead {
  const expected = shape.expected ?? 'a text';
  if (typeof value !== 'string') return { problem: `must be ${expected}; put it in quotes` };
  if (value.length > (shape.maxLength ?? 200)) return { problem: `is longer than ${shape.maxLength ?? 200} characters` };
  if (shape.pattern !== undefined && !new RegExp(shape.pattern, 'u').test(value)) return { problem: `must be ${expected}` };
  return { value };
}

function readChoice(value: Scalar['value'], shape: Extract<Shape, { kind: 'choice' }>): ScalarRead {
  const text = String(value);
  if (typeof value === 'string' && shape.choices.includes(text)) return { value };
  if (shape.later?.includes(text)) return { problem: `${text} is not supported yet`, isLater: true };
  const nearest = nearestName(text, shape.choices);
  return {
    problem: `must be ${shape.choices.length === 1 ? shape.choices[0] : `one of ${shape.choices.join(', ')}`}${nearest === null || shape.choices.length === 1 ? '' : `; did you mean ${nearest}?`}`,
  };
}

function readDuration(value: Scalar['value'], bounds: { minMs: number; maxMs: number }): ScalarRead {
  const match = /^([0-9]{1,9})(ms|s|m|h|d|y)$/.exec(String(value));
  const durationMs = match === null ? Number.NaN : Number(match[1]) * units[match[2] as keyof typeof units];
  if (durationMs >= bounds.minMs && durationMs <= bounds.maxMs) return { value: durationMs };
  return {
    problem: `must be a duration from ${durationText(bounds.minMs)} to ${durationText(bounds.maxMs)}, such as 500ms, 30s, 2m, 6h or 90d`,
  };
}

/** The shortest writing of a duration. */
export function durationText(durationMs: number): string {
  if (durationMs === 0) return '0s';
  const unit = (['d', 'h', 'm', 's'] as const).find((candidate) => durationMs % units[candidate] === 0) ?? 'ms';
  return `${durationMs / units[unit]}${unit}`;
}

function readSize(value: Scalar['value'], bounds: { minBytes: number; maxBytes: number }): ScalarRead {
  const match = /^([0-9]{1,15})(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?$/.exec(String(value));
  const sizeBytes = match === null ? Number.NaN : Number(match[1]) * sizes[(match[2] ?? 'B') as keyof typeof sizes];
  if (sizeBytes >= bounds.minBytes && sizeBytes <= bounds.maxBytes) return { value: sizeBytes };
  return { problem: `must be a size from ${bounds.minBytes} to ${bounds.maxBytes} bytes, such as 512KiB, 64MiB or 2GiB` };
}

function readRate(value: Scalar['value'], max: number): ScalarRead {
  const match = /^([0-9]{1,9})\/(s|m)$/.exec(String(value));
  const perSecond = match === null ? Number.NaN : Number(match[1]) / (match[2] === 'm' ? 60 : 1);
  if (perSecond > 0 && perSecond <= max) return { value: perSecond };
  return { problem: `must be a rate up to ${max}/s, such as 200/s or 30/m` };
}

function readByte(value: Scalar['value'], canBeEmpty: boolean): ScalarRead {
  if (value === '' && canBeEmpty) return { value: null };
  if (value === '\\t') return { value: 0x09 };
  const code = typeof value === 'string' && value.length === 1 ? value.charCodeAt(0) : -1;
  const isSound = (code >= 0x20 && code < 0x7f) || code === 0x09 || (code >= 0x01 && code <= 0x1f && code !== 0x0a && code !== 0x0d);
  return isSound
    ? { value: code }
    : { problem: `must be one ASCII character that is no line end${canBeEmpty ? ', or "" for none' : ''}; "\\t" for a tab` };
}
