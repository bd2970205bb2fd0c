import { createServer } from 'node:https';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { selfSignedCertificate } from '../../../../test/support/self-signed-certificate.ts';
import { openOptions, outgoing } from '../connector-contract.fixture.ts';
import { httpConnector } from './http-connector.ts';

const hostName = 'api.bank.example';
let pair: ReturnType<typeof selfSignedCertificate>;
beforeAll(() => {
  pair = selfSignedCertificate(hostName);
});

const signal = new AbortController().signal;

async function deliverTo(name: string, connection: Record<string, unknown>, env: Record<string, string> = {}) {
  const hosts: string[] = [];
  const server = createServer({ key: pair.key, cert: pair.certificate }, (request, response) => {
    hosts.push(request.headers.host!);
    request.resume().on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.closeAllConnections());
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const options = openOptions(httpConnector, {
    settings: {},
    connection: { baseUrl: `https://${name}:${port}`, ...connection },
    egress: { allowPrivate: ['127.0.0.0/8'], allowPlain: false },
    env,
    ports: { resolveHost: async () => ['127.0.0.1'] },
  });
  const target = httpConnector.open(options);
  const outcome = await target.deliver(outgoing(['a']), signal);
  await target.close();
  return { outcome, hosts, port };
}

it('a server is trusted by the authority of its connection, under the name of the address and not of the IP', async () => {
  const { outcome, hosts, port } = await deliverTo(hostName, { certificateAuthority: 'env:CA' }, { CA: pair.certificate });
  expect(outcome.kind).toBe('acked');
  expect(hosts).toEqual([`${hostName}:${port}`]);
});

it('an unknown authority is refused for now, and nothing is sent', async () => {
  const { outcome, hosts } = await deliverTo(hostName, {});
  expect(outcome).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_UNREACHABLE' });
  expect(hosts).toEqual([]);
});

it('a certificate for another name is refused for now, and nothing is sent', async () => {
  const { outcome, hosts } = await deliverTo('other.bank.example', { certificateAuthority: 'env:CA' }, { CA: pair.certificate });
  expect(outcome).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_UNREACHABLE' });
  expect(hosts).toEqual([]);
});
