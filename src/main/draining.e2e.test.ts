import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { until } from '../../test/support/delivery-scenario.ts';
import { runHeadgate, serveHeadgate, uploadFlow } from '../../test/support/headgate-command.ts';
import { startHttpSink } from '../../test/support/http-sink.ts';
import { settingsCatalogue } from '../platform/base/settings-catalogue.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-draining-'));
const dataDir = join(folder, 'data');
const keyFile = join(folder, 'api-key');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const administer = (...argv: string[]) => runHeadgate([...argv, '--data-dir', dataDir]);
const inBank = (kind: string, name: string, spec: string) =>
  `apiVersion: headgate/v1\nkind: ${kind}\nmetadata: { tenant: bank, name: ${name} }\nspec: ${spec}\n`;

it('SIGTERM while a service does not answer ends the process in its time, and the next one goes on at once', async () => {
  const sink = await startHttpSink((_, number) => ({ isSilent: number === 1 }));
  const documents = {
    'policy.yaml': inBank('TenantPolicy', 'policy', '{ egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }'),
    'api.yaml': inBank('Connection', 'api', `{ type: http, baseUrl: "${sink.url}" }`),
    'flow.yaml': uploadFlow('payments', { type: 'http', connection: 'api' }).replace('path: payments', 'path: /payments'),
  };
  for (const [name, text] of Object.entries(documents)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'in.csv'), 'id,account,amount,note\np1,620001,1.50,\n');
  // Longer than the test: only work that was given back is taken up by another.
  const env = { HEADGATE_LEASE_MS: '300000' };
  let served = await serveHeadgate(dataDir, { env });
  const headgate = (...argv: string[]) => runHeadgate([...argv, '--key-file', keyFile], { env: { HEADGATE_URL: served.url }, cwd: folder });
  await administer('tenant', 'create', 'bank');
  const scopes = 'flows:write,flows:read,files:write,jobs:read,policy:write';
  writeFileSync(keyFile, JSON.parse((await administer('key', 'create', 'bank', '--scopes', scopes, '--json')).stdout).key, { mode: 0o600 });
  expect(await headgate('flow', 'apply', 'policy.yaml', 'api.yaml', 'flow.yaml', '--yes')).toMatchObject({ code: 0 });
  const [{ jobId }] = JSON.parse((await headgate('ingest', 'in.csv', '--flow', 'payments', '--json')).stdout);
  await until(() => sink.requests.length === 1, 'nothing was sent');
  const stopped = await served.stop();
  expect(stopped).toMatchObject({ code: 0, signal: null });
  // All of the time for draining, since the service never answers, and little else: the rest of five seconds is for closing.
  expect(settingsCatalogue.drainMs.defaultValue).toBeLessThanOrEqual(3_500);
  expect(stopped.seconds).toBeLessThan(15);
  served = await serveHeadgate(dataDir, { env });
  await until(() => sink.requests.length === 2, 'it was not sent again');
  expect(sink.requests.map(({ headers }) => headers['headgate-possible-duplicate'])).toEqual([undefined, 'true']);
  const closed = JSON.parse((await headgate('job', 'watch', jobId, '--json')).stdout);
  expect(closed).toMatchObject({ state: 'completed', targets: { ledger: { delivered: 1 } } });
  // As when a terminal is closed.
  expect(await served.stop('SIGHUP')).toMatchObject({ code: 0, signal: null });
});
