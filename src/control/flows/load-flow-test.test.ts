import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadFlowTest } from './load-flow-test.ts';

const example = readFileSync(new URL('../../../examples/eft.flow.test.yaml', import.meta.url), 'utf8');
const codes = (text: string) => loadFlowTest(text).diagnostics.map(({ line, code, message }) => `${line} ${code} ${message}`);

test('the example is sound', () => {
  const { test: loaded, diagnostics } = loadFlowTest(example);
  expect(diagnostics).toEqual([]);
  expect(loaded!.spec.cases.map(({ id }) => id)).toHaveLength(3);
});

test.each([
  ['a status that there is not', example.replace('status: rejected', 'status: refused'), /E_CONFIG_VALUE status .*valid, rejected/],
  ['a key that there is not', example.replace('verdict: accepted', 'verdikt: accepted'), /E_CONFIG_KEY .*verdict/],
  ['two cases of one id', example.replace('id: a-record-with', 'id: routes-by-currency-and-size #'), /E_CONFIG_DUPLICATE/],
  ['a file outside its folder', example.replace('flow: eft.yaml', 'flow: ../eft.yaml'), /E_CONFIG_VALUE flow /],
  ['no input', example.replace(/ {6}input: \|\n(?: {8}.*\n)+(?= {6}expect: \{)/, ''), /E_CONFIG_KEY a case has either input or file/],
  ['input and file', example.replace('      expect: {', '      file: x.txt\n      expect: {'), /E_CONFIG_KEY a case has either/],
  ['nothing that is expected', example.replace(/expect: \{.*\}/, 'expect: {}'), /E_CONFIG_KEY a case expects something/],
  ['another kind', example.replace('kind: FlowTest', 'kind: Connection'), /E_CONFIG_VALUE/],
  ['no YAML', 'a: [', /E_YAML/],
])('a test with %s is refused at its line', (_, text, says) => {
  expect(loadFlowTest(text).test).toBeNull();
  expect(codes(text).join('\n')).toMatch(says);
});

test('what is no test, such as a flow, is told so and nothing else', () => {
  const flow = readFileSync(new URL('../../../examples/eft.yaml', import.meta.url), 'utf8');
  expect(codes(flow)).toEqual(['3 E_CONFIG_VALUE kind must be FlowTest: tests of a flow are in a file beside it, NAME.flow.test.yaml']);
});

test('a test of another tenant than its flow is refused at its tenant, one of a flow with mistakes is not', () => {
  const load = (tenant: string | null) =>
    loadFlowTest(
      example,
      () => null,
      () => tenant,
    );
  expect(load('bank-za').diagnostics).toEqual([]);
  expect(load(null).diagnostics).toEqual([]);
  expect(load('bank-us')).toMatchObject({
    test: null,
    diagnostics: [
      { code: 'E_CONFIG_REFERENCE', path: 'metadata.tenant', message: 'eft.yaml is a flow of tenant bank-us, and the test is of bank-za' },
    ],
  });
});
