/** The whole way of a file to the SFTP server of a partner: the product as it serves, and a real OpenSSH behind a network that breaks. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import { itWith } from '../support/components.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTestServer } from '../support/running-server.ts';
import { startSshd } from '../support/sshd.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { temporaryFolder } from '../support/temporary-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const policy = `apiVersion: headgate/v1
kind: TenantPolicy
metadata: { tenant: TENANT, name: policy }
spec: { egress: { allowPrivate: [127.0.0.1/32] } }
`;

const flow = `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: eft, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema:
    record:
      fields:
        id: { type: string, required: true }
        amount: { type: decimal, scale: 2, required: true, sum: true }
  routes: { default: { to: [clearing] } }
  targets:
    clearing: { type: sftp, connection: clearing-sftp, path: in, name: "EFT-{number}.{extension}", format: csv, batch: { size: 100 } }
  targetDefaults: { retry: { max: 60, initial: 20ms, cap: 500ms } }
  acknowledge: { format: csv, levels: [file, record], connection: clearing-sftp, path: /acks, name: "{file}.{number}.{level}.{extension}" }
`;

describe('a served flow with an SFTP target', () => {
  itWith('sshd')('puts every record into one file there, whole, though connections break, and closes its job in balance', async () => {
    const records = 1_000;
    const remote = temporaryFolder();
    for (const folder of ['in', 'acks']) mkdirSync(join(remote, folder));
    const sshd = await startSshd({ folder: remote });
    onTestFinished(() => sshd.stop());
    const proxy = await startTcpProxy({ host: sshd.host, port: sshd.port });
    onTestFinished(() => proxy.close());
    proxy.arm({ match: /(?:)/, how: 'cut-before-forward' });
    const server = await startTestServer(database, {}, undefined, { HEADGATE_SECRET_CLEARING_BANK__KEY: sshd.clientKey.privateKey });
    onTestFinished(() => server.stop());
    const tenant = await server.tenant('clearing-bank');
    const connection = `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: clearing-sftp }
spec:
  type: sftp
  host: ${sshd.host}
  port: ${proxy.port}
  user: ${sshd.username}
  privateKey: env:HEADGATE_SECRET_CLEARING_BANK__KEY
  hostKeys: [${JSON.stringify(sshd.hostKey.publicKey)}]
`;
    await tenant.apply(policy, connection, flow);
    const lines = Array.from({ length: records }, (_, at) => `P${at},${at}.25`);
    const { json } = await server.upload(tenant.key, {
      flow: 'eft',
      name: 'eft.csv',
      body: `id,amount\n${lines.join('\n')}\nP1000,none\n`,
    });
    const job = await server.settle(tenant.key, json.jobId);
    expect(proxy.faultsUsed).toBe(1);
    expect(job).toMatchObject({ state: 'completed', balanced: true, records: { read: records + 1, valid: records } });
    expect(job.targets['clearing']).toMatchObject({ routed: records, delivered: records, refused: 0, dead: 0 });
    const names = readdirSync(join(remote, 'in'));
    expect(names.every((name) => /^EFT-\d+-\d{4}\.csv$/.test(name))).toBe(true);
    const files = names.toSorted().map((name) =>
      readFileSync(join(remote, 'in', name), 'utf8')
        .trimEnd()
        .split('\n'),
    );
    expect(files.map(([header]) => header)).toEqual(names.map(() => 'id,amount'));
    expect(files.flatMap(([, ...rows]) => rows)).toEqual(lines);
    const told = await vi.waitUntil(
      async () => {
        const { acknowledgements } = (await server.request(`/v1/files/${json.fileId}`, { key: tenant.key })).json;
        return acknowledgements.every(({ state }: { state: string }) => state === 'sent') ? acknowledgements : null;
      },
      { timeout: 60_000, interval: 30 },
    );
    expect(told.map(({ level, name }: { level: string; name: string }) => [level, name])).toEqual([
      ['file', 'eft.csv.1.file.csv'],
      ['record', 'eft.csv.1.record.csv'],
    ]);
    expect(readdirSync(join(remote, 'acks')).toSorted()).toEqual(['eft.csv.1.file.csv', 'eft.csv.1.record.csv']);
    for (const { level, name } of told) {
      const asked = await server.request(`/v1/files/${json.fileId}/acknowledgement?level=${level}&format=csv`, { key: tenant.key });
      expect(readFileSync(join(remote, 'acks', name), 'utf8')).toBe(asked.body);
    }
  });
});
