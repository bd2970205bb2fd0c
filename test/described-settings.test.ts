/** Formats and connectors describe their settings; the flow language describes them again, with defaults. They must agree. */
import { expect, test } from 'vitest';
import { formatShape } from '../src/control/flows/documents/format-shapes.ts';
import { connectionKeys } from '../src/control/flows/documents/other-shapes.ts';
import type { ObjectShape, Shape, VariantShape } from '../src/control/flows/documents/shape.ts';
import { ownDeliveryKeys, targetShape } from '../src/control/flows/documents/target-shapes.ts';
import { formats, loadConnectors, packs } from '../src/main/catalogue.ts';
import type { PackName } from '../src/pipeline/formats/pack.ts';
import { packFlows } from '../src/pipeline/formats/pack-flows.ts';

/** Settings of a target that make its body, which the engine writes. */
const bodyKeys = ['format', 'delimiter', 'header', 'columns', 'lineEnd', 'maxAmount', 'window'];
const connectors = await loadConnectors();

function keysOf(shape: ObjectShape, leaveOut: readonly string[]): Record<string, unknown> {
  const own = Object.entries(shape.keys).filter(([key]) => !leaveOut.includes(key));
  return Object.fromEntries(own.map(([key, { default: missing }]) => [key, missing ?? null]));
}

function described(settings: readonly { readonly name: string; readonly default: unknown }[]): Record<string, unknown> {
  return Object.fromEntries(settings.map(({ name, default: missing }) => [name, missing]));
}

test.each(formats.map((format) => [format.name, format] as const))('the keys of format %s are those of the format', (name, format) => {
  const shape = formatShape.variants[name]!;
  // Files of one column keep their empty lines, so that delimited has no fixed default here (decisions 7).
  const settings = described(format.settings);
  const keys = keysOf(shape, ['type']);
  expect(keys).toEqual(settings);
});

test('every format of the catalogue can be written, and no other', () => {
  expect(Object.keys(formatShape.variants).sort()).toEqual([...formats.map(({ name }) => name), ...Object.keys(packFlows)].sort());
});

test.each(Object.entries(packFlows))('the keys of format %s are the settings of the pack', async (name, { settings }) => {
  expect((await packs[name as PackName]()).settings).toBe(settings);
  expect(keysOf(formatShape.variants[name]!, ['type'])).toEqual(described(settings));
});

test.each(connectors.map((connector) => [connector.name, connector] as const))(
  'the keys of target %s are those of the connector',
  (name, connector) => {
    const shape = targetShape.variants[name]!;
    const keys = keysOf(shape, ['type', 'connection', ...bodyKeys, ...Object.keys(ownDeliveryKeys)]);
    const settings = described(connector.targetSettings);
    expect(Object.keys(keys).sort()).toEqual(Object.keys(settings).sort());
    for (const [key, missing] of Object.entries(keys)) if (missing !== null) expect([key, settings[key]]).toEqual([key, missing]);
  },
);

test.each(connectors.flatMap((connector) => (connector.connectionType === null ? [] : [[connector.connectionType, connector] as const])))(
  'the keys of connection %s are those of its connector',
  (type, connector) => {
    const shape = (connectionKeys['spec']!.shape as VariantShape).variants[type]!;
    const names = connector.connectionSettings.map((setting) => setting.name);
    expect(Object.keys(keysOf(shape, ['type'])).sort()).toEqual([...names].sort());
    for (const setting of connector.connectionSettings) {
      const isSecret = (shape.keys[setting.name]!.shape as Shape).kind === 'secret';
      expect([setting.name, isSecret]).toEqual([setting.name, setting.type === 'secret']);
    }
  },
);

test('every connector of the catalogue can be written, and no other', () => {
  expect(Object.keys(targetShape.variants).sort()).toEqual(connectors.map(({ name }) => name).sort());
});
