import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { itWith } from '../support/components.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTestServer, testFlow, testRows } from '../support/running-server.ts';
import { runSftp } from '../support/sftp-client.ts';
import { makeSshKey } from '../support/sshd.ts';
import { temporaryFolder } from '../support/temporary-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('a served flow with a folder at the SFTP server', () => {
  itWith('sftp')('takes what OpenSSH puts there, answers with a receipt, delivers it, and closes its job in balance', async () => {
    const server = await startTestServer(database, { roles: 'api,worker,delivery,scheduler,sftp', sftpPort: '0' });
    onTestFinished(() => server.stop());
    const tenant = await server.tenant('sftp-server-bank');
    const key = makeSshKey();
    const [out, flow] = testFlow({ root: server.out });
    await tenant.apply(
      out!,
      `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: partner }\nspec: { type: sftp-server, publicKeys: ["${key.publicKey}"] }\n`,
      flow!.replace(
        '{ id: upload, type: http }',
        '{ id: partner, type: sftp-server, connection: partner, folder: payments, match: "*.csv" }',
      ),
    );
    const local = temporaryFolder();
    writeFileSync(join(local, 'a.csv'), testRows(5, 2));
    const target = { port: server.sftpPort!, user: 'sftp-server-bank.partner', key };
    const put = await runSftp(
      target,
      `put ${local}/a.csv /payments/`,
      'ls -1 /',
      `get /receipts/payments/a.csv.receipt.json ${local}/receipt.json`,
    );
    expect(put, put.stderr).toMatchObject({ code: 0 });
    expect(put.stdout).toContain('/payments');
    const receipt = JSON.parse(readFileSync(join(local, 'receipt.json'), 'utf8'));
    expect(receipt).toMatchObject({ name: 'a.csv', folder: 'payments', flow: 'payments', state: 'accepted' });

    const { json } = await server.request(`/v1/files/${receipt.fileId}`, { key: tenant.key });
    expect(json.sha256).toBe(receipt.sha256);
    expect(await server.settle(tenant.key, json.jobIds[0])).toMatchObject({
      state: 'completed',
      records: { read: 7, valid: 5, rejected: 2 },
    });
    const delivered = readdirSync(join(server.out, 'out')).map((name) => readFileSync(join(server.out, 'out', name), 'utf8'));
    expect(delivered.join('').trim().split('\n')).toHaveLength(5);
  });
});
