import { describe, expect, it } from 'vitest';
import { formatShape } from '../control/flows/documents/format-shapes.ts';
import { formats, packs } from './catalogue.ts';

describe('the catalogue of formats', () => {
  it('a flow definition can say of each format exactly what the format describes, with the same defaults', () => {
    expect([...formats.map(({ name }) => name), ...Object.keys(packs)].sort()).toEqual(Object.keys(formatShape.variants).sort());
    for (const format of formats) {
      const { keys } = formatShape.variants[format.name] as unknown as { keys: Record<string, { default?: unknown }> };
      const inFlow = Object.entries(keys).filter(([name]) => name !== 'type');
      const described = format.settings.map(({ name, default: value }) => [name, value]);
      expect([format.name, inFlow.map(([name, key]) => [name, key.default ?? null]).sort()]).toEqual([format.name, described.sort()]);
    }
  });

  it('each says what it is for', () => {
    for (const { documentation, settings } of formats) {
      expect(documentation.length).toBeGreaterThan(40);
      for (const { description } of settings) expect(description).toMatch(/^[A-Z].+\.$/);
    }
  });
});
