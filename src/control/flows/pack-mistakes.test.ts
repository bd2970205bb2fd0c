/** Mistakes in the rules of a flow whose format is a pack: the pack has rules of its own before them, which no text holds. */
import { expect, test } from 'vitest';
import { loadFlow } from './load-flow.ts';

const flowOf = (format: string, rules: readonly string[]) => `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank, service: payments, name: packed, version: 1.0.0 }
spec:
  format: ${format}
  validate:
${rules.map((rule) => `    - ${rule}\n`).join('')}  transform: [{ id: shape, set: { amount: record.amount } }]
  routes: { default: { to: [out] } }
  targets: { out: { type: file, connection: out } }
`;

test.each(['{ type: nacha }', '{ type: iso20022, message: pain.001 }', '{ type: bai2 }', '{ type: swift-mt, messages: statements }'])(
  'mistakes in several rules of a flow of %s are all told, each at its own text',
  (format) => {
    const text = flowOf(format, [
      '{ id: one, assert: "record.amount > 0", code: AM01, message: "one" }',
      '{ id: two, assert: "record.amont > 0", code: AM02, message: "two" }',
      '{ id: three, assert: "record.amount > 1", code: E_AM03, message: "three" }',
      '{ id: two, assert: "record.amonut > 0", code: AM04, message: "four" }',
    ]);
    const { diagnostics } = loadFlow(text);
    const at = (line: number, column: number) => text.split('\n')[line - 1]!.slice(column - 1);
    expect(diagnostics.map(({ code, path, line, column }) => [code, path, at(line, column).slice(0, 6)])).toEqual([
      ['E_EXPRESSION_NAME', 'spec.validate[1].assert', 'amont '],
      ['E_CONFIG_CODE', 'spec.validate[2].code', 'E_AM03'],
      ['E_CONFIG_DUPLICATE', 'spec.validate[3].id', 'two, a'],
      ['E_EXPRESSION_NAME', 'spec.validate[3].assert', 'amonut'],
    ]);
    expect(loadFlow(flowOf(format, ['{ id: one, assert: "record.amount > 0", code: AM01, message: "one" }'])).diagnostics).toEqual([]);
  },
);
