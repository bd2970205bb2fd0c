import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadFlow } from '../load-flow.ts';

const eft = readFileSync(new URL('../../../../examples/eft.yaml', import.meta.url), 'utf8');
const fx = 'fx: { type: file, connection: eft-out, path: fx,';
const writing = (connection: string, path: string) =>
  loadFlow(eft.replace(fx, `fx: { type: file, connection: ${connection}, path: ${path},`));

it('a target that writes to a folder from which its flow takes files is warned of', () => {
  expect(eft).toContain(fx);
  const { plan, diagnostics } = writing('eft-drop', 'in');
  expect(plan).not.toBeNull();
  expect(diagnostics).toMatchObject([
    {
      code: 'E_CONFIG_CONFLICT',
      severity: 'warning',
      path: 'spec.targets.fx.path',
      message: expect.stringMatching(/^the source drop takes files from this folder/),
    },
  ]);
});

it('one that writes elsewhere is not', () => {
  expect(writing('eft-drop', 'in/out').diagnostics).toEqual([]);
  expect(writing('eft-out', 'in').diagnostics).toEqual([]);
});
