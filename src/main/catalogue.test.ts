import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
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

it('the list of connectors loads the clients that are slow to load with the first delivery only', () => {
  const script = `
    import { registerHooks } from 'node:module';
    const asked = new Set();
    registerHooks({
      resolve(name, context, next) {
        asked.add(name);
        return next(name, context);
      },
    });
    const { loadConnectors } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'catalogue.ts')).href)});
    await loadConnectors();
    console.log(JSON.stringify([...asked]));`;
  const asked: unknown = JSON.parse(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }));
  expect(asked).toContain('undici');
  for (const name of ['@platformatic/kafka', 'mysql2', 'opendal', 'openpgp', 'ssh2']) expect(asked, name).not.toContain(name);
});
