/**
 * Settings of connectors described as data: for the documentation, and for reading what a flow or a connection says with
 * the types that the description promises. The flow checker has refused wrong ones before; here they are a fault.
 */
import { HeadgateError } from '../../platform/base/errors.ts';
import { connectorErrors } from './connector-errors.ts';

export interface ConnectorSetting {
  readonly name: string;
  /** `secret`: a reference such as `env:NAME`. */
  readonly type: 'text' | 'integer' | 'boolean' | 'choice' | 'texts' | 'secret' | 'object' | 'objects';
  readonly choices?: readonly string[];
  readonly isRequired?: boolean;
  /** As it is written; null where there is none. */
  readonly default: string | number | boolean | null;
  readonly description: string;
}

type Values = Readonly<Record<string, unknown>>;

/** Checked values by name, defaults filled in. Fails with E_TARGET naming the setting, never its value. */
export function readSettings(described: readonly ConnectorSetting[], given: Values): Values {
  const values: Record<string, unknown> = {};
  const unknown = Object.keys(given).find((name) => !described.some((setting) => setting.name === name));
  if (unknown !== undefined)
    throw new HeadgateError(connectorErrors.E_TARGET, `there is no setting ${JSON.stringify(unknown.slice(0, 40))}`);
  for (const setting of described) {
    const value = given[setting.name] ?? setting.default;
    if (value === null || value === undefined) {
      if (setting.isRequired) throw new HeadgateError(connectorErrors.E_TARGET, `the setting ${setting.name} is missing`);
      continue;
    }
    if (!isOfType(setting, value)) throw new HeadgateError(connectorErrors.E_TARGET, `the setting ${setting.name} is not of its kind`);
    values[setting.name] = value;
  }
  return values;
}

function isOfType(setting: ConnectorSetting, value: unknown): boolean {
  switch (setting.type) {
    case 'text':
    case 'secret':
      return typeof value === 'string' && value !== '';
    case 'integer':
      return Number.isSafeInteger(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'choice':
      return typeof value === 'string' && setting.choices!.includes(value);
    case 'texts':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'objects':
      return Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null && !Array.isArray(item));
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
  }
}
