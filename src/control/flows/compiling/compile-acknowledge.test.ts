import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadFlow } from '../load-flow.ts';

const eft = readFileSync(new URL('../../../../examples/eft.yaml', import.meta.url), 'utf8');
const withAcknowledge = (text: string) => eft.replace('\n  acceptance:', () => `\n  acknowledge: ${text}\n  acceptance:`);

describe('acknowledge', () => {
  test('is written to the connection of a source, or to one of its own', () => {
    const bySource = loadFlow(withAcknowledge('{ format: json, to: drop, path: /out/ack }'));
    expect(bySource.diagnostics).toEqual([]);
    expect(bySource.plan!.acknowledge).toEqual({
      format: 'json',
      levels: ['file'],
      connection: 'eft-drop',
      path: 'out/ack',
      name: '{file}.{job}.{level}.{extension}',
      encrypt: false,
      sign: false,
      timeoutMs: 5_000,
      retry: { max: 60, initialMs: 500, capMs: 600_000 },
    });
    const own = loadFlow(withAcknowledge('{ format: csv, levels: [file, record], connection: bank, name: "{file}.{level}.ack" }'));
    expect(own.plan!.acknowledge).toMatchObject({ format: 'csv', levels: ['file', 'record'], connection: 'bank', path: '.' });
    expect(loadFlow(eft).plan!.acknowledge).toBeUndefined();
    expect(own.hash).not.toBe(loadFlow(eft).hash);
  });

  test.each([
    ['{ format: nacha, levels: [record], to: drop, path: ack }', 'E_CONFIG_CONFLICT', /returns answer ACH files/],
    [
      '{ format: pain.002, to: drop, path: ack }',
      'E_NOT_SUPPORTED_YET',
      /pain\.002 is not supported yet for files that are not pain\.001 or pain\.008/,
    ],
    ['{ format: json, to: drop, path: ack, acceptedAs: ACCP }', 'E_CONFIG_CONFLICT', /acceptedAs is for the format pain\.002/],
    ['{ to: drop, path: ack }', 'E_CONFIG_KEY', /format is missing/],
    ['{ format: json, path: ack }', 'E_CONFIG_KEY', /to is missing/],
    ['{ format: json, to: drop, connection: eft-drop, path: ack }', 'E_CONFIG_CONFLICT', /two places/],
    ['{ format: json, to: dorp, path: ack }', 'E_CONFIG_REFERENCE', /did you mean drop/],
    ['{ format: json, to: upload, path: ack }', 'E_CONFIG_REFERENCE', /type http/],
    ['{ format: json, to: drop, path: ../ack }', 'E_CONFIG_VALUE', /without \.\./],
    ['{ format: json, to: drop, path: /in/ }', 'E_CONFIG_CONFLICT', /source drop takes files from this folder/],
    ['{ format: json, connection: eft-drop, path: in }', 'E_CONFIG_CONFLICT', /source drop takes files from this folder/],
    ['{ format: json, connection: eft-out, path: /fx/ }', 'E_CONFIG_CONFLICT', /the target fx writes to this folder/],
    ['{ format: json, to: drop, path: ack, name: "{fiel}" }', 'E_CONFIG_REFERENCE', /did you mean \{file\}/],
    ['{ format: json, to: drop, path: ack, name: "{job}-{sequence}" }', 'E_CONFIG_REFERENCE', /no placeholder \{sequence\}/],
    ['{ format: json, to: drop, path: ack, name: "{date}" }', 'E_CONFIG_CONFLICT', /needs \{job\}, \{number\} or \{file\}/],
    ['{ format: json, to: drop, path: ack, name: "{job}", levels: [file, record] }', 'E_CONFIG_CONFLICT', /needs \{level\}/],
    ['{ format: json, to: drop, path: ack, levels: [file, file] }', 'E_CONFIG_DUPLICATE', /twice/],
    ['{ format: json, to: drop, path: ack, sign: true }', 'E_CONFIG_CONFLICT', /encrypted/],
  ])('%s is refused', (text, code, says) => {
    const { plan, diagnostics } = loadFlow(withAcknowledge(text));
    expect(plan).toBeNull();
    expect(diagnostics.map((found) => [found.code, says.test(found.message)])).toContainEqual([code, true]);
  });

  test('is checked beside a target of its connection whose folder can not be read', () => {
    const flow = withAcknowledge('{ format: json, connection: eft-out, path: fx, name: "{date}" }').replace(
      'path: fx, format',
      'path: ../fx, format',
    );
    const { plan, diagnostics } = loadFlow(flow);
    expect(plan).toBeNull();
    expect(diagnostics.map(({ code, path }) => `${code} ${path}`)).toEqual(
      expect.arrayContaining(['E_CONFIG_VALUE spec.targets.fx.path', 'E_CONFIG_CONFLICT spec.acknowledge.name']),
    );
  });
});
