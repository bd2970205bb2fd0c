/** docs/reference/flow-keys.md: every key of every document and every function of expressions, from their descriptions. */

import { type WrittenKind, writtenKinds } from '../../src/control/flows/documents/other-shapes.ts';
import type { Key, Shape } from '../../src/control/flows/documents/shape.ts';
import { functionSignatures } from '../../src/pipeline/engine/expressions/functions.ts';

export function renderFlowKeysPage(): string {
  const kinds = Object.keys(writtenKinds) as WrittenKind[];
  const parts = kinds.map((kind) => {
    const rows = Object.entries(writtenKinds[kind]).flatMap(([name, key]) => keyRows(name, key));
    return `## ${kind}\n\n| key | value | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return [
    '# Keys of headgate/v1\n\nGenerated. `<name>` stands for a name of your own, `[]` for each item of a list, `(type x)` for keys that only that type has.\n',
    ...parts,
    functionsPart(),
  ].join('\n');
}

function keyRows(path: string, key: Key): string[] {
  const missing = key.required ? 'required' : key.default === undefined ? '' : `\`${JSON.stringify(key.default)}\``;
  const row = `| \`${path}\` | ${escapeCell(valueText(key.shape))} | ${escapeCell(missing)} | ${escapeCell(key.description)} |`;
  return [row, ...innerRows(path, key.shape)];
}

function innerRows(path: string, shape: Shape): string[] {
  switch (shape.kind) {
    case 'object':
      return Object.entries(shape.keys).flatMap(([name, key]) => keyRows(`${path}.${name}`, key));
    case 'map':
      return innerRows(`${path}.<name>`, shape.of);
    case 'list':
      return innerRows(`${path}[]`, shape.of);
    case 'variant':
      return Object.entries(shape.variants).flatMap(([variant, { keys }]) =>
        Object.entries(keys).flatMap(([name, key]) => (name === shape.tag ? [] : keyRows(`${path}(${shape.tag} ${variant}).${name}`, key))),
      );
    default:
      return [];
  }
}

function valueText(shape: Shape): string {
  switch (shape.kind) {
    case 'text':
      return shape.expected ?? 'text';
    case 'choice':
      return shape.choices.map((choice) => `\`${choice}\``).join(', ');
    case 'boolean':
      return '`true`, `false`';
    case 'integer':
      return `${shape.min} to ${shape.max}`;
    case 'ratio':
      return '0 to 1';
    case 'duration':
      return 'duration, such as `30s`';
    case 'size':
      return 'size, such as `64MiB`';
    case 'rate':
      return 'rate, such as `200/s`';
    case 'exact-text':
      return 'text or number';
    case 'byte':
      return `one ASCII character${shape.canBeEmpty ? ', or empty' : ''}`;
    case 'secret':
      return '`env:NAME` or `file:/path`';
    case 'expression':
      return shape.result === 'bool' ? 'expression that is true or false' : 'expression';
    case 'range':
      return '`[first position, length]`';
    case 'list':
      return `list of ${valueText(shape.of)}, at most ${shape.max}`;
    case 'map':
      return `map by name, at most ${shape.max}`;
    case 'either':
      return shape.shapes.map(valueText).join(', or ');
    case 'object':
      return 'keys';
    case 'variant':
      return `keys by \`${shape.tag}\`: ${Object.keys(shape.variants)
        .map((name) => `\`${name}\``)
        .join(', ')}`;
  }
}

function functionsPart(): string {
  const rows = Object.entries(functionSignatures).map(([name, { style, parameters, optional = 0, result }]) => {
    const listed = parameters.map((parameter, index) => (index >= parameters.length - optional ? `[${parameter}]` : parameter));
    const method = `${listed[0]}.${name}(${listed.slice(1).join(', ')})`;
    const plain = `${name}(${listed.join(', ')})`;
    return `| \`${style === 'method' ? method : style === 'function' ? plain : `${method}\` or \`${plain}`}\` | ${result} |`;
  });
  return `## Functions of expressions\n\n| call | result |\n|---|---|\n${rows.join('\n')}\n`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
