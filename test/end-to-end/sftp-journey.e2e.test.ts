import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import { itWith } from '../support/components.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTestServer, testFlow, testRows } from '../support/running-server.ts';
import { startSshd } from '../support/sshd.ts';
import { temporaryFolder } from '../support/temporary-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('a served flow with an SFTP source', () => {
  itWith('sshd')('takes a file from the server, delivers it, and closes its job in balance', async () => {
    const remote = temporaryFolder();
    for (const folder of ['in', 'own']) mkdirSync(join(remote, folder));
    const sshd = await startSshd({ folder: remote });
    onTestFinished(() => sshd.stop());
    const env = { HEADGATE_SECRET_SFTP_BANK__KEY: sshd.clientKey.privateKey };
    const server = await startTestServer(database, {}, undefined, env);
    onTestFinished(() => server.stop());
    const tenant = await server.tenant('sftp-bank');
    const source = 'type: sftp, connection: bank-sftp, match: "*.csv*", poll: 1s, ready: { stableFor: 2s }';
    const sources = `{ id: bank, ${source}, path: /in }\n    - { id: own, ${source}, path: /own, afterwards: mark, mark: .seen }`;
    const [out, flow] = testFlow({ root: server.out });
    await tenant.apply(
      out!,
      'apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { egress: { allowPrivate: [127.0.0.1/32] } }\n',
      `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: bank-sftp }
spec:
  type: sftp
  host: ${sshd.host}
  port: ${sshd.port}
  user: ${sshd.username}
  privateKey: env:HEADGATE_SECRET_SFTP_BANK__KEY
  hostKeys: [${JSON.stringify(sshd.hostKey.publicKey)}]
`,
      flow!.replace('{ id: upload, type: http }', sources),
    );
    writeFileSync(join(remote, 'in', 'a.csv'), testRows(5, 2));
    writeFileSync(join(remote, 'own', 'b.csv'), testRows(5, 2, 1));
    const jobs: readonly { jobId: string }[] = await vi.waitUntil(
      async () => {
        const { json } = await server.request('/v1/jobs', { key: tenant.key });
        return json.items.length === 2 ? json.items : null;
      },
      { timeout: 60_000, interval: 100 },
    );
    for (const { jobId } of jobs) {
      expect(await server.settle(tenant.key, jobId)).toMatchObject({ state: 'completed', records: { read: 7, valid: 5, rejected: 2 } });
      expect((await server.request(`/v1/jobs/${jobId}/receipt`, { key: tenant.key })).status).toBe(200);
    }
    const delivered = readdirSync(join(server.out, 'out')).map((name) => readFileSync(join(server.out, 'out', name), 'utf8'));
    expect(delivered.join('').trim().split('\n')).toHaveLength(10);
    await vi.waitUntil(() => readdirSync(join(remote, 'in')).includes('.headgate-done'), { timeout: 60_000, interval: 50 });
    await vi.waitUntil(() => !readdirSync(join(remote, 'in')).includes('a.csv'), { timeout: 60_000, interval: 50 });
    expect(readdirSync(join(remote, 'in', '.headgate-done'))).toEqual(['a.csv']);
    await vi.waitUntil(() => readdirSync(join(remote, 'own')).join() === 'b.csv.seen', { timeout: 60_000, interval: 50 });
  });
});
