import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import { systemRng } from '../../src/platform/base/system-ports.ts';
import { openBlobContainer } from '../../src/platform/blob/blob-container.ts';
import { blobServerEntries, itWithBlobServer, notificationOf } from '../support/blob-servers.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { startTestServer, testFlow, testRows } from '../support/running-server.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('a served flow with a blob source', () => {
  for (const [name, start] of blobServerEntries)
    itWithBlobServer(name)(`takes a file from ${name}, delivers it, and closes its job in balance`, async () => {
      const blobs = await start();
      onTestFinished(() => blobs.stop());
      await blobs.makeContainer('inbox');
      const service = blobs.service('inbox', blobs.port, '127.0.0.1');
      const container = await openBlobContainer({
        service,
        credentials: blobs.credentials,
        addressesOf: async () => ['127.0.0.1'],
        rng: systemRng,
      });
      onTestFinished(() => container.close());
      const { kind: _kind, ...secrets } = blobs.credentials;
      const named = Object.entries(secrets).map(([key, value]) => ({ key, value, variable: `BLOB_${key.toUpperCase()}` }));
      const tenantName = `blob-${name}`;
      const prefix = `HEADGATE_SECRET_${tenantName.toUpperCase().replaceAll('-', '_')}__`;
      const env = Object.fromEntries(named.map(({ variable, value }) => [prefix + variable, value]));
      const server = await startTestServer(database, {}, undefined, env);
      onTestFinished(() => server.stop());
      const tenant = await server.tenant(tenantName);
      const [out, flow] = testFlow({ root: server.out });
      const { kind: type, ...place } = service;
      const lines = [
        ...Object.entries(place).map(([key, value]) => `${key}: ${value}`),
        ...named.map(({ key, variable }) => `${key}: env:${prefix}${variable}`),
      ];
      const source = 'type: blob, connection: inbox, path: in, match: "*.csv", poll: 1h';
      await tenant.apply(
        out!,
        'apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { egress: { allowPrivate: [127.0.0.1/32], allowPlain: true } }\n',
        `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: inbox }\nspec:\n  type: ${type}\n${lines.map((line) => `  ${line}\n`).join('')}`,
        flow!.replace('{ id: upload, type: http }', `{ id: bank, ${source} }`),
      );
      // Its one listing of this hour is over before there is anything.
      const isListed = `/* listed */ select from headgate.source_schedules
          where tenant_id = $1 and lease_until is null and list_due_at > headgate.clock() + interval '30 minutes'`;
      await vi.waitUntil(async () => (await database.adminDb.query(isListed, [tenant.tenantId])).rowCount === 1, {
        timeout: 60_000,
        interval: 50,
      });
      await container.create('in/a.csv', Buffer.from(testRows(5, 2)));
      const tell = async (body: unknown) =>
        await server.request('/v1/flows/payments/sources/bank/events', {
          key: await tenant.makeKey(['sources:notify']),
          method: 'POST',
          body,
        });
      expect(await tell(notificationOf(blobs, 'inbox', ['in/a.csv', 'out/b.csv']))).toMatchObject({
        status: 202,
        json: { names: 1, passedOver: 1 },
      });
      const job = await vi.waitUntil(
        async () => {
          const { json } = await server.request('/v1/jobs', { key: tenant.key });
          return json.items[0];
        },
        { timeout: 60_000, interval: 100 },
      );
      expect(await server.settle(tenant.key, job.jobId)).toMatchObject({
        state: 'completed',
        records: { read: 7, valid: 5, rejected: 2 },
      });
      const receipt = await server.request(`/v1/jobs/${job.jobId}/receipt`, { key: tenant.key });
      expect(receipt.status).toBe(200);
      const delivered = readdirSync(join(server.out, 'out')).map((name) => readFileSync(join(server.out, 'out', name), 'utf8'));
      expect(delivered.join('').trim().split('\n')).toHaveLength(5);
      await vi.waitUntil(async () => (await container.look('in/a.csv')) === undefined, { timeout: 60_000, interval: 50 });
      expect(await container.look('in/.headgate-done/a.csv')).toBeDefined();
      const question = { eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent', data: { validationCode: '512d38b6' } };
      expect(await tell([question])).toMatchObject({ status: 200, json: { validationResponse: '512d38b6' } });
      expect(await tell({ tenant: 'another' })).toMatchObject({ status: 422, json: { code: 'E_BLOB_EVENT' } });
      const other = await (await server.tenant(`other-${name}`)).makeKey(['sources:notify']);
      const foreign = { method: 'POST', key: other, body: notificationOf(blobs, 'inbox', ['in/a.csv']) };
      expect((await server.request('/v1/flows/payments/sources/bank/events', foreign)).status).toBe(404);
    });
});
