import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startHttpSink } from '../../../../test/support/http-sink.ts';
import { openFence } from '../../../../test/support/open-fence.ts';
import { openSecrets } from '../../../../test/support/open-secrets.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { type Connector, strictEgress } from '../../connectors/connector.ts';
import { contractPlan, loopbackEgress } from '../../connectors/connector-contract.fixture.ts';
import { fileConnector } from '../../connectors/file/file-connector.ts';
import { httpConnector } from '../../connectors/http/http-connector.ts';
import { systemResolveHost } from '../../connectors/resolve-host.ts';
import type { TargetAddress, TargetOpening } from '../attempts/open-targets.ts';
import type { TargetBinding } from '../delivery-definitions.ts';
import { probeTarget } from './target-probe.ts';

const opening = (more: Partial<TargetOpening> = {}): TargetOpening => ({
  connectors: [fileConnector, httpConnector],
  folders: openFence,
  secrets: openSecrets(),
  ports: { ...systemPorts, resolveHost: systemResolveHost },
  ...more,
});

function addressOf(type: string, settings: Record<string, unknown>, more: Partial<TargetAddress> = {}): TargetAddress {
  const plan = contractPlan({ type, settings: {} });
  return {
    tenantId: systemPorts.ids.next(),
    flowVersionId: systemPorts.ids.next(),
    plan,
    target: plan.targets[0]!,
    binding: {
      tenant: 'bank',
      connection: { name: 'c', type: type === 'file' ? 'folder' : type, settings },
      egress: loopbackEgress,
      hash: '',
    },
    ...more,
  };
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'headgate-probe-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

it('a folder that takes a file is healthy, and nothing stays behind', async () => {
  const root = folder();
  expect(await probeTarget(opening(), addressOf('file', { root }))).toMatchObject({ isReachable: true, code: null });
  expect(readdirSync(root)).toEqual([]);
});

it('a folder that has gone is not, and is not made', async () => {
  const root = join(folder(), 'gone');
  expect(await probeTarget(opening(), addressOf('file', { root }))).toMatchObject({
    isReachable: false,
    code: expect.stringMatching(/^E_/),
  });
  expect(existsSync(root)).toBe(false);
});

it('a service that never answers costs the time of a probe and no more', async () => {
  const sink = await startHttpSink(() => ({ isSilent: true }));
  const result = await probeTarget(opening(), addressOf('http', { baseUrl: sink.url }), { timeoutMs: 100 });
  expect(result).toMatchObject({ isReachable: false, code: 'E_TARGET_TIMEOUT' });
});

it('a driver that does not end with its signal is left behind', async () => {
  const deaf: Connector = {
    ...fileConnector,
    open: (options) => ({ ...fileConnector.open(options), probe: () => new Promise(() => {}) }),
  };
  const ports = { ...systemPorts, resolveHost: systemResolveHost, sleep: { sleep: async () => {} } };
  const result = await probeTarget(opening({ connectors: [deaf], ports }), addressOf('file', { root: folder() }));
  expect(result).toMatchObject({ isReachable: false, code: 'E_TARGET_TIMEOUT' });
});

it('what can not be opened says why: no such connection, an address that is not allowed', async () => {
  const missing = addressOf('http', {}, { binding: new HeadgateError('E_DEFINITION_UNKNOWN', 'there is no Connection c') });
  expect(await probeTarget(opening(), missing)).toMatchObject({ isReachable: false, code: 'E_DEFINITION_UNKNOWN' });
  const forbidden = addressOf('http', { baseUrl: 'https://127.0.0.1:8443' });
  const binding = { ...(forbidden.binding as TargetBinding), egress: strictEgress };
  expect(await probeTarget(opening(), { ...forbidden, binding })).toMatchObject({ isReachable: false, code: 'E_SSRF' });
});
