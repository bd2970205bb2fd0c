import { describe, expect, it } from 'vitest';
import { loadFlow } from './load-flow.ts';

const flow = (spec: string): string =>
  `apiVersion: headgate/v1\nkind: FlowDefinition\nmetadata: { tenant: t, service: s, name: f, version: 1.0.0 }\nspec:\n  routes: { default: { to: [out] } }\n  targets: { out: { type: file, connection: c } }\n${spec}`;

describe('of several record types', () => {
  it('the first counted record type comes first of the data types, whatever its place', () => {
    const records =
      'batch: { tag: "5", counted: false, fields: { name: { at: [2, 4], type: string } } }, entry: { tag: "6", fields: { amount: { at: [2, 4], type: int } } }';
    const { plan, diagnostics } = loadFlow(
      flow(
        `  format: { type: fixed-width, discriminator: { start: 1, length: 1 } }\n  schema: { records: { ${records} } }\n  validate: [{ id: r, assert: "record.amount > 0", code: R1, message: m }]\n`,
      ),
    );
    expect(diagnostics).toEqual([]);
    expect(plan!.records.map((record) => [record.name, record.counted])).toEqual([
      ['entry', true],
      ['batch', false],
    ]);
  });

  it.each([
    ['a type that comes before', 'a: { tag: "5", parent: b, fields: { x: { at: [2, 4], type: string } } }', /parent is not supported yet/],
    ['nothing counted', 'a: { tag: "5", counted: false, fields: { x: { at: [2, 4], type: string } } }', /no records/],
    [
      'one name with two types',
      'a: { tag: "5", fields: { x: { at: [2, 4], type: string } } }, b: { tag: "6", fields: { x: { at: [2, 4], type: int } } }',
      /alike/,
    ],
    ['header as a name', 'header: { tag: "5", fields: { x: { at: [2, 4], type: string } } }', /key of schema/],
  ])('%s is refused', (_name, records, says) => {
    const { plan, diagnostics } = loadFlow(
      flow(`  format: { type: fixed-width, discriminator: { start: 1, length: 1 } }\n  schema: { records: { ${records} } }\n`),
    );
    expect(plan).toBeNull();
    expect(diagnostics.map(({ message }) => message).join('\n')).toMatch(says);
  });

  it('fields that the first counted one has not lead nowhere, which is told', () => {
    const field = (name: string) => `${name}: { at: [2, 4], type: string }`;
    const records = `credit: { tag: "C", fields: { ${field('no')} } }, debit: { tag: "D", fields: { ${field('mandate')} } }, batch: { tag: "B", counted: false, fields: { ${field('of')} } }`;
    const { plan, diagnostics } = loadFlow(
      flow(`  format: { type: fixed-width, discriminator: { start: 1, length: 1 } }\n  schema: { records: { ${records} } }\n`),
    );
    expect(plan).not.toBeNull();
    expect(diagnostics).toEqual([expect.objectContaining({ severity: 'warning', path: 'spec.schema.records.debit' })]);
    expect(diagnostics[0]!.message).toMatch(/^mandate of debit are checked, and go nowhere/);
  });
});
