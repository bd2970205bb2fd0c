import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadFlow } from '../load-flow.ts';

const eft = readFileSync(new URL('../../../../examples/eft.yaml', import.meta.url), 'utf8');
const fx = '{ type: file, connection: eft-out, path: fx, format: csv }';

function findingsOf(more: string) {
  expect(eft).toContain(fx);
  return loadFlow(eft.replace(fx, `{ type: http, connection: api, ${more} }`)).diagnostics;
}

it.each([
  'status: { path: "/s/{key}", absentStatus: [404] }',
  'status: { path: "/s?id={batchId}", field: result.state, acked: [done], absent: [gone] }',
  'mode: single, status: { path: "/s/{key}", absentStatus: [404, 410] }',
  'results: ndjson',
])('%s is sound', (more) => {
  expect(findingsOf(more)).toEqual([]);
});

it.each([
  ['status: { path: "/s/{ky}", absentStatus: [404] }', 'E_CONFIG_REFERENCE', /no placeholder \{ky\}/],
  ['status: { path: "/s/{key", absentStatus: [404] }', 'E_CONFIG_VALUE', /not closed/],
  ['status: { path: /s, absentStatus: [404] }', 'E_CONFIG_CONFLICT', /needs \{key\} or \{batchId\}/],
  ['mode: single, status: { path: "/s/{batchId}", absentStatus: [404] }', 'E_CONFIG_CONFLICT', /by its own/],
  ['status: { path: "/s/{key}" }', 'E_CONFIG_KEY', /says that the service has nothing/],
  ['status: { path: "/s/{key}", field: state, absentStatus: [404] }', 'E_CONFIG_KEY', /acked is missing/],
  ['status: { path: "/s/{key}", acked: [done], absentStatus: [404] }', 'E_CONFIG_KEY', /field is missing/],
  ['status: { path: "/s/{key}", field: s, acked: [a], absent: [a] }', 'E_CONFIG_CONFLICT', /both/],
  ['status: { path: "//evil.example/{key}", absentStatus: [404] }', 'E_CONFIG_VALUE', /path/],
  ['status: { path: "/s/{key}", absentStatus: [200] }', 'E_CONFIG_VALUE', /absentStatus/],
  ['mode: single, results: ndjson', 'E_CONFIG_CONFLICT', /mode batch/],
])('%s is refused', (more, code, says) => {
  expect(findingsOf(more)).toContainEqual(expect.objectContaining({ code, message: expect.stringMatching(says), severity: 'error' }));
});
